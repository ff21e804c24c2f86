/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_units.c - our own service at the next boot. */
#include <stdio.h>
#include <unistd.h>

#include "setup.h"
#include "status.h"
#include "tree.h"

#define OWN "crashpod.service"

void status_units(struct status *s, const char *root)
{
	char path[PATH_MAX];

	if (tree_path(path, root, "/run/systemd/system") || access(path, F_OK))
		return;
	if (!setup_is_enabled(root, OWN))
		status_add(s, STATUS_NOTE, "units", "systemctl enable " OWN,
			   OWN " is not enabled: nothing is loaded after the next boot");
}
