/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_units.c - services: one that loads another capture kernel in the place of ours, and our
 * own at the next boot. */
#include <stdio.h>
#include <unistd.h>

#include "setup.h"
#include "status.h"
#include "tree.h"

#define OWN "crashpod.service"

void status_units(struct status *s, const char *root)
{
	const char *other = setup_kdump_enabled(root);
	char path[PATH_MAX], mend[160];

	if (tree_path(path, root, "/run/systemd/system") || access(path, F_OK))
		return;
	if (other) {
		snprintf(mend, sizeof(mend),
			 "systemctl disable --now %.60s && systemctl restart " OWN, other);
		status_add(s, STATUS_MISSING, "units", mend,
			   "%s is enabled and loads its own capture kernel, of which there can be "
			   "one: which is loaded now is not known",
			   other);
	}
	if (!setup_is_enabled(root, OWN))
		status_add(s, STATUS_NOTE, "units", "systemctl enable " OWN,
			   OWN " is not enabled: nothing is loaded after the next boot");
}
