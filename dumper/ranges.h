/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ranges.h - a sorted list of disjoint ranges of physical memory, each with its place in a file.
 * Units:  bytes. end = pa + size never wraps.
 * Owner:  ranges_deinit() frees. Errors: -ENOMEM; -EINVAL for a range that wraps. */
#ifndef CRASHPOD_RANGES_H
#define CRASHPOD_RANGES_H

#include "base/types.h"

struct range {
	u64 pa, size, off;
};

struct ranges {
	struct range *r;
	size_t n, cap;
};

/* Appends; ranges may come in any order and overlap until ranges_settle(). */
int ranges_add(struct ranges *rs, u64 pa, u64 size, u64 off);
/* As ranges_add(), but what continues the range that was added last makes that one longer. */
int ranges_append(struct ranges *rs, u64 pa, u64 size, u64 off);
/* By address; they may still overlap. */
void ranges_sort(struct ranges *rs);
/* Sorts and makes the list disjoint: of two ranges that overlap the one that begins first keeps
 * its bytes. Ranges that continue each other in memory and file become one. */
void ranges_settle(struct ranges *rs);
/* The range that holds pa, or the first one after it, or NULL. */
const struct range *ranges_find(const struct ranges *rs, u64 pa);
/* Sets the bits of pages that the ranges touch; bit n is page pfn + n. */
void ranges_bits(const struct ranges *rs, u64 pfn, size_t n, u64 *bits);
void ranges_deinit(struct ranges *rs);

#endif
