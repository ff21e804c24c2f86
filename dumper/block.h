/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block.h - classifies a block: an aligned run of pages as long as the largest buddy order, so that
 * no free area and no run of tails reaches in from a neighbour without saying where its head is.
 * The same block gives the same classes every time: the second pass asks again.
 * Threads: one block_view a thread. */
#ifndef CRASHPOD_BLOCK_H
#define CRASHPOD_BLOCK_H

#include "classify.h"
#include "memmap.h"
#include "value.h"

#define BLOCK_GROUP ((size_t)64) /* pages whose descriptors fill a page of the memory map */

struct block_view {
	const struct core *core;
	const struct memmap *mm;   /* NULL: the kernel is not understood, all RAM is PC_NO_MEMMAP */
	const struct value *value; /* NULL: nothing is known to be wanted first */
	struct memmap_view mv;
	size_t image_first, image_end; /* of the source's mappings, those of the kernel's text */
	u64 head_va;		       /* head in another block that was looked up last; 0: none */
	enum page_class head_class;
	u64 *missing; /* scratch of memmap_block() */
	size_t pages; /* of a block */
};

int block_view_open(struct block_view *bv, const struct core *core, const struct memmap *mm,
		    const struct value *value, size_t block_pages, struct err *e);
void block_view_close(struct block_view *bv);

/* Classes of the block that begins at pfn (a multiple of bv->pages), one byte a page, into cls.
 * ram: bv->pages bits; pages outside are PC_HOLE. */
void block_classify(struct block_view *bv, u64 pfn, const u64 *ram, u8 *cls);

/* For -e: which groups of a block's pages have any that level does not leave out; one bit a group,
 * bit 0 of byte 0 first. pages: of the block, a multiple of 8 groups. */
void block_kept_groups(const u8 *cls, size_t pages, unsigned level, u8 *kept);

/* For -e: clears from keep those memory-map pages of the block that describe only pages of groups
 * which are not in kept, bits for all blocks, of so many pages together. Returns how many. */
size_t block_drop_vmemmap(const struct block_view *bv, u64 pfn, const u8 *cls, const u8 *kept,
			  u64 pages, u64 *keep);

#endif
