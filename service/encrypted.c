/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "encrypted.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "tree.h"

#define DEPTH_MAX 8

/* dir: a block device's in sysfs, root included. */
static bool is_crypt(char name[static 64], const char *dir)
{
	char uuid[16];

	if (tree_line(dir, "/dm/uuid", uuid, sizeof(uuid)) || strncmp(uuid, "CRYPT-", 6))
		return false;
	if (tree_line(dir, "/dm/name", name, 64))
		snprintf(name, 64, "?");
	return true;
}

static bool look(char name[static 64], const char *dir, unsigned depth)
{
	char path[PATH_MAX];
	struct dirent *d;
	bool found = is_crypt(name, dir);
	DIR *slaves = NULL;

	if (!found && depth < DEPTH_MAX && !tree_path(path, dir, "/slaves"))
		slaves = opendir(path);
	/* of a partition those of its disk count, which may be an array */
	if (!found && depth < DEPTH_MAX && !slaves && !tree_path(path, dir, "/../slaves"))
		slaves = opendir(path);
	while (slaves && !found && (d = readdir(slaves))) {
		char slave[PATH_MAX];

		found = d->d_name[0] != '.' && !tree_path(slave, path, "/%s", d->d_name) &&
			look(name, slave, depth + 1);
	}
	if (slaves)
		closedir(slaves);
	return found;
}

/* btrfs has a number of its own for what is mounted: its device is found by name. */
bool encrypted_below(char name[static 64], const char *root, const struct mounts_holder *h)
{
	_cleanup_free_ char *real = NULL, *sys = NULL;
	char path[PATH_MAX];

	if (!strncmp(h->number, "0:", 2)) {
		if (tree_path(path, root, "%s", h->source))
			return false;
		real = realpath(path, NULL);
		if (!real || tree_path(path, root, "/sys/class/block/%s", strrchr(real, '/') + 1))
			return false;
	} else if (tree_path(path, root, "/sys/dev/block/%s", h->number)) {
		return false;
	}
	sys = realpath(path, NULL);
	return sys && look(name, sys, 0);
}
