/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_boot.c - whether the next boot loads a capture kernel, as this one has. */
#include "setup.h"
#include "status.h"

void status_boot(struct status *s, const char *root)
{
	static const char unit[] = "crashpod.service", script[] = "crashpod";
	bool systemd = setup_has_systemd(root);
	const char *what = systemd ? unit : SETUP_RC_SCRIPT;

	/* a tree that was built and not installed has neither: whoever loads from it knows */
	if (systemd ? !setup_has_unit(root, unit) : !setup_has_rc(root))
		return;
	if (systemd ? setup_is_enabled(root, unit) : setup_rc_is_enabled(root, script))
		status_add(s, STATUS_OK, "boot", NULL, "%s loads it at each boot", what);
	else
		status_add(s, STATUS_NOTE, "boot",
			   systemd ? "systemctl enable crashpod.service" : "crashpod setup",
			   "nothing is loaded at the next boot: %s is not enabled", what);
}
