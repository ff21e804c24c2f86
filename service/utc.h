/* SPDX-License-Identifier: GPL-2.0-or-later */
/* utc.h - a time for people: "2026-11-25 01:49:21 UTC". */
#ifndef CRASHPOD_UTC_H
#define CRASHPOD_UTC_H

#include <stdio.h>
#include <time.h>

#include "base/types.h"

#define UTC_MAX 40

/* Seconds since 1970; "unknown" for a time that has no year of four digits. */
static inline const char *utc_text(char buf[static UTC_MAX], s64 when)
{
	time_t t = (time_t)when;
	struct tm tm;

	if (when < 0 || !gmtime_r(&t, &tm) || tm.tm_year > 9999 - 1900 ||
	    !strftime(buf, UTC_MAX, "%Y-%m-%d %H:%M:%S UTC", &tm))
		snprintf(buf, UTC_MAX, "unknown");
	return buf;
}

#endif
