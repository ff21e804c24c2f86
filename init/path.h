/* SPDX-License-Identifier: GPL-2.0-or-later */
/* path.h - directories and files on the target, made without following a symbolic link of its.
 * Units:  directories 0700, files 0600.
 * Errors: 0 or -errno, the message names the part at fault. -ELOOP: a symbolic link in the way.
 * Owner:  *out is the caller's to close. */
#ifndef CRASHPOD_INIT_PATH_H
#define CRASHPOD_INIT_PATH_H

#include "../dumper/base/err.h"
#include "../dumper/base/types.h"

/* Opens path (its parts are taken below root, "/" is root itself); with make, parts that are not
 * there are made and fsynced. */
int path_open_dir(int root, const char *path, bool make, int *out, struct err *e);

/* Makes and opens one new directory: -EEXIST where there is something of that name. */
int path_new_dir(int parent, const char *name, int *out, struct err *e);

/* That the directory is ours, and that no one else may look into it: -EPERM, and *dir is closed. */
int path_check_private(int *dir, const char *name, struct err *e);

/* Writes a whole file: NAME-incomplete first, fsynced, renamed to NAME, directory fsynced. A file
 * that was there is replaced only where replace is set (written over, where nothing new can be
 * made); -EEXIST else. */
int path_write_file(int dir, const char *name, const void *buf, size_t len, bool replace,
		    struct err *e);

/* Sets room aside for a file that path_write_file() is to replace: under its -incomplete name,
 * which that takes away first. */
int path_reserve(int dir, const char *name, u64 bytes, struct err *e);

#endif
