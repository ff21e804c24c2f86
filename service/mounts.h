/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounts.h - where a file system is mounted on the production system, and with it the dumps.
 * In:     root: "" or another root directory, as in tree.h.
 * Errors: 0 or -errno; -ENOENT: not mounted.
 * Source: proc(5), /proc/PID/mountinfo. */
#ifndef CRASHPOD_MOUNTS_H
#define CRASHPOD_MOUNTS_H

#include <limits.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/types.h"

struct mounts_point {
	char path[PATH_MAX]; /* root included */
	bool whole;	     /* of the file system; false: of a directory or subvolume of it */
	bool read_only;	     /* the file system itself, as after an error in it */
	bool has;	     /* what was asked for is in what is mounted there */
	size_t part;	     /* bytes of what was asked for that name the mounted part */
	char fstype[32], number[32]; /* number: of the device, MAJOR:MINOR */
};

/* Where the device of this node is mounted: whole, where there is such a mount; else the part of it
 * (a subvolume, a directory) that has path in it, the path from the top of the file system, where
 * there is one. */
int mounts_find(struct mounts_point *p, const char *root, const char *node, const char *path);

/* The file system that holds a directory, which need not be there yet. */
struct mounts_holder {
	char fstype[32], source[PATH_MAX]; /* source: as mounted, /dev/... */
	char number[32];		   /* of the device, MAJOR:MINOR */
	char path[PATH_MAX];		   /* the directory as the file system has it */
};

int mounts_holding(struct mounts_holder *h, const char *root, const char *dir);

/* The directory of the dumps that PID 1 writes on the first target: its mount and the configured
 * path below. Where that is not certain (the target is not mounted, or in a part that has not the
 * path; something else is mounted over it) e says why; its code is 0. */
int mounts_dump_dir(char dir[static PATH_MAX], const char *root, const struct conf *conf,
		    struct err *e);

#endif
