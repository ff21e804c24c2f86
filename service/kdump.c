/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kdump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/guard.h"
#include "loaded.h"
#include "tree.h"

#define KEXEC_CMD "kexec_cmd" /* in KDUMP_COREDIR: the command by which it was loaded */

bool kdump_value(const char *text, const char *name, char *out, size_t cap)
{
	size_t len = strlen(name);

	out[0] = '\0';
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		const char *p = line + strspn(line, " \t");

		if (!strncmp(p, name, len) && p[len] == '=') {
			char quote = p[len + 1] == '"' || p[len + 1] == '\'' ? p[len + 1] : '\0';
			const char *from = p + len + 1 + (quote != 0);
			const char ends[] = { quote ? quote : ' ', quote ? '\n' : '\t', '\n', 0 };

			snprintf(out, cap, "%.*s", (int)MIN(strcspn(from, ends), cap - 1), from);
		}
		line += n + (line[n] == '\n');
	}
	if (strpbrk(out, "$`\\"))
		out[0] = '\0';
	return out[0] != '\0';
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

bool kdump_has_loaded(const char *root)
{
	_cleanup_free_ char *text = NULL;
	char dir[CONF_NAME_MAX], path[PATH_MAX];
	struct stat theirs, ours;
	struct timespec now;

	if (tree_text(root, KDUMP_DEBIAN_FILE, &text) ||
	    !kdump_value(text, "KDUMP_COREDIR", dir, sizeof(dir)))
		snprintf(dir, sizeof(dir), "%s", CONF_PATH);
	if (tree_path(path, root, "%s/" KEXEC_CMD, dir) || stat(path, &theirs) ||
	    tree_path(path, root, LOADED_FILE) || stat(path, &ours))
		return false;
	/* a clock that was wrong at another boot says nothing */
	clock_gettime(CLOCK_REALTIME, &now);
	return is_later(&theirs.st_mtim, &ours.st_mtim) && !is_later(&theirs.st_mtim, &now);
}

bool kdump_is_off(const char *root)
{
	_cleanup_free_ char *text = NULL;
	char value[8];

	return !tree_text(root, KDUMP_DEBIAN_FILE, &text) &&
	       kdump_value(text, "USE_KDUMP", value, sizeof(value)) && !strcmp(value, "0");
}

bool kdump_has_rules(const char *root)
{
	static const char *const dirs[] = { "/usr/lib/udev/rules.d", "/lib/udev/rules.d" };
	char path[PATH_MAX];

	if (tree_path(path, root, KDUMP_RULES_OVER) || !access(path, F_OK))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (!tree_path(path, root, "%s/" KDUMP_RULES, dirs[i]) && !access(path, F_OK))
			return true;
	return false;
}
