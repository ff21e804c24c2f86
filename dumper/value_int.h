/* SPDX-License-Identifier: GPL-2.0-or-later */
/* value_int.h - what the parts of value_open() share. */
#ifndef CRASHPOD_VALUE_INT_H
#define CRASHPOD_VALUE_INT_H

#include "value.h"

#define STACK_END 0x57ac6e9dull /* STACK_END_MAGIC, include/uapi/linux/magic.h */
#define STACK_BYTES 0x4000ull	/* THREAD_SIZE; with KASAN twice as much */

struct survey {
	struct value *v;
	const struct core *core;
	const struct memmap *mm;
	struct kmem km;			     /* page tables, stacks */
	struct window image;		     /* which is read from its beginning to its end */
	const u8 *window;		     /* what it shows: */
	size_t window_first, window_pages;   /* of the image; 0 pages: nothing */
	u64 written[VALUE_IMAGE_PAGES / 64]; /* pages of the image that the kernel may write */
	u64 run[VALUE_IMAGE_PAGES / 64];     /* that it may run */
	u64 image_va;			     /* of page 0 of the image */
	u64 direct_va, direct_bytes;	     /* the direct mapping; 0 bytes: not known where */
	unsigned nodes;			     /* of radix trees, seen so far */
	size_t marks;			     /* made so far */
};

/* Marks a page; nothing once there are so many that a hash could no longer tell them apart. */
void survey_mark(struct survey *s, u64 pfn);

/* Zeroed memory for the time of a survey, which goes back to the system at its end; NULL: none. */
void *survey_alloc(size_t bytes);
void survey_free(void *p, size_t bytes);

/* va is on a stack. What a debugger disassembles to unwind it: from the beginning of the function
 * that va is in, which may be on the page before, some hundred instructions. */
void survey_want_text(struct survey *s, u64 va);

/* Marks the nodes of the radix trees that a page of the image has: by those that have process
 * numbers crash finds tasks. */
void survey_trees(struct survey *s, const u64 *words);

/* A page of the image, valid until the next is asked for; NULL: cannot be read. */
const u64 *survey_image(struct survey *s, size_t at);

static inline bool survey_is_direct(const struct survey *s, u64 va)
{
	return va - s->direct_va < s->direct_bytes;
}

static inline u64 survey_pfn(const struct survey *s, u64 va)
{
	return (va - s->direct_va) >> PAGE_SHIFT;
}

/* value_tables.c: marks page tables and what they map outside of the linear mappings; fills in
 * which pages of the image the kernel may write, and which not. */
void survey_tables(struct survey *s);

/* value_tasks.c: finds tasks from the registers of the CPUs, or else from the image, and the caches
 * that they and what they point at are from; their stacks' functions are no text to be put off. */
void survey_tasks(struct survey *s);

#endif
