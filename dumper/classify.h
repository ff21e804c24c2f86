/* SPDX-License-Identifier: GPL-2.0-or-later */
/* classify.h - from the fields of a struct page to the class of its page. Pure: no I/O, no state,
 * no kernel version. What no rule knows is PC_KERNEL or PC_UNKNOWN, and both are dumped.
 * Source: include/linux/page-flags.h, mm/internal.h (buddy_order), mm_types.h of 5.10 to 7.1;
 *         the order of the tests is makedumpfile's, but for poisoned and offline pages, which come
 *         first because reading them can kill the capture kernel. */
#ifndef CRASHPOD_CLASSIFY_H
#define CRASHPOD_CLASSIFY_H

#include <string.h>

#include "base/types.h"
#include "kinfo.h"

enum page_class {
	PC_HOLE,   /* not RAM */
	PC_KERNEL, /* in use by the kernel */
	PC_VITAL,  /* kernel or slab that a debugger wants first, see value.h */
	PC_IMAGE,  /* the kernel's own data, and constants that a debugger reads */
	PC_CALLED, /* its text where stacks lead to it */
	PC_TEXT,   /* its other text and constants, which the file of the kernel has too */
	PC_SLAB,
	PC_UNKNOWN,   /* its page descriptor contradicts itself or others: kept */
	PC_NO_MEMMAP, /* RAM that no page descriptor describes: kept */
	PC_MEMMAP,    /* holds the memory map itself */
	PC_FREE,
	PC_CACHE,
	PC_CACHE_PRIVATE,
	PC_USER,
	PC_HWPOISON,
	PC_OFFLINE,
	PC_COUNT
};

/* What a class means: its level bits (left out when the level has one of them), and in which round
 * of the second pass it is written: the most valuable first. */
struct page_class_info {
	const char *name;
	u8 level_mask;
	u8 round;
	bool never;   /* left out whatever the level */
	bool repeats; /* such pages are the same more often than those of the kernel */
};

#define PC_ROUNDS 10

extern const struct page_class_info page_class_table[PC_COUNT];

enum level_bits {
	LEVEL_ZERO = 1,
	LEVEL_CACHE = 2,
	LEVEL_CACHE_PRIVATE = 4,
	LEVEL_USER = 8,
	LEVEL_FREE = 16,
	LEVEL_MAX = 31
};

static inline bool page_class_dumped(enum page_class pc, unsigned level)
{
	const struct page_class_info *info = &page_class_table[pc];

	return pc != PC_HOLE && !info->never && !(info->level_mask & level);
}

/* How many of cls[i] to cls[n - 1] are of the class of cls[i]. Free memory comes in long runs, so
 * eight at a time. */
static inline size_t page_class_run(const u8 *cls, size_t n, size_t i)
{
	u64 want = cls[i] * 0x0101010101010101ull, word;
	size_t k = i + 1;

	while (k + 8 <= n) {
		memcpy(&word, cls + k, 8);
		if (word != want)
			break;
		k += 8;
	}
	while (k < n && cls[k] == cls[i])
		k++;
	return k - i;
}

/* The fields that a decision needs. dtor and tail_flags are of page[1] and only mean something
 * when the page is a compound head. */
struct page_fields {
	u64 flags, mapping, priv, compound, tail_flags;
	u32 mapcount, refcount;
	u8 dtor;
};

/* Reads the fields of one struct page; next is the struct page after it, or NULL at the end. */
static inline void page_fields_load(struct page_fields *f, const struct kinfo_page *kp,
				    const u8 *page, const u8 *next)
{
	memcpy(&f->flags, page + kp->flags, 8);
	memcpy(&f->mapping, page + kp->mapping, 8);
	memcpy(&f->priv, page + kp->priv, 8);
	memcpy(&f->compound, page + kp->compound, 8);
	memcpy(&f->mapcount, page + kp->mapcount, 4);
	f->refcount = 0;
	if (kp->refcount != KINFO_ABSENT)
		memcpy(&f->refcount, page + kp->refcount, 4);
	f->dtor = next && kp->dtor != KINFO_ABSENT ? next[kp->dtor] : 0;
	if (next)
		memcpy(&f->tail_flags, next + kp->flags, 8);
	else
		f->tail_flags = 0;
}

static inline bool page_is_tail(const struct page_fields *f)
{
	return f->compound & 1;
}

/* Address of the head's struct page, from a tail at va. From 7.1 the field may hold a mask that
 * turns a tail's address into its head's; before, and where struct page is no power of two, it is
 * the head's address plus one. A mask is ones down to some bit: no vmemmap address looks so. */
static inline u64 page_head_va(const struct page_fields *f, u64 va)
{
	u64 head = f->compound & ~(u64)1;

	return (~head & (~head + 1)) == 0 ? va & head : head;
}

/* The class of a page that is not a tail. A descriptor that cannot be one, with counts or a
 * mapping as no sane kernel has them, makes PC_UNKNOWN. *order: how many pages
 * it stands for, as a power of two; more than 0 only for free ones. */
enum page_class classify_page(const struct kinfo *ki, const struct page_fields *f, unsigned *order);

#endif
