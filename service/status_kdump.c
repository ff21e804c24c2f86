/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_kdump.c - the distribution's kdump, which may put its own capture kernel in the place of
 * the one that is loaded. */
#include <stdio.h>

#include "kdump.h"
#include "setup.h"
#include "status.h"

/* What is loaded is not known to be crashpod's: whose it is, as far as it can be told. */
void status_not_ours(struct status *s, const char *root)
{
	const char *unit = setup_kdump_enabled(root);

	if (unit)
		status_add(s, STATUS_MISSING, "loaded", "crashpod setup --from-kdump",
			   "the capture kernel that is loaded is not crashpod's: %s is enabled, "
			   "and loads its own",
			   unit);
	else
		status_add(s, STATUS_NOTE, "loaded", "crashpod load",
			   "a capture kernel is loaded, but not by crashpod load: what it will "
			   "do is not known");
}

void status_kdump(struct status *s, const char *root)
{
	const char *unit = setup_kdump_enabled(root);
	char mend[160];

	if (!s->loaded.kernel[0])
		return;
	if (unit) {
		snprintf(mend, sizeof(mend),
			 "systemctl disable --now %.60s && systemctl restart crashpod.service",
			 unit);
		status_add(s, STATUS_MISSING, "kdump", mend,
			   "%s is enabled as well and loads its own capture kernel, of which there "
			   "can be one: which is loaded at the next boot is not known",
			   unit);
	}
	if (kdump_has_rules(root))
		status_add(s, STATUS_NOTE, "kdump", "crashpod setup",
			   "kdump-tools' udev rules load its own capture kernel when memory or "
			   "CPUs come and go");
}
