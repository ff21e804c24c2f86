/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "run.h"
#include "tree.h"

#define MORE_DIRS "/usr/sbin:/sbin"
#define ARGS_MAX 16

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

static bool is_below(const char *root, const char *path)
{
	_cleanup_free_ char *top = realpath(root, NULL);
	_cleanup_free_ char *real = realpath(path, NULL);
	size_t n = top ? strlen(top) : 0;

	return top && real && !strncmp(real, top, n) && (real[n] == '/' || n == 1);
}

static bool find_in(char path[static PATH_MAX], const char *root, const char *dirs,
		    const char *name)
{
	while (*dirs) {
		size_t n = strcspn(dirs, ":");
		int len = snprintf(path, PATH_MAX, "%.*s/%s", (int)n, dirs, name);

		/* a relative directory of PATH may be anyone's */
		if (*dirs == '/' && len > 0 && len < PATH_MAX && is_program(path) &&
		    (!root[0] || is_below(root, path)))
			return true;
		dirs += n + (dirs[n] == ':');
	}
	return false;
}

int prog_find(char path[static PATH_MAX], const char *root, const char *name)
{
	const char *dirs = getenv("PATH");

	if (dirs && find_in(path, root, dirs, name))
		return 0;
	return !root[0] && find_in(path, root, MORE_DIRS, name) ? 0 : -ENOENT;
}

bool prog_has(const char *root, const char *name)
{
	char path[PATH_MAX];

	return !prog_find(path, root, name);
}

/* What is run may look for programs of sbin by itself, as update-grub does: after su, PATH may be a
 * user's. */
static void path_extend(void)
{
	const char *dirs = getenv("PATH");
	char *more;

	if (!dirs || !*dirs) {
		setenv("PATH", MORE_DIRS ":/usr/bin:/bin", 1);
	} else if (!strstr(dirs, MORE_DIRS) && asprintf(&more, "%s:" MORE_DIRS, dirs) >= 0) {
		setenv("PATH", more, 1);
		free(more);
	}
}

int prog_run(const char *root, const char *const argv[], struct err *e)
{
	const char *full[ARGS_MAX + 1] = { NULL };
	char path[PATH_MAX];
	int rc = 0;

	if (!root[0])
		path_extend();
	if (argv[0][0] == '/')
		snprintf(path, sizeof(path), "%s", argv[0]);
	else
		rc = prog_find(path, root, argv[0]);
	if (rc)
		return err_set(e, rc, "%s is not installed", argv[0]);
	full[0] = path;
	for (int i = 1; argv[i]; i++) {
		if (i == ARGS_MAX)
			return err_set(e, -E2BIG, "%s: too many arguments", argv[0]);
		full[i] = argv[i];
	}
	return run_wait(full, e);
}

int prog_mkinitrd(char path[static PATH_MAX], const char *root)
{
	static const char *const installed[] = { "/usr/lib/crashpod/mkinitrd",
						 "/usr/local/lib/crashpod/mkinitrd" };
	static const char *const beside[] = { "../lib/crashpod/mkinitrd", "../mkinitrd/mkinitrd" };
	_cleanup_free_ char *self = root[0] ? NULL : realpath("/proc/self/exe", NULL);

	if (self)
		self[strrchr(self, '/') - self] = '\0';
	for (size_t i = 0; self && i < ARRAY_SIZE(beside); i++)
		if (!tree_path(path, self, "/%s", beside[i]) && is_program(path)) {
			/* as people are to read it, without ".." */
			char real[PATH_MAX];

			if (realpath(path, real))
				memcpy(path, real, sizeof(real));
			return 0;
		}
	for (size_t i = 0; i < ARRAY_SIZE(installed); i++)
		if (!tree_path(path, root, "%s", installed[i]) && is_program(path))
			return 0;
	return -ENOENT;
}
