/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keep.h - removes old dumps when there are more than the configuration keeps.
 * In:     the path's directory may hold anything. A dump is a real directory of our own that nobody
 *         else may write to, whose name is one that naming.h makes, with crashpod's record in it;
 *         it is complete when the dump has its final name, and has only a part, or the log, when it
 *         has not. Other tools' and other users' dumps and everything else are neither counted nor
 *         touched, and no symbolic link is followed. Of a dump the files that PID 1 makes are
 *         removed: others stay, and so does the directory then.
 * Errors: 0 or -errno of the first problem; the rest is removed all the same. */
#ifndef CRASHPOD_KEEP_H
#define CRASHPOD_KEEP_H

#include "err.h"
#include "types.h"

/* What stays. Of complete dumps keep, the new one counted; of others as many besides. These always
 * stay: the new one; with keep 2 or more the first of a series of crashes; and the largest part of
 * a dump. */
struct keep {
	unsigned keep;	    /* 0: all */
	const char *newest; /* the new dump's directory */
	bool complete;	    /* the new dump is */
	const char *first;  /* directory of the first crash of a series; "": there is none */
};

/* removed gets the directory of each dump removed. path stays open. A new dump that is not complete
 * removes no complete one. */
int keep_prune(int path, const struct keep *k, void (*removed)(void *arg, const char *dir),
	       void *arg, struct err *e);

/* For a dump that ran out of room: removes as few of the oldest as have need bytes (0: not known;
 * as many as the largest dump there has), of those only that keep_prune() would remove if the new
 * one were complete, parts of dumps before complete ones; where need is known, any part that is not
 * the first of a series. Where all of these are too small nothing is removed, as nothing would be
 * won. *made: there is room now. */
int keep_make_room(int path, const struct keep *k, u64 need, bool *made,
		   void (*removed)(void *arg, const char *dir), void *arg, struct err *e);

/* Looks for the crash before the newest. Where that was captured within an hour of now (seconds of
 * UTC), both are of a series: first is the directory of its first one, else "". */
void keep_series(int path, const char *newest, u64 now, char *first, size_t cap);

#endif
