/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "debugkernel.h"

#include <unistd.h>

#include "vmlinux.h"

bool debugkernel_find(char path[static PATH_MAX], const char *root, const char *release)
{
	for (size_t i = 0; vmlinux_place(path, root, i, release); i++)
		if (access(path, R_OK) == 0)
			return true;
	path[0] = '\0';
	return false;
}
