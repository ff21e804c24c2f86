/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify_int.h - between verify.c and the judges of the formats. */
#ifndef CRASHPOD_VERIFY_INT_H
#define CRASHPOD_VERIFY_INT_H

#include "kdump_file.h"
#include "source.h"
#include "verify.h"

struct verify {
	struct verify_result *r;
	struct verify_ask ask;
};

/* Counts a problem, and tells it while there is room. */
void verify_problem(struct verify *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Nothing further can be judged, which is no fault of the file. */
void verify_unended(struct verify *v, int why);

/* False: to stop. */
bool verify_pulse(struct verify *v, u64 done, u64 total);

/* A stream that ends early is a problem unless the dump in it is marked incomplete. */
void verify_cut(struct verify *v, const struct fileview *view, bool marked);

/* Walks the notes, or compares them. */
void verify_notes(struct verify *v, const u8 *notes, size_t len);

void verify_kdump(struct verify *v, const struct kdump_file *k);
void verify_elf(struct verify *v, struct source *s);

#endif
