/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "debugkernel.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

static const char *const places[] = {
	"/usr/lib/debug/boot/vmlinux-%s",	 /* Debian, Ubuntu */
	"/usr/lib/debug/lib/modules/%s/vmlinux", /* Fedora, RHEL, openEuler */
	"/usr/lib/debug/usr/lib/modules/%s/vmlinux",
	"/lib/modules/%s/build/vmlinux", /* a build tree */
	"/boot/vmlinux-%s",
};

bool debugkernel_find(char path[static PATH_MAX], const char *root, const char *release)
{
	char part[PATH_MAX];

	if (release[0] && release[0] != '.' &&
	    strspn(release,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+~-") ==
		    strlen(release))
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			const char *gap = strstr(places[i], "%s");

			snprintf(part, sizeof(part), "%.*s%s%s", (int)(gap - places[i]), places[i],
				 release, gap + 2);
			if (!tree_path(path, root, "%s", part) && access(path, R_OK) == 0)
				return true;
		}
	path[0] = '\0';
	return false;
}
