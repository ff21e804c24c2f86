/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prog.h - programs of the production system.
 * In:     root: "" or another root directory, as in tree.h; below another root only programs that
 *         lie in it are run, so that nothing outside of it is changed.
 * Errors: 0 or -errno; -ENOENT: no such program. */
#ifndef CRASHPOD_PROG_H
#define CRASHPOD_PROG_H

#include <limits.h>

#include "base/err.h"
#include "base/types.h"

/* The first in PATH (then in /usr/sbin and /sbin, which a user's PATH may lack). */
int prog_find(char path[static PATH_MAX], const char *root, const char *name);
bool prog_has(const char *root, const char *name);

/* Runs argv[0], found that way, and waits; -EIO: it failed, the message has its exit status. */
int prog_run(const char *root, const char *const argv[], struct err *e);

/* mkinitrd's path: as installed beside this program, or of the tree in which it was built. */
int prog_mkinitrd(char path[static PATH_MAX], const char *root);

#endif
