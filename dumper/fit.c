/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "kdump_fmt.h"

#define SAMPLE_PAGES 512
#define SAMPLE_PER_BLOCK 4
#define MARGIN_PERCENT 3
#define BUFFERS_BYTES ((u64)1 << 20) /* file slots not filled to the end */

/* Left out in this order: what nobody misses first. */
static const unsigned raise_order[] = { LEVEL_ZERO, LEVEL_FREE, LEVEL_CACHE, LEVEL_CACHE_PRIVATE,
					LEVEL_USER };

/* Bytes that sampled pages of a class take in the file. */
struct sample {
	u64 pages[PC_COUNT], bytes[PC_COUNT];
	struct compressor *comp;
	u8 out[4096];
};

static void sample_page(struct sample *sm, enum page_class pc, const u8 *page, bool compressed)
{
	u64 word;
	size_t n;

	sm->pages[pc]++;
	if (page_is_constant(page, &word))
		return;
	n = compressed ? compressor_page(sm->comp, page, sm->out, sizeof(sm->out)) : 0;
	sm->bytes[pc] += n ? n : PAGE_SIZE;
}

static int sample_block(struct engine_thread *t, struct sample *sm, u64 block, struct err *e)
{
	struct engine *en = t->en;
	size_t n = en->block_pages, taken = 0;
	u64 pfn = block * n;
	u64 packed;
	int rc = plan_block_again(t, pfn, &packed, e);

	for (size_t i = bit_next(t->keep, n, block % n, true);
	     rc == 0 && i < n && taken < SAMPLE_PER_BLOCK;
	     i = bit_next(t->keep, n, i + n / SAMPLE_PER_BLOCK / 2, true)) {
		const u8 *p;

		taken++;
		if (engine_pages(t, pfn + i, 1, &p) > 0)
			sample_page(sm, t->cls[i], p, en->opts->format == DUMP_KDUMP);
	}
	return rc;
}

/* Spreads the sample over all blocks that have pages to dump. */
static int sample_thread(struct engine_thread *t, struct err *e)
{
	struct engine *en = t->en;
	struct sample *sm = en->sample;
	u64 with_pages = 0, step, seen = 0;
	int rc = 0;

	if (!t->first)
		return 0;
	for (u64 b = 0; b < en->nblocks; b++)
		with_pages += en->blocks[b] != 0;
	step = with_pages / (SAMPLE_PAGES / SAMPLE_PER_BLOCK) + 1;
	for (u64 b = 0; b < en->nblocks && rc == 0; b++) {
		if (en->blocks[b] && seen++ % step == 0)
			rc = sample_block(t, sm, b, e);
	}
	return rc;
}

/* Headers, bitmaps (holes where there is no RAM) and descriptors. */
static u64 overhead(const struct engine *en, u64 kept)
{
	return kept * sizeof(struct kdump_page_desc) + en->plan.chunks * 2 * PAGE_SIZE +
	       en->core->src->notes_len + 2 * PAGE_SIZE;
}

/* Bytes of a dump at level, by the counts of pass 1 and the sample. */
static u64 estimate(const struct engine *en, const struct sample *sm, unsigned level)
{
	u64 all_pages = 0, all_bytes = 0, need = 0, kept = 0;

	for (size_t pc = 0; pc < PC_COUNT; pc++) {
		all_pages += sm->pages[pc];
		all_bytes += sm->bytes[pc];
	}
	for (size_t pc = 0; pc < PC_COUNT; pc++) {
		double per_page;

		if (!page_class_dumped(pc, level))
			continue;
		/* a class with too few in the sample is taken to be like the rest */
		if (sm->pages[pc] >= 8)
			per_page = (double)sm->bytes[pc] / (double)sm->pages[pc];
		else
			per_page = all_pages ? (double)all_bytes / (double)all_pages : 4096.0;
		need += (u64)(per_page * (double)en->plan.class[pc]);
		kept += en->plan.class[pc];
	}
	need += need / 100 * MARGIN_PERCENT + en->nthreads * BUFFERS_BYTES;
	return need + overhead(en, kept);
}

int fit_level(struct engine *en, u64 room_bytes, unsigned *level, u64 *need_bytes, struct err *e)
{
	struct sample *sm;
	int rc;

	*level = en->out->level;
	*need_bytes = en->plan.kept * PAGE_SIZE + overhead(en, en->plan.kept);
	if (*need_bytes <= room_bytes)
		return 0; /* even if nothing can be compressed */
	sm = calloc(1, sizeof(*sm));
	if (!sm)
		return err_sys(e, -ENOMEM, "sample");
	rc = compressor_open(&sm->comp, en->opts->compress, en->opts->compress_level, e);
	en->sample = sm;
	if (rc == 0)
		rc = engine_run(en, sample_thread, e);
	en->sample = NULL;
	*need_bytes = rc ? 0 : estimate(en, sm, *level);
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(raise_order) && *need_bytes > room_bytes;
	     i++) {
		*level |= raise_order[i];
		*need_bytes = estimate(en, sm, *level);
	}
	compressor_close(sm->comp);
	free(sm);
	return rc;
}
