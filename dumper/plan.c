/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.c - pass 1: which pages there are and which of them will be dumped. Threads claim chunks (as
 * many pages as one block of a kdump bitmap has bits) in ascending order. */
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "engine.h"

/* Clears the zero pages among those to keep, for a format that leaves them out. */
static void drop_zero_pages(struct engine_thread *t, u64 pfn, u64 *keep, struct plan_counts *counts)
{
	size_t n = t->en->block_pages;

	for (size_t i = bit_next(keep, n, 0, true); i < n;) {
		size_t run = bit_next(keep, n, i, false) - i;
		const u8 *p;
		ssize_t got = engine_pages(t, pfn + i, run, &p);

		for (ssize_t k = 0; k < got; k++) {
			u64 word;

			if (page_is_constant(p + (size_t)k * PAGE_SIZE, &word) && word == 0) {
				bit_clear(keep, i + (size_t)k);
				counts->zero++;
			}
		}
		i = bit_next(keep, n, i + (got > 0 ? (size_t)got : 1), true);
	}
}

/* The pages to keep and their rounds, in 64 bits. */
static u64 pack(const struct engine_thread *t, const u64 *keep)
{
	size_t n = t->en->block_pages;
	u64 rounds = 0, h = 0;

	for (size_t i = bit_next(keep, n, 0, true); i < n; i = bit_next(keep, n, i + 1, true)) {
		u8 round = page_class_table[t->cls[i]].round;

		rounds |= (u64)1 << round;
		h = (h ^ (i << 4 | round)) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	if (!rounds)
		return 0;
	return bit_count(keep, n / 64) | rounds << 16 | h >> PACKED_CHECK << PACKED_CHECK;
}

void plan_block(struct engine_thread *t, u64 chunk, u64 pfn, struct plan_counts *counts,
		u64 *packed)
{
	struct engine *en = t->en;
	size_t word = (pfn - chunk) / 64, words = en->block_pages / 64;
	u64 *ram = t->ram + word, *have = t->have + word, *keep = t->keep + word;
	unsigned level = en->out->level;

	*packed = 0;
	if (bit_count(ram, words) == 0)
		return;
	block_classify(&t->bv, pfn, ram, t->cls);
	for (size_t i = 0, run; i < en->block_pages; i += run) {
		enum page_class pc = t->cls[i];

		run = page_class_run(t->cls, en->block_pages, i);
		counts->class[pc] += run;
		for (size_t k = i; page_class_dumped(pc, level) && k < i + run; k++) {
			if (bit_test(have, k))
				bit_set(keep, k);
			else
				counts->not_in_source++;
		}
	}
	if (en->kept_groups)
		counts->vmemmap_excluded += block_drop_vmemmap(&t->bv, pfn, t->cls, en->kept_groups,
							       en->nblocks * en->block_pages, keep);
	*packed = pack(t, keep);
}

int plan_block_again(struct engine_thread *t, u64 pfn, u64 *packed, struct err *e)
{
	struct plan_counts unused = { 0 };
	size_t n = t->en->block_pages;
	int rc;

	memset(t->ram, 0, n / 8);
	memset(t->have, 0, n / 8);
	memset(t->keep, 0, n / 8);
	rc = source_bits(t->en->core->src, pfn, n, t->ram, t->have, e);
	*packed = 0;
	if (rc == 0)
		plan_block(t, pfn, pfn, &unused, packed);
	return rc;
}

/* The first page of the next chunk, or max_pfn at the end. Where a hole is a hole for the format
 * too it is passed over: address spaces are sparse, and vastly larger than memory. */
static u64 claim_chunk(struct engine *en)
{
	struct source *s = en->core->src;
	u64 pfn, before;

	pthread_mutex_lock(&en->lock);
	before = pfn = en->err.code ? s->max_pfn : en->next;
	if (pfn < s->max_pfn && !en->out->sink->once)
		pfn = source_next_ram(s, pfn) / CHUNK_PAGES * CHUNK_PAGES;
	pfn = MAX(pfn, before);
	en->next = pfn + CHUNK_PAGES;
	if (en->progress && en->round == 0)
		atomic_fetch_add(&en->progress->pages_done, MIN(en->next, s->max_pfn) - before);
	pthread_mutex_unlock(&en->lock);
	return pfn;
}

/* -e: notes which groups of the block have pages that will be dumped. */
static void learn_block(struct engine_thread *t, u64 pfn, const u64 *ram)
{
	struct engine *en = t->en;
	size_t bytes = engine_group_bytes(en);
	u8 kept[BLOCK_PAGES_MAX / BLOCK_GROUP / 8], *at;

	if (!en->kept_groups || bit_count(ram, en->block_pages / 64) == 0)
		return;
	at = en->kept_groups + pfn / en->block_pages * bytes;
	block_kept_groups(t->cls, en->block_pages, en->out->level, kept);
	/* as with the blocks: what is not written takes no memory */
	if (memcmp(at, kept, bytes))
		memcpy(at, kept, bytes);
}

/* The RAM of the chunk that t->ram, t->have and t->keep are then about. */
static int chunk_bits(struct engine_thread *t, u64 chunk, struct err *e)
{
	memset(t->ram, 0, sizeof(t->ram));
	memset(t->have, 0, sizeof(t->have));
	memset(t->keep, 0, sizeof(t->keep));
	return source_bits(t->en->core->src, chunk, CHUNK_PAGES, t->ram, t->have, e);
}

static int learn_chunk(struct engine_thread *t, u64 chunk, u64 end, struct err *e)
{
	struct engine *en = t->en;
	int rc = chunk_bits(t, chunk, e);

	for (u64 pfn = chunk; pfn < end && rc == 0; pfn += en->block_pages) {
		const u64 *ram = t->ram + (pfn - chunk) / 64;

		if (bit_count(ram, en->block_pages / 64) == 0)
			continue;
		block_classify(&t->bv, pfn, ram, t->cls);
		learn_block(t, pfn, ram);
	}
	return rc;
}

static int plan_chunk(struct engine_thread *t, u64 chunk, u64 end, struct err *e)
{
	struct engine *en = t->en;
	int rc = chunk_bits(t, chunk, e);

	for (u64 pfn = chunk; pfn < end && rc == 0; pfn += en->block_pages) {
		size_t word = (pfn - chunk) / 64;
		u64 packed;

		plan_block(t, chunk, pfn, &t->plan, &packed);
		if (packed && en->out->ops->drops_zero && (en->out->level & LEVEL_ZERO))
			drop_zero_pages(t, pfn, t->keep + word, &t->plan);
		if (en->round == 0)
			learn_block(t, pfn, t->ram + word);
		/* what is not written takes no memory: most of a huge machine may be free */
		if (en->blocks[pfn / en->block_pages] != packed)
			en->blocks[pfn / en->block_pages] = packed;
	}
	t->plan.chunks += bit_count(t->ram, CHUNK_WORDS) != 0;
	t->plan.kept += bit_count(t->keep, CHUNK_WORDS);
	if (rc == 0)
		rc = en->out->ops->plan(en->out, chunk, t->ram, t->keep, e);
	return rc;
}

/* -e: whether a chunk has pages of the memory map, and must wait until all others are known. */
static bool must_wait(const struct engine *en, u64 chunk, u64 end)
{
	const struct range *r = en->kept_groups ? ranges_find(&en->mm.phys, chunk << PAGE_SHIFT)
						: NULL;

	return r && r->pa < end << PAGE_SHIFT;
}

static int plan_thread(struct engine_thread *t, struct err *e)
{
	struct engine *en = t->en;

	for (;;) {
		u64 chunk = claim_chunk(en), end;
		bool wait;
		int rc = 0;

		if (chunk >= en->core->src->max_pfn)
			return 0;
		end = MIN(chunk + CHUNK_PAGES, en->core->src->max_pfn);
		wait = must_wait(en, chunk, end);
		if (wait && en->round == 0)
			rc = learn_chunk(t, chunk, end, e);
		else if (wait || en->round == 0)
			rc = plan_chunk(t, chunk, end, e);
		if (rc == 0)
			rc = engine_pulse(t, e);
		if (rc)
			return rc;
	}
}

int plan_run(struct engine *en, struct err *e)
{
	int rc = 0;

	memset(&en->plan, 0, sizeof(en->plan));
	if (en->progress) {
		atomic_store(&en->progress->pages_total, en->core->src->max_pfn);
		atomic_store(&en->progress->pages_done, 0);
	}
	for (en->round = 0; rc == 0 && en->round < (en->kept_groups ? 2 : 1); en->round++) {
		en->next = 0;
		rc = engine_run(en, plan_thread, e);
	}
	return rc;
}
