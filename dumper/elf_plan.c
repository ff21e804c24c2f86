/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "elf_plan.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"

#define SEGS_MAX 30000 /* 1 MB; with kernel text aliases still below PN_XNUM */

void elf_plan_init(struct elf_plan *p, u64 gap_pages)
{
	*p = (struct elf_plan){ .gap = gap_pages };
}

void elf_plan_deinit(struct elf_plan *p)
{
	free(p->segs);
	p->segs = NULL;
	p->n = p->cap = 0;
}

static int grow(struct elf_plan *p)
{
	struct elf_seg *grown;
	size_t cap;

	while (p->n == SEGS_MAX) {
		elf_plan_join(p);
		if (p->n < SEGS_MAX / 2)
			return 0;
		if (p->gap >= (u64)1 << 40)
			return p->n < SEGS_MAX ? 0 : -E2BIG;
		p->gap *= 2;
	}
	if (p->n < p->cap)
		return 0;
	cap = p->cap ? MIN(p->cap * 2, SEGS_MAX) : 64;
	grown = reallocarray(p->segs, cap, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	p->segs = grown;
	p->cap = cap;
	return 0;
}

static int seg_add(struct elf_plan *p, u64 pfn, u64 file, u64 mem)
{
	int rc = grow(p);

	if (rc == 0)
		p->segs[p->n++] = (struct elf_seg){ .pfn = pfn, .file = file, .mem = mem };
	return rc;
}

/* One run of RAM, bits [from, to). */
static int add_ram_run(struct elf_plan *p, u64 pfn, size_t from, size_t to, const u64 *keep)
{
	size_t start = from, k = bit_next(keep, to, from, true);
	int rc = 0;

	if (k == to)
		return seg_add(p, pfn + from, 0, to - from);
	if (k > from) { /* elf_plan_join() knows what lies before it */
		rc = seg_add(p, pfn + from, 0, k - from);
		start = k;
	}
	while (rc == 0) {
		size_t end = bit_next(keep, to, k, false);

		k = bit_next(keep, to, end, true);
		if (k == to)
			return seg_add(p, pfn + start, end - start, to - start);
		if (k - end >= p->gap) {
			rc = seg_add(p, pfn + start, end - start, k - start);
			start = k;
		}
	}
	return rc;
}

int elf_plan_add(struct elf_plan *p, u64 pfn, size_t n, const u64 *ram, const u64 *keep)
{
	for (size_t from = bit_next(ram, n, 0, true); from < n;) {
		size_t to = bit_next(ram, n, from, false);
		int rc = add_ram_run(p, pfn, from, to, keep);

		if (rc)
			return rc;
		from = bit_next(ram, n, to, true);
	}
	return 0;
}

static int seg_compare(const void *pa, const void *pb)
{
	const struct elf_seg *a = pa, *b = pb;

	return (a->pfn > b->pfn) - (a->pfn < b->pfn);
}

/* Makes b, which follows a in memory without a hole, part of a where no long gap is between. */
static bool seg_join(struct elf_seg *a, const struct elf_seg *b, u64 gap)
{
	if (b->file && a->mem - a->file >= gap)
		return false;
	if (b->file)
		a->file = a->mem + b->file;
	a->mem += b->mem;
	return true;
}

void elf_plan_join(struct elf_plan *p)
{
	size_t n = 0;

	if (p->n == 0)
		return;
	qsort(p->segs, p->n, sizeof(*p->segs), seg_compare);
	for (size_t i = 0; i < p->n; i++) {
		struct elf_seg *last = n ? &p->segs[n - 1] : NULL;

		if (last && last->pfn + last->mem == p->segs[i].pfn &&
		    seg_join(last, &p->segs[i], p->gap))
			continue;
		p->segs[n++] = p->segs[i];
	}
	p->n = n;
}

u64 elf_plan_settle(struct elf_plan *p, u64 off)
{
	elf_plan_join(p);
	for (size_t i = 0; i < p->n; i++) {
		p->segs[i].off = off;
		off += p->segs[i].file * PAGE_SIZE;
	}
	return off;
}

const struct elf_seg *elf_plan_find(const struct elf_plan *p, u64 pfn)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->segs[mid].pfn + p->segs[mid].mem <= pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->n && pfn >= p->segs[lo].pfn ? &p->segs[lo] : NULL;
}
