/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loadlock.h - loads and unloads come one after the other: the kernel refuses a second one, and the
 * record is to be of the last.
 * Units:  nanoseconds since the boot. */
#ifndef CRASHPOD_LOADLOCK_H
#define CRASHPOD_LOADLOCK_H

#include "base/types.h"

u64 loadlock_now(void);

/* Waits for its turn: a descriptor to close when all is done. -1 where there can be no lock, which
 * is no reason not to load. */
int loadlock_take(void);

/* Whether what is loaded was begun after that time, so that it knows what was true then: many who
 * wait for the same need one load. */
bool loadlock_is_done(const char *root, u64 since);

#endif
