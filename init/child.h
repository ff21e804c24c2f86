/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.h - runs a function in a child process and never waits longer than it was told to. What
 * can hang in the kernel (mount, fsync, a driver) or crash (the engine) runs this way, so that it
 * costs its own step only.
 * Errors: told by enum child_end; a child that not even SIGKILL ends is left behind. */
#ifndef CRASHPOD_INIT_CHILD_H
#define CRASHPOD_INIT_CHILD_H

#include <stdatomic.h>

#include "../dumper/base/types.h"

enum child_end {
	CHILD_OK,      /* returned 0 */
	CHILD_ERROR,   /* returned something else */
	CHILD_CRASHED, /* ended by a signal that was not sent by child_run() */
	CHILD_TIMEOUT, /* over its deadline, ended */
	CHILD_STALLED, /* no progress for too long, ended */
	CHILD_STUCK,   /* as the two before, but it could not be ended */
	CHILD_NO_FORK, /* never ran */
};

struct child_watch {
	u64 deadline_ms;	 /* from the start */
	u64 stall_ms;		 /* longest time without a change of beat(); 0: any */
	u64 grace_ms;		 /* between *cancel and SIGKILL */
	_Atomic u32 *cancel;	 /* set to 1 to ask the child to stop; may be NULL */
	u64 (*beat)(void *arg);	 /* changes while the child gets on; may be NULL */
	void (*tick)(void *arg); /* called four times a second by the parent; may be NULL */
	void *arg;
};

/* fn returns the child's exit status. *signal_no, where not NULL, gets the signal of
 * CHILD_CRASHED. */
enum child_end child_run(int (*fn)(void *arg), void *arg, const struct child_watch *w,
			 int *signal_no);

/* A sentence for a message: "crashed", "ran into its deadline" ... */
const char *child_end_text(enum child_end end);

#endif
