/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "encrypted.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/guard.h"
#include "tree.h"

#define DEPTH_MAX 8

/* dir: a block device's in sysfs, root included. */
static void take(struct encrypted_list *l, const char *dir)
{
	struct encrypted c;

	if (tree_line(dir, "/dm/uuid", c.uuid, sizeof(c.uuid)) || strncmp(c.uuid, "CRYPT-", 6) != 0)
		return;
	if (tree_line(dir, "/dm/name", c.name, sizeof(c.name)))
		snprintf(c.name, sizeof(c.name), "?");
	for (unsigned i = 0; i < l->n; i++)
		if (strcmp(l->found[i].uuid, c.uuid) == 0)
			return;
	if (l->n < ENCRYPTED_MAX)
		l->found[l->n++] = c;
}

static void look(struct encrypted_list *l, const char *dir, unsigned depth)
{
	char path[PATH_MAX];
	struct dirent *d;
	DIR *slaves = NULL;

	take(l, dir);
	if (depth < DEPTH_MAX && !tree_path(path, dir, "/slaves"))
		slaves = opendir(path);
	/* of a partition those of its disk count, which may be an array */
	if (depth < DEPTH_MAX && !slaves && !tree_path(path, dir, "/../slaves"))
		slaves = opendir(path);
	while (slaves && (d = readdir(slaves))) {
		char slave[PATH_MAX];

		if (d->d_name[0] != '.' && !tree_path(slave, path, "/%s", d->d_name))
			look(l, slave, depth + 1);
	}
	if (slaves)
		closedir(slaves);
}

static void look_at(struct encrypted_list *l, const char *path)
{
	_cleanup_free_ char *sys = realpath(path, NULL);

	if (sys)
		look(l, sys, 0);
}

/* A node that is none of the real root has no number: it is found by its name. */
void encrypted_below_node(struct encrypted_list *l, const char *root, const char *node)
{
	_cleanup_free_ char *real = realpath(node, NULL);
	char path[PATH_MAX];
	struct stat st;
	int rc;

	l->n = 0;
	if (!real || stat(real, &st))
		return;
	rc = S_ISBLK(st.st_mode)
		     ? tree_path(path, root, "/sys/dev/block/%u:%u", major(st.st_rdev),
				 minor(st.st_rdev))
		     : tree_path(path, root, "/sys/class/block/%s", strrchr(real, '/') + 1);
	if (!rc)
		look_at(l, path);
}

/* btrfs has a number of its own for what is mounted: its device is found by name. */
void encrypted_below(struct encrypted_list *l, const char *root, const struct mounts_holder *h)
{
	char path[PATH_MAX];

	l->n = 0;
	if (!strncmp(h->number, "0:", 2)) {
		if (!tree_path(path, root, "%s", h->source))
			encrypted_below_node(l, root, path);
	} else if (!tree_path(path, root, "/sys/dev/block/%s", h->number)) {
		look_at(l, path);
	}
}
