/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memmap.h - finds the memory map: the struct page of every page, by section (SPARSEMEM, with or
 * without EXTREME and VMEMMAP).
 * In:      the section tables are hostile: every address read from them is translated and checked.
 * Owner:   memmap_init() allocates, memmap_deinit() frees.
 * Threads: immutable after init; a thread reads through a memmap_view of its own.
 * Source:  include/linux/mmzone.h (struct mem_section, SECTION_*) */
#ifndef CRASHPOD_MEMMAP_H
#define CRASHPOD_MEMMAP_H

#include "core.h"
#include "ranges.h"

struct memmap {
	const struct core *core;
	u64 nsections;
	/* The struct pages by what they describe: pa = first pfn * SIZE(page), off = va. Sections
	 * that continue each other, with VMEMMAP nearly always all, are one range. */
	struct ranges sections;
	/* where the memory map lies in memory; off = pfn described * SIZE(page) */
	struct ranges phys;
	bool phys_complete; /* false: too scattered, phys holds only a part */
};

/* max_pfn: one past the last page of RAM. -ENOENT: no section table that makes sense. */
int memmap_init(struct memmap *m, const struct core *core, u64 max_pfn, struct err *e);
void memmap_deinit(struct memmap *m);

struct memmap_view {
	const struct memmap *map;
	struct kmem km;	   /* page tables, and heads in other blocks */
	struct window win; /* struct pages */
	u8 *buf;	   /* a block's struct pages, where they do not come in one piece */
	size_t block_pages;
};

int memmap_view_open(struct memmap_view *v, const struct memmap *m, size_t block_pages,
		     struct err *e);
void memmap_view_close(struct memmap_view *v);

/* va of the struct page of pfn, or 0 when no section describes it. */
u64 memmap_page_va(const struct memmap *m, u64 pfn);

/* va of the memory map's bytes at physical address pa, or 0: none are there; *contig: how many more
 * follow in one piece. */
u64 memmap_pa_va(const struct memmap *m, u64 pa, u64 *contig);

/* The page at or before pfn, and at most 1 GiB before it, whose struct page is at va; ~0: none. */
u64 memmap_va_pfn(const struct memmap *m, u64 va, u64 pfn);

/* Points *map at the struct pages of the n pages (at most block_pages, within one section) from
 * pfn; valid until the next call. Bits of missing (n bits, comes in zeroed) say which struct pages
 * could not be read; their bytes are zero. */
void memmap_block(struct memmap_view *v, u64 pfn, size_t n, const u8 **map, u64 *missing);

#endif
