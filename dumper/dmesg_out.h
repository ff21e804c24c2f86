/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmesg_out.h - how a log record becomes lines of text; shared by dmesg.c and dmesg_old.c only.
 * Shape:  "[    1.234567] text"; the further lines of a record are indented by the width of its
 *         time stamp. Other bytes than printable ASCII, tab and newline become \xNN.
 * Errors: sticky: once the sink fails nothing more is given to it; dmesg_out_flush() tells. */
#ifndef CRASHPOD_DMESG_OUT_H
#define CRASHPOD_DMESG_OUT_H

#include "dmesg.h"

#define DMESG_NO_CALLER UINT64_MAX
#define DMESG_FAILURES_MAX 4096 /* records that cannot be read before a walk gives up */

struct dmesg_out {
	dmesg_sink_fn sink;
	void *arg;
	int rc;
	unsigned indent;
	size_t len;
	char buf[1024];
};

/* What a walk over the records needs; on the heap, for kmem is large. */
struct dmesg_walk {
	struct kmem km;
	const struct vmcoreinfo *vi;
	struct dmesg_out out;
	unsigned failures;
	struct err first; /* the first record's failure; code 0: none */
	u8 piece[1024];
};

void dmesg_out_begin(struct dmesg_out *o, u64 ts_nsec, u64 caller);
void dmesg_out_text(struct dmesg_out *o, const u8 *text, size_t len);
void dmesg_out_end(struct dmesg_out *o);
int dmesg_out_flush(struct dmesg_out *o);

/* Writes len bytes of record text from va on; what cannot be read is counted as a failure. */
void dmesg_walk_text(struct dmesg_walk *w, u64 va, size_t len);

/* Reads for one record: a failure is remembered in w->first and counted. */
int dmesg_walk_read(struct dmesg_walk *w, u64 va, void *buf, size_t len);

/* 0 to go on, or why the walk is over: the sink's error, or too many failures. */
int dmesg_walk_over(const struct dmesg_walk *w);

int dmesg_walk_old(struct dmesg_walk *w, struct err *e); /* dmesg_old.c */

#endif
