/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dedup.h - where pages have been stored, by their contents: the same page need not be stored
 * twice. A table of bounded size that forgets, so a page that is not found may still be there; one
 * that is found is only a candidate, and its bytes are to be compared. Memory:  24 bytes an entry,
 * at most 32,768 entries for all threads together. Threads: any number at once. Nobody waits: an
 * entry that another thread is at is passed over. */
#ifndef CRASHPOD_DEDUP_H
#define CRASHPOD_DEDUP_H

#include "base/types.h"

/* A page that is in the file. */
struct dedup_page {
	u64 pfn;
	u64 offset;
	u32 size, flags; /* as in its descriptor */
};

struct dedup;

/* pages: how many there will be at most. NULL: no memory. */
struct dedup *dedup_open(u64 pages);
void dedup_close(struct dedup *d);

u64 dedup_hash(const u8 *page);
void dedup_add(struct dedup *d, u64 hash, const struct dedup_page *p);
bool dedup_find(struct dedup *d, u64 hash, struct dedup_page *p);

/* Whether two pages, aligned to 8, are the same. */
bool dedup_equal(const u8 *a, const u8 *b);

#endif
