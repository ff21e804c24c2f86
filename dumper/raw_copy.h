/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw_copy.h - the files of one dump on a raw area, copied into a directory.
 * Units:  files 0600, made with O_EXCL, synced.
 * Errors: 0 or -errno. What is damaged in the slot (log, record) is left out or made anew, and told
 *         in said; only what keeps the copy from being made is an error. */
#ifndef CRASHPOD_RAW_COPY_H
#define CRASHPOD_RAW_COPY_H

#include "base/naming.h"
#include "raw_slot.h"

struct raw_copy {
	char *record; /* of the slot, or one that says what is wrong with it */
	size_t record_bytes;
	u64 dump_bytes; /* 0: no dump */
	bool complete;	/* the slot says so */
	bool unsound;	/* but its copy is not */
	char said[300]; /* what else there is to know; may be empty */
};

/* What will be copied, without copying it. */
void raw_copy_open(struct raw_copy *c, const struct raw_area *a, unsigned slot);
void raw_copy_close(struct raw_copy *c);

/* Copies and verifies the dump. One that is not whole, or not sound, has "-incomplete" in its name.
 */
int raw_copy_files(struct raw_copy *c, const struct raw_area *a, unsigned slot, int dir,
		   const struct naming *names, struct err *e);

#endif
