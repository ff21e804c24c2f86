/* SPDX-License-Identifier: GPL-2.0-or-later */
/* estimate_dump.c - size and time of a dump, from the counts and the sample. */
#include <string.h>

#include "estimate.h"
#include "kdump_fmt.h"

#define CLASSIFY_NS 10.0 /* a page, in one of the two passes */
#define HEADER_BYTES ((u64)64 << 10)
#define BITMAP_BYTES_A_PAGE 0.25 /* two bits */

/* What the pages of a class take: bytes and, of the CPU, nanoseconds. */
struct cost {
	double bytes, ns;
};

static struct cost class_cost(const struct estimate_pages *p, const struct estimate_sample *s,
			      enum page_class pc)
{
	const struct estimate_ratio *r = &s->class[pc];
	double n = (double)p->class[pc], map;
	double stored = 1 - r->zero;
	struct cost c = { n * r->bytes, n * r->compress_ns };

	/* of those that are not zeros */
	if (stored > s->repeated[pc])
		c.bytes *= 1 - s->repeated[pc] / stored;
	if (pc != ESTIMATE_EARLY || !s->map.pages || !r->pages)
		return c;
	/* most of them hold the memory map, which templates store better than the sample says */
	map = s->map_pages < p->class[pc] ? (double)s->map_pages : n;
	c.bytes += map * (s->map.bytes - s->map_plain);
	if (c.bytes < map * s->map.bytes)
		c.bytes = map * s->map.bytes;
	c.ns = map * s->map.compress_ns + (n - map) * r->compress_ns;
	return c;
}

void estimate_dump(struct estimate_dump *d, const struct estimate_pages *p,
		   const struct estimate_sample *s, const struct conf *conf, unsigned level,
		   unsigned threads, unsigned disk_mb_s)
{
	bool elf = conf->format == CONF_FORMAT_ELF;
	double bytes = 0, ns = 2 * CLASSIFY_NS * (double)p->ram, pages = 0;

	for (unsigned pc = 0; pc < PC_COUNT; pc++) {
		double n = (double)p->class[pc], zero = n * s->class[pc].zero;
		struct cost c;

		if (!page_class_dumped(pc, level))
			continue;
		c = class_cost(p, s, pc);
		bytes += c.bytes;
		ns += c.ns;
		/* zero pages: descriptors of one that is stored; none, or holes, of an ELF file */
		pages += elf && (level & LEVEL_ZERO) ? n - zero : n;
		if (elf && !(level & LEVEL_ZERO))
			bytes += zero * 4096;
	}
	if (!elf)
		bytes += pages * sizeof(struct kdump_page_desc) +
			 (double)p->ram * BITMAP_BYTES_A_PAGE;
	d->pages = (u64)pages;
	d->bytes = (u64)bytes + HEADER_BYTES;
	d->seconds = ns / 1e9 / threads + (double)d->bytes / 1e6 / disk_mb_s;
}
