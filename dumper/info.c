/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "info.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/guard.h"
#include "dmesg.h"
#include "kdump_page.h"
#include "source_kdump.h"

#define INFO_LOG_MAX ((size_t)256 << 10) /* the reason of a death is near the log's end */
#define INFO_PAGES 4096			 /* pages counted at once */
#define INFO_DESCS_MAX 65536		 /* descriptors looked at for their compression */

static void info_kernel(struct info *in, const struct core *core)
{
	const struct vmcoreinfo *vi = core->vi;
	struct tm tm;
	time_t t;
	u64 v;

	if (!vi)
		return;
	if (vmcoreinfo_string(vi, "OSRELEASE", in->release, sizeof(in->release)))
		in->release[0] = '\0';
	if (vmcoreinfo_string(vi, "BUILD-ID", in->build_id, sizeof(in->build_id)))
		in->build_id[0] = '\0';
	if (vmcoreinfo_decimal(vi, "CRASHTIME", &v) || v > INT64_MAX)
		return;
	in->crash_time_s = (s64)v;
	t = in->crash_time_s;
	if (!gmtime_r(&t, &tm))
		return;
	in->has_crash_time = strftime(in->crash_time, sizeof(in->crash_time),
				      "%Y-%m-%d %H:%M:%S UTC", &tm) > 0;
}

static void info_panic(struct info *in, const struct core *core)
{
	_cleanup_free_ char *text = NULL;
	struct err e = { 0 };
	size_t len = 0;
	int rc = dmesg_text(core, INFO_LOG_MAX, &text, &len, NULL, &e);

	if (rc)
		snprintf(in->problem, sizeof(in->problem), "%s", e.msg);
	if (!text || dmesg_panic_line(text, len, in->panic, sizeof(in->panic)))
		in->panic[0] = '\0';
}

int info_pages(struct source *s, u64 *ram_pages, u64 *in_file, struct err *e)
{
	u64 ram[INFO_PAGES / 64], have[INFO_PAGES / 64];

	*ram_pages = *in_file = 0;
	for (u64 pfn = 0;; pfn += INFO_PAGES) {
		int rc;

		/* holes are passed over: a small file may say that memory ends at 2^52 */
		pfn = MAX(pfn, source_next_ram(s, pfn) / INFO_PAGES * INFO_PAGES);
		if (pfn >= s->max_pfn)
			return 0;
		memset(ram, 0, sizeof(ram));
		memset(have, 0, sizeof(have));
		rc = source_bits(s, pfn, INFO_PAGES, ram, have, e);
		if (rc)
			return rc;
		for (size_t i = 0; i < ARRAY_SIZE(ram); i++) {
			*ram_pages += __builtin_popcountll(ram[i]);
			*in_file += __builtin_popcountll(have[i]);
		}
	}
}

static void info_add(char *list, size_t cap, const char *name)
{
	size_t len = strlen(list);

	snprintf(list + len, cap - len, "%s%s", len ? ", " : "", name);
}

/* Reads every descriptor: which compressions they name (the header has room for one), and how many
 * pages are really there, which in a file that was cut short is fewer than bitmap 2 says. */
static int info_descs(struct info *in, const struct kdump_file *k, struct err *e)
{
	static const u32 kinds[] = { 0, KDUMP_ZLIB, KDUMP_LZO, KDUMP_SNAPPY, KDUMP_ZSTD };
	struct kdump_page_desc d[64];
	bool seen[ARRAY_SIZE(kinds)] = { false };
	u64 there = 0, none = 0;

	for (u64 at = 0; at < k->npages; at += ARRAY_SIZE(d)) {
		size_t many = MIN(ARRAY_SIZE(d), k->npages - at);
		int rc = kdump_file_descs(k, at, many, d, e);

		if (rc)
			return rc;
		for (size_t i = 0; i < many; i++) {
			there += kdump_file_check(k, &d[i], NULL) == 0;
			none += kdump_file_none(k, at + i, &d[i]);
			for (size_t c = 0; c < ARRAY_SIZE(kinds); c++)
				seen[c] |= d[i].size && d[i].flags == kinds[c];
		}
	}
	for (size_t c = 0; c < ARRAY_SIZE(kinds); c++)
		if (seen[c])
			info_add(in->compression, sizeof(in->compression),
				 kdump_compression_name(kinds[c]));
	in->pages_in_file = there;
	/* a complete file says of the pages that could not be read that they are not there */
	if (!kdump_file_incomplete(k))
		in->unreadable = none;
	in->complete = in->complete && there + none == k->npages;
	if (kdump_file_is_part(k))
		snprintf(in->part, sizeof(in->part), "pfn %#" PRIx64 " to %#" PRIx64, k->first_pfn,
			 k->end_pfn);
	return 0;
}

int info_get(struct info *in, const struct core *core, struct err *e)
{
	const struct kdump_file *k = source_kdump_file(core->src);
	int rc;

	*in = (struct info){
		.complete = k ? !kdump_file_incomplete(k) && !kdump_file_is_part(k)
			      : !core->src->incomplete,
	};
	snprintf(in->format, sizeof(in->format), "%s%s", core->src->ops->name,
		 core->src->flattened ? "-flattened" : "");
	snprintf(in->compression, sizeof(in->compression), "%s", k ? "" : "none");
	rc = info_pages(core->src, &in->pages_ram, &in->pages_in_file, e);
	if (!rc && k)
		rc = info_descs(in, k, e);
	if (rc)
		return rc;
	/* An ELF file has no place for the level: only that nothing is missing can be seen. */
	in->has_level = k || in->pages_in_file == in->pages_ram;
	in->level = core->src->excluded_level;
	info_kernel(in, core);
	info_panic(in, core);
	if (core->why.code && !in->problem[0])
		snprintf(in->problem, sizeof(in->problem), "%s", core->why.msg);
	return 0;
}

void info_json(const struct info *in, struct json *j)
{
	json_object(j, NULL);
	json_string(j, "format", in->format);
	json_string(j, "kernel_release", in->release);
	json_string(j, "build_id", in->build_id);
	if (in->has_crash_time) {
		json_string(j, "crash_time", in->crash_time);
		json_s64(j, "crash_time_s", in->crash_time_s);
	}
	json_string(j, "panic", in->panic);
	if (in->has_level)
		json_u64(j, "level", in->level);
	json_string(j, "compression", in->compression);
	json_object(j, "pages");
	json_u64(j, "ram", in->pages_ram);
	json_u64(j, "in_file", in->pages_in_file);
	json_u64(j, "unreadable", in->unreadable);
	json_object_end(j);
	json_bool(j, "complete", in->complete);
	if (in->part[0])
		json_string(j, "part", in->part);
	if (in->problem[0])
		json_string(j, "problem", in->problem);
	json_object_end(j);
}
