/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup_units.c - systemd's units of crashpod, and those of kdump. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdump.h"
#include "setup.h"
#include "tree.h"

#define DEBIAN_UNIT "kdump-tools.service"

static const char *const own_units[] = { "crashpod.service", "crashpod-collect.service" };
static const char *const kdump_units[] = { DEBIAN_UNIT, "kdump.service" };
static const char *const unit_dirs[] = { "/etc/systemd/system", "/usr/local/lib/systemd/system",
					 "/usr/lib/systemd/system", "/lib/systemd/system" };

bool setup_has_systemd(const char *root)
{
	char path[PATH_MAX];

	return !tree_path(path, root, "/run/systemd/system") && !access(path, F_OK);
}

bool setup_has_unit(const char *root, const char *unit)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(unit_dirs); i++)
		if (!tree_path(path, root, "%s/%s", unit_dirs[i], unit) && !access(path, R_OK))
			return true;
	return false;
}

bool setup_is_enabled(const char *root, const char *unit)
{
	static const char *const wanted[] = { "multi-user.target.wants", "sysinit.target.wants",
					      "basic.target.wants" };
	char path[PATH_MAX], to[8];

	/* the link may name a path that is another one below this root */
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!tree_path(path, root, "/etc/systemd/system/%s/%s", wanted[i], unit) &&
		    readlink(path, to, sizeof(to)) > 0)
			return true;
	return false;
}

/* Whether a unit of kdump's is enabled, and loads what it should. */
static bool does_load(const char *root, const char *unit)
{
	return setup_is_enabled(root, unit) && (strcmp(unit, DEBIAN_UNIT) || !kdump_is_off(root));
}

const char *setup_kdump_enabled(const char *root)
{
	for (size_t i = 0; i < ARRAY_SIZE(kdump_units); i++)
		if (does_load(root, kdump_units[i]))
			return kdump_units[i];
	return NULL;
}

static void unit_switch(struct setup *s, const char *verb, const char *unit, enum made_kind made)
{
	struct change *a = changes_run(&s->changes, "systemctl", verb, unit, NULL);

	if (!a)
		return;
	a->made = made;
	snprintf(a->what, sizeof(a->what), "%s", unit);
}

void setup_units(struct setup *s)
{
	changes_step(&s->changes, "services");
	if (!s->systemd) {
		setup_rc(s);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(own_units); i++) {
		if (setup_is_enabled(s->root, own_units[i]))
			continue;
		if (!setup_has_unit(s->root, own_units[i]))
			setup_line(&s->problems, "there is no unit %s: install crashpod first",
				   own_units[i]);
		else
			unit_switch(s, "enable", own_units[i], MADE_UNIT);
	}
}

void setup_kdump_services(struct setup *s)
{
	changes_step(&s->changes, "kdump's service");
	if (!s->systemd)
		setup_rc_kdump(s);
	for (size_t i = 0; s->systemd && i < ARRAY_SIZE(kdump_units); i++) {
		if (!setup_is_enabled(s->root, kdump_units[i]) ||
		    (!s->from_kdump && !does_load(s->root, kdump_units[i])))
			continue;
		if (!s->from_kdump) {
			setup_line(&s->problems,
				   "%s is enabled, and would load its own capture kernel: crashpod "
				   "setup --from-kdump takes its place, or disable it",
				   kdump_units[i]);
			continue;
		}
		unit_switch(s, "disable", kdump_units[i], MADE_DISABLED);
		/* too little is reserved for ours: what is loaded is better than nothing */
		s->waits = s->reboot && s->reserved > 0;
		if (s->waits)
			setup_line(&s->notes, "what %s has loaded stays until the reboot",
				   kdump_units[i]);
		else
			changes_run(&s->changes, "systemctl", "stop", kdump_units[i], NULL);
	}
}
