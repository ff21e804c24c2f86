/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib_faultsink.h - a sink that passes everything on to another one until the call that is to fail,
 * or that is to go wrong without a word.
 * Owner:  takes inner, which is closed with it. */
#ifndef CRASHPOD_TESTS_LIB_FAULTSINK_H
#define CRASHPOD_TESTS_LIB_FAULTSINK_H

#include "../sink.h"

struct fault {
	unsigned at;  /* which call fails, from 1; 0: none */
	int code;     /* -ENOSPC, -EIO ... */
	bool forever; /* all calls after it fail as well */
	bool torn;    /* a write that fails has written its first half */

	/* The writes that hold this offset, from number damage_from to damage_to (from 1; 0: none),
	 * have its byte inverted, or are lost. */
	u64 damage;
	unsigned damage_from, damage_to;
	bool lost;
	_Atomic u32 *cancel; /* set to 1 when the file is to be read back; may be NULL */

	unsigned holds;	   /* so far: writes that hold the offset */
	unsigned calls;	   /* so far: writes, zeros, sizes, syncs and the commit */
	const char *where; /* the operation that failed first, or NULL */
};

struct sink *fault_sink_open(struct sink *inner, struct fault *f);

#endif
