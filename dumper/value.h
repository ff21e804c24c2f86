/* SPDX-License-Identifier: GPL-2.0-or-later */
/* value.h - which of the kernel's pages a debugger asks for first, so that a dump that is cut short
 * has them: page tables, stacks, per-CPU areas, task structures and what belongs to them, the
 * functions on the stacks. No type of the kernel is known here: it is found by following pointers.
 * In:      the dead kernel's page tables, stacks and data are hostile. Whatever they say, it moves
 *          pages from one round of pass 2 to another and never changes what is in a whole dump;
 *          the work is bounded by counts of pages read, the memory by struct value.
 * Owner:   value_open() allocates, value_close() frees.
 * Threads: immutable once open. */
#ifndef CRASHPOD_VALUE_H
#define CRASHPOD_VALUE_H

#include <string.h>

#include "base/bits.h"
#include "classify.h"
#include "memmap.h"

#define VALUE_MARKS ((size_t)1 << 18)	     /* bits; 32 KiB */
#define VALUE_IMAGE_PAGES ((size_t)32 << 10) /* 128 MiB of image; kernels have 40 to 70 */
#define VALUE_CACHES 16

/* Where struct page, or struct slab that lies over it, may have the address of the slab cache: up
 * to 6.1 in the fourth word, since in the second. The other is a list's, of that cache too. */
#define SLAB_WORDS 2
static const u8 slab_word_at[SLAB_WORDS] = { 8, 24 };

struct value {
	/* Pages by a hash of their number: a few more than were meant count as marked, which does
	 * no harm and keeps this small on any machine. */
	u64 marks[VALUE_MARKS / 64];
	/* By page of the kernel's image: those that it has mapped, may not write, and that hold
	 * nothing it found out when it booted. They are as in the file of the kernel. */
	u64 text[VALUE_IMAGE_PAGES / 64];
	u64 called[VALUE_IMAGE_PAGES / 64]; /* pages of functions that stacks lead to */
	u64 image_pfn;
	/* flags of struct page, less those of node and zone, of memory taken before there was a
	 * page allocator, as the image is; 0: not known */
	u64 boot_flags;
	u64 caches[VALUE_CACHES]; /* words at slab_word_at[] that tell slabs */
	size_t ncaches;
};

/* Page flags that are no node's, zone's or section's number. */
#define VALUE_FLAGS_MASK 0xffffffull

struct value *value_open(const struct core *core, const struct memmap *mm);
void value_close(struct value *v);

static inline size_t value_hash(u64 pfn)
{
	u64 h = pfn * 0x9e3779b97f4a7c15ull;

	/* twice: runs of pages must not fall on other runs */
	h = (h ^ h >> 32) * 0x9e3779b97f4a7c15ull;
	return (size_t)(h >> 40) % VALUE_MARKS;
}

static inline bool value_marked(const struct value *v, u64 pfn)
{
	return bit_test(v->marks, value_hash(pfn));
}

/* Of a page of the image. */
static inline enum page_class value_image_class(const struct value *v, u64 pfn)
{
	u64 at = pfn - v->image_pfn;

	if (at >= VALUE_IMAGE_PAGES || !bit_test(v->text, at))
		return PC_IMAGE;
	return bit_test(v->called, at) ? PC_CALLED : PC_TEXT;
}

/* Whether the slab whose first struct page this is belongs to a cache that is wanted. */
static inline bool value_slab(const struct value *v, const u8 *page)
{
	for (size_t k = 0; k < SLAB_WORDS; k++) {
		u64 word;

		memcpy(&word, page + slab_word_at[k], 8);
		for (size_t i = 0; i < v->ncaches; i++) {
			if (v->caches[i] == word)
				return true;
		}
	}
	return false;
}

#endif
