/* SPDX-License-Identifier: GPL-2.0-or-later */
/* again.h - a dump child that crashed: the dump is made once more, the careful way. One thread
 * reads /proc/vmcore rather than mapping it, which needs less memory and has no SIGBUS. What the
 * first try has left is put aside meanwhile, and the one of the two that got farther stays.
 * Units:  pages, milliseconds. */
#ifndef CRASHPOD_INIT_AGAIN_H
#define CRASHPOD_INIT_AGAIN_H

#include "child.h"
#include "init.h"

/* How a try ended. */
struct again {
	enum outcome outcome;
	u64 pages, bytes; /* written; 0 before it wrote any */
	char why[200];
};

/* Whether a dump that ended so is worth another try. */
bool again_wanted(const struct init *in, enum child_end end, u64 left_ms);

/* Between the tries: notes what happened, and turns in->careful on. */
void again_begin(struct init *in, struct again *first);

/* For the dump child, with its directory: puts the first try's file aside. -EEXIST: the dump has
 * its final name, it is whole. */
int again_put_aside(const struct init *in, int dir, struct err *e);

/* Whether what the first try has left is worth more. */
bool again_first_stays(const struct again *first, const struct again *second);

/* After the second try: leaves one file, and in's outcome as that of what stays. True: it is the
 * first's. */
bool again_end(struct init *in, const struct again *first);

#endif
