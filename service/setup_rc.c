/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup_rc.c - scripts of systems without systemd: crashpod's, and kdump's. */
#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "kdump.h"
#include "prog.h"
#include "setup.h"
#include "tree.h"

#define OWN "crashpod"
#define WORDS_MAX 3
#define NAME "" /* in a call: the script's name */

static const char *const kdump_scripts[] = { "kdump-tools", "kdump" };
static const char *const link_dirs[] = { "/etc", "/etc/rc.d" };

/* What has a script run at boot: its program, and the words of its calls. */
struct rc_tool {
	const char *prog;
	const char *add[WORDS_MAX]; /* makes links where there are none */
	const char *on[WORDS_MAX], *off[WORDS_MAX], *forget[WORDS_MAX];
};

static const struct rc_tool tools[] = {
	{ "update-rc.d",
	  { NAME, "defaults" },
	  { NAME, "enable" },
	  { NAME, "disable" },
	  { "-f", NAME, "remove" } },
	{ "chkconfig", { "--add", NAME }, { NAME, "on" }, { NAME, "off" }, { "--del", NAME } },
};

static const struct rc_tool *tool_find(const char *root)
{
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
		if (prog_has(root, tools[i].prog))
			return &tools[i];
	return NULL;
}

static struct change *call(struct setup *s, const struct rc_tool *t,
			   const char *const words[WORDS_MAX], const char *name)
{
	const char *w[WORDS_MAX];

	for (int i = 0; i < WORDS_MAX; i++)
		w[i] = words[i] && !words[i][0] ? name : words[i];
	return changes_run(&s->changes, t->prog, w[0], w[1], w[2], NULL);
}

/* Whether a runlevel's directory has a link of this kind, S or K. */
static bool has_link(const char *root, char level, char kind, const char *name)
{
	char path[PATH_MAX], pattern[80];
	bool found = false;

	snprintf(pattern, sizeof(pattern), "%c[0-9][0-9]%.64s", kind, name);
	for (size_t i = 0; !found && i < ARRAY_SIZE(link_dirs); i++) {
		struct dirent *d;
		DIR *dir = tree_path(path, root, "%s/rc%c.d", link_dirs[i], level) ? NULL
										   : opendir(path);

		while (dir && !found && (d = readdir(dir)))
			found = !fnmatch(pattern, d->d_name, 0);
		if (dir)
			closedir(dir);
	}
	return found;
}

/* The runlevel that the next boot goes to; '\0': not known. */
static char boot_level(const char *root)
{
	_cleanup_free_ char *text = NULL;
	char *at, *line;

	if (tree_text(root, "/etc/inittab", &text))
		return '\0';
	for (at = text; (line = strsep(&at, "\n"));) {
		const char *level = strchr(line, ':');

		if (line[0] != '#' && level && level[1] >= '2' && level[1] <= '5' &&
		    !strncmp(level + 2, ":initdefault:", 13))
			return level[1];
	}
	return '\0';
}

bool setup_rc_is_enabled(const char *root, const char *name)
{
	char level = boot_level(root);
	bool found = level && has_link(root, level, 'S', name);

	for (char c = '2'; !level && !found && c <= '5'; c++)
		found = has_link(root, c, 'S', name);
	return found;
}

/* Off it may be, but known. */
static bool is_registered(const char *root, const char *name)
{
	for (char c = '2'; c <= '5'; c++)
		if (has_link(root, c, 'S', name) || has_link(root, c, 'K', name))
			return true;
	return false;
}

bool setup_has_rc(const char *root)
{
	char path[PATH_MAX];

	return !tree_path(path, root, SETUP_RC_SCRIPT) && !access(path, X_OK);
}

static struct change *script(struct setup *s, const char *name, const char *verb)
{
	char path[PATH_MAX];

	if (tree_path(path, s->root, "/etc/init.d/%s", name) || access(path, X_OK))
		return NULL;
	return changes_run(&s->changes, path, verb, NULL);
}

struct change *setup_rc_start(struct setup *s)
{
	return script(s, OWN, "restart");
}

static void record(struct change *a, enum made_kind made, const char *name, const char *before)
{
	if (!a)
		return;
	a->made = made;
	snprintf(a->what, sizeof(a->what), "%s", name);
	snprintf(a->before, sizeof(a->before), "%s", before);
}

void setup_rc(struct setup *s)
{
	const struct rc_tool *t = tool_find(s->root);
	bool known = is_registered(s->root, OWN);

	if (!setup_has_rc(s->root))
		setup_line(&s->todos, "there is no systemd, and no " SETUP_RC_SCRIPT
				      ": have `crashpod refresh` "
				      "and `crashpod load` called at boot");
	else if (setup_rc_is_enabled(s->root, OWN))
		return;
	else if (!t)
		setup_line(&s->todos, "have " SETUP_RC_SCRIPT " run at boot: there is no %s or %s",
			   tools[0].prog, tools[1].prog);
	else {
		if (!known)
			call(s, t, t->add, OWN);
		record(call(s, t, t->on, OWN), MADE_RC, OWN, known ? "" : SETUP_RC_UNKNOWN);
	}
}

void setup_rc_kdump(struct setup *s)
{
	const struct rc_tool *t = tool_find(s->root);

	for (size_t i = 0; i < ARRAY_SIZE(kdump_scripts); i++) {
		const char *name = kdump_scripts[i];

		if (!setup_rc_is_enabled(s->root, name) ||
		    (!s->from_kdump && kdump_is_off(s->root)))
			continue;
		if (!s->from_kdump || !t) {
			setup_line(
				&s->problems,
				"/etc/init.d/%s is run at boot, and would load its own capture "
				"kernel: crashpod setup --from-kdump takes its place, or disable "
				"it",
				name);
			continue;
		}
		record(call(s, t, t->off, name), MADE_RC_OFF, name, "");
		script(s, name, "stop");
	}
}

void setup_rc_undo(struct setup *s, enum made_kind kind, const char *name, bool unknown_before)
{
	const struct rc_tool *t = tool_find(s->root);
	bool on = setup_rc_is_enabled(s->root, name);

	if (on == (kind == MADE_RC_OFF))
		return;
	if (!t) {
		setup_line(&s->todos,
			   "/etc/init.d/%s is %s run at boot: there is no %s to change it", name,
			   on ? "still" : "not", tools[0].prog);
		return;
	}
	if (kind == MADE_RC_OFF) {
		call(s, t, t->on, name);
		return;
	}
	script(s, name, "stop");
	call(s, t, unknown_before ? t->forget : t->off, name);
}
