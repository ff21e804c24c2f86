/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.h - milliseconds of a clock that nobody sets. */
#ifndef CRASHPOD_CLOCK_H
#define CRASHPOD_CLOCK_H

#include <time.h>

#include "types.h"

static inline u64 clock_ms(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

static inline void clock_sleep_ms(unsigned ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

#endif
