/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info.h - what a vmcore or dump says of itself and of the kernel that died.
 * Units:  pages of 4 KiB; crash_time_s: seconds since 1970, UTC.
 * Errors: info_get() fails only where the bitmaps cannot be read. What is not known is empty, or 0
 *         with its has_ flag false; problem says why.
 * Source: vmcoreinfo's OSRELEASE, BUILD-ID and CRASHTIME; the log; the kdump headers. */
#ifndef CRASHPOD_INFO_H
#define CRASHPOD_INFO_H

#include "base/json.h"
#include "core.h"

struct info {
	char format[24]; /* as dump_stats.format */
	char release[65];
	char build_id[65]; /* hex */
	bool has_crash_time, has_level;
	s64 crash_time_s;
	char crash_time[32]; /* "2026-01-31 23:59:59 UTC" */
	char panic[256];
	unsigned level;
	char compression[64]; /* "zstd", or "none, zlib" where pages are stored in several ways */
	u64 pages_ram, pages_in_file;
	u64 unreadable; /* pages of a complete kdump file that could not be read when it was made */
	char part[64];	/* which pages, for one part of a split dump */
	bool complete;
	char problem[512];
};

int info_get(struct info *in, const struct core *core, struct err *e);

/* Counts the pages of RAM, and those of them that the source says it holds. */
int info_pages(struct source *s, u64 *ram_pages, u64 *in_file, struct err *e);

/* The whole as one JSON object. */
void info_json(const struct info *in, struct json *j);

#endif
