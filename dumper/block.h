/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block.h - classifies a block: an aligned run of pages as long as the largest buddy order, so that
 * no free area and no run of tails reaches in from a neighbour without saying where its head is.
 * The same block gives the same classes every time: the second pass asks again.
 * Threads: one block_view a thread. */
#ifndef CRASHPOD_BLOCK_H
#define CRASHPOD_BLOCK_H

#include "classify.h"
#include "memmap.h"

struct block_view {
	const struct core *core;
	const struct memmap *mm; /* NULL: the kernel is not understood, all RAM is PC_NO_MEMMAP */
	struct memmap_view mv;
	u64 head_va; /* head in another block that was looked up last; 0: none */
	enum page_class head_class;
	u64 *missing;  /* scratch of memmap_block() */
	u8 *described; /* scratch of -e: classes of a block that memory map describes */
	size_t pages;  /* of a block */
};

int block_view_open(struct block_view *bv, const struct core *core, const struct memmap *mm,
		    size_t block_pages, struct err *e);
void block_view_close(struct block_view *bv);

/* Classes of the block that begins at pfn (a multiple of bv->pages), one byte a page, into cls.
 * ram: bv->pages bits; pages outside are PC_HOLE. */
void block_classify(struct block_view *bv, u64 pfn, const u64 *ram, u8 *cls);

/* For -e: clears from keep those memory-map pages of the block that describe only pages which
 * level leaves out. Returns how many. */
size_t block_drop_vmemmap(struct block_view *bv, u64 pfn, const u8 *cls, unsigned level, u64 *keep,
			  struct err *e);

#endif
