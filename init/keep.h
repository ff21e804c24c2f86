/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keep.h - removes old dumps when there are more than the configuration keeps.
 * In:     the path's directory may hold anything. A dump is a real directory whose name is one that
 *         naming.h makes, with crashpod's record in it; it is complete when the dump has its final
 *         name. Incomplete ones, other tools' dumps and everything else are neither counted nor
 *         touched, and no symbolic link is followed.
 * Errors: 0 or -errno of the first problem; the rest is removed all the same. */
#ifndef CRASHPOD_INIT_KEEP_H
#define CRASHPOD_INIT_KEEP_H

#include "../dumper/base/err.h"
#include "../dumper/base/types.h"

/* newest is the directory of the dump just written: it counts, and always stays. removed gets a
 * line for each dump removed. path stays open. */
int keep_prune(int path, unsigned keep, const char *newest,
	       void (*removed)(void *arg, const char *line), void *arg, struct err *e);

#endif
