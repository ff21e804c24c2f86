/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress.h - the line that says how far a dump is: pure, so that it can be tested.
 * Units:  bytes, milliseconds. */
#ifndef CRASHPOD_INIT_PROGRESS_H
#define CRASHPOD_INIT_PROGRESS_H

#include "../dumper/dump.h"

struct progress_view {
	u32 phase;	 /* enum dump_phase, hostile */
	u64 total, done; /* pages, of this phase */
	u64 bytes;	 /* written in this phase */
	u64 phase_ms;	 /* since the phase began */
};

/* "writing 42%, 123 MB/s, 10 s left": NUL-terminated; returns the percentage. */
unsigned progress_line(char *buf, size_t cap, const struct progress_view *v);

#endif
