/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "held.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/resolve.h"
#include "mounts.h"
#include "tree.h"

static bool is_ext(const char *fstype)
{
	return !strncmp(fstype, "ext", 3);
}

/* As PID 1 mounts it: it takes one of ext's for another. */
static bool is_same_type(const char *a, const char *b)
{
	return !strcmp(a, b) || (is_ext(a) && is_ext(b));
}

/* The part of the path at which PID 1 stops, which follows no symbolic link; its end, or 0: none,
 * as far as the path is there and of the same file system. */
static size_t path_stops(const struct mounts_point *p, const char *path)
{
	size_t n = p->part;
	struct stat top, st;

	if (lstat(p->path, &top))
		return 0;
	while (path[n]) {
		char at[PATH_MAX];

		n += strspn(path + n, "/");
		n += strcspn(path + n, "/");
		if (tree_path(at, p->path, "/%.*s", (int)(n - p->part), path + p->part) ||
		    lstat(at, &st) || st.st_dev != top.st_dev)
			return 0;
		if (!S_ISDIR(st.st_mode))
			return n;
	}
	return 0;
}

int held_check(const char *root, const struct conf *conf, const struct conf_target *t,
	       const char *node, const char **mend, struct err *e)
{
	struct mounts_point p;
	char type[32] = "";
	size_t n;
	int rc = mounts_find(&p, root, node, conf->path);

	if (!rc)
		snprintf(type, sizeof(type), "%s", p.fstype);
	else if (resolve_fstype(node, type, sizeof(type)))
		type[0] = '\0';
	if (type[0] && !is_same_type(type, t->fstype)) {
		*mend = "correct the line in " CONF_FILE;
		return err_set(e, -EINVAL, "%s %s: it holds %s", t->fstype, t->device, type);
	}
	n = rc || !p.has ? 0 : path_stops(&p, conf->path);
	if (!n)
		return 0;
	*mend = "give `path` in " CONF_FILE " the directory itself";
	return err_set(e, -ENOTDIR, "%s %s: %.*s is no directory, or a link, at which PID 1 stops",
		       t->fstype, t->device, (int)MIN(n, (size_t)200), conf->path);
}
