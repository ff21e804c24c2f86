/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keep.h - removes old dumps when there are more than the configuration keeps.
 * In:     the path's directory may hold anything. A dump is a real directory of our own that nobody
 *         else may write to, whose name is one that naming.h makes, with crashpod's record in it;
 *         it is complete when the dump has its final name. Incomplete ones, other tools' and other
 *         users' dumps and everything else are neither counted nor touched, and no symbolic link is
 *         followed. Of a dump the files that PID 1 makes are removed: others stay, and so does the
 *         directory then.
 * Errors: 0 or -errno of the first problem; the rest is removed all the same. */
#ifndef CRASHPOD_INIT_KEEP_H
#define CRASHPOD_INIT_KEEP_H

#include "../dumper/base/err.h"
#include "../dumper/base/types.h"

/* newest is the directory of the dump just written: it counts, and always stays. removed gets
 * the directory of each dump removed. path stays open. */
int keep_prune(int path, unsigned keep, const char *newest,
	       void (*removed)(void *arg, const char *dir), void *arg, struct err *e);

/* For a dump that ran out of room: removes as few of the oldest as have need bytes (0: not known;
 * as many as the largest dump there has), of those only that keep_prune() would remove after it.
 * Where all of these are too small nothing is removed, as nothing would be won. *made: there is
 * room now. keep 0 keeps all. */
int keep_make_room(int path, unsigned keep, const char *newest, u64 need, bool *made,
		   void (*removed)(void *arg, const char *dir), void *arg, struct err *e);

#endif
