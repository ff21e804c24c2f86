/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "progress.h"

#include <stdio.h>

unsigned progress_line(char *buf, size_t cap, const struct progress_view *v)
{
	const char *phase = dump_phase_name(v->phase);
	double part = v->total ? (double)MIN(v->done, v->total) / (double)v->total : 0;
	double s = (double)v->phase_ms / 1000;
	unsigned percent = (unsigned)(part * 100);
	int n;

	if (v->phase != DUMP_PHASE_CLASSIFY && v->phase != DUMP_PHASE_WRITE &&
	    v->phase != DUMP_PHASE_VERIFY) {
		snprintf(buf, cap, "%s", phase);
		return 0;
	}
	n = snprintf(buf, cap, "%s %u%%", phase, percent);
	if (v->phase == DUMP_PHASE_WRITE && n > 0 && (size_t)n < cap && s > 0)
		n += snprintf(buf + n, cap - (size_t)n, ", %.0f MB/s", (double)v->bytes / 1e6 / s);
	if (part > 0 && s >= 1 && n > 0 && (size_t)n < cap)
		snprintf(buf + n, cap - (size_t)n, ", %.0f s left", s * (1 - part) / part);
	return percent;
}
