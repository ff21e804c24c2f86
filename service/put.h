/* SPDX-License-Identifier: GPL-2.0-or-later */
/* put.h - writes and removes small files of the production system: whole, synced, or not at all.
 * In:     full paths. A symbolic link at the end is followed to the file it names.
 * Errors: 0 or -errno with the path in the message; what was there stays then. */
#ifndef CRASHPOD_PUT_H
#define CRASHPOD_PUT_H

#include "base/err.h"
#include "base/types.h"

/* Directories above that are missing are made, mode 0755. An existing file keeps its owner and
 * mode; mode is that of a new one. */
int put_file(const char *path, const void *text, size_t len, mode_t mode, struct err *e);

/* For output at a path that anyone may have prepared (/tmp): a new file of the caller's, with this
 * mode, takes the place of a regular file, of which neither owner nor mode is kept. -EINVAL: there
 * is something else, as a symbolic link. */
int put_output(const char *path, const void *text, size_t len, mode_t mode, struct err *e);

/* The directories above a path, mode 0755. */
int put_parents(const char *path, struct err *e);

/* 0 also where there is none. */
int put_remove(const char *path, struct err *e);

#endif
