/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw_collect.h - copies the dumps of a raw area into a directory, as if PID 1 had written them
 * there: DIR/STAMP/{dump.STAMP,dmesg.STAMP,crashpod.json}, or as naming rhel has it.
 * Power:  a dump is copied into a directory of another name, synced, verified and renamed; only
 *         then is its slot marked collected. Begun again after a loss of power it ends the same:
 * what is half a copy is made anew, and a copy that only lacks its mark gets it. Errors: 0 or
 * -errno of the first slot that could not be collected; the others are, all the same. A complete
 * dump whose copy is not sound keeps its slot: -EBADMSG. */
#ifndef CRASHPOD_RAW_COLLECT_H
#define CRASHPOD_RAW_COLLECT_H

#include "raw_slot.h"

struct raw_collect_to {
	/* a line for each dump, and for what is wrong with it */
	void (*say)(void *arg, const char *line);
	/* may be NULL; a dump is in this directory of dir now, and its slot is free */
	void (*took)(void *arg, const char *name, bool complete);
	void *arg; /* of both */
};

/* The older dump comes first. */
int raw_collect(struct raw_area *a, const char *dir, const struct raw_collect_to *to,
		struct err *e);

#endif
