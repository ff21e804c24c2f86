/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ranges.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"

int ranges_add(struct ranges *rs, u64 pa, u64 size, u64 off)
{
	if (size == 0)
		return 0;
	if (size > UINT64_MAX - pa)
		return -EINVAL;
	if (rs->n == rs->cap) {
		size_t cap = rs->cap ? rs->cap * 2 : 16;
		struct range *grown = reallocarray(rs->r, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		rs->r = grown;
		rs->cap = cap;
	}
	rs->r[rs->n++] = (struct range){ pa, size, off };
	return 0;
}

static bool range_continues(const struct range *last, u64 pa, u64 off)
{
	return pa == last->pa + last->size && off == last->off + last->size;
}

int ranges_append(struct ranges *rs, u64 pa, u64 size, u64 off)
{
	struct range *last = rs->n ? &rs->r[rs->n - 1] : NULL;

	if (!last || !range_continues(last, pa, off) || size > UINT64_MAX - pa)
		return ranges_add(rs, pa, size, off);
	last->size += size;
	return 0;
}

static int range_compare(const void *pa, const void *pb)
{
	const struct range *a = pa, *b = pb;

	if (a->pa != b->pa)
		return a->pa < b->pa ? -1 : 1;
	return (a->off > b->off) - (a->off < b->off);
}

void ranges_sort(struct ranges *rs)
{
	if (rs->n)
		qsort(rs->r, rs->n, sizeof(*rs->r), range_compare);
}

void ranges_settle(struct ranges *rs)
{
	size_t n = 0;

	ranges_sort(rs);
	for (size_t i = 0; i < rs->n; i++) {
		struct range r = rs->r[i];
		struct range *last = n ? &rs->r[n - 1] : NULL;

		if (last && r.pa < last->pa + last->size) {
			u64 cut = last->pa + last->size - r.pa;

			if (cut >= r.size)
				continue;
			r.pa += cut;
			r.off += cut;
			r.size -= cut;
		}
		if (last && range_continues(last, r.pa, r.off))
			last->size += r.size;
		else
			rs->r[n++] = r;
	}
	rs->n = n;
}

const struct range *ranges_find(const struct ranges *rs, u64 pa)
{
	size_t lo = 0, hi = rs->n;

	/* the first range that ends after pa */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (rs->r[mid].pa + rs->r[mid].size <= pa)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < rs->n ? &rs->r[lo] : NULL;
}

void ranges_bits(const struct ranges *rs, u64 pfn, size_t n, u64 *bits)
{
	const struct range *r = ranges_find(rs, pfn << PAGE_SHIFT);

	/* the end is not computed first: an empty list has no place to count from */
	for (; r && r < rs->r + rs->n; r++) {
		u64 first = r->pa >> PAGE_SHIFT;
		u64 last = (r->pa + r->size - 1) >> PAGE_SHIFT;

		if (first >= pfn + n)
			break;
		bit_set_range(bits, first > pfn ? first - pfn : 0, MIN(last - pfn + 1, n));
	}
}

void ranges_deinit(struct ranges *rs)
{
	free(rs->r);
	rs->r = NULL;
	rs->n = rs->cap = 0;
}
