/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pool.c - pass 2: threads claim blocks, classify them again and hand their pages to the format.
 * Round by round, the most valuable pages first, so that a dump that is cut short has them. */
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "base/clock.h"
#include "engine.h"

/* A block with many pages is shared out among threads, so that none is left with one at the end;
 * each classifies it again, which takes as long as compressing a few pages. */
#define PARTS 4
#define PART_PAGES_MIN 64
#define SYNC_MS 1000

struct claim {
	u64 block;
	unsigned round;
	unsigned part, parts; /* the pages [part, part + 1) * block_pages / parts of it */
	u64 index;	      /* number of the block's first dumped page */
};

/* What t->cls and t->keep are about. */
struct loaded {
	u64 block;
	unsigned round;
	bool any;
	bool same; /* as pass 1 saw it */
};

static unsigned block_parts(const struct engine *en, u64 packed)
{
	return en->nthreads > 1 && PACKED_KEPT(packed) >= PARTS * PART_PAGES_MIN ? PARTS : 1;
}

static bool claim_block(struct engine *en, struct claim *c)
{
	bool found = false;

	pthread_mutex_lock(&en->lock);
	while (!found && en->round < PC_ROUNDS && en->err.code == 0) {
		u64 b;

		if (en->next == en->nblocks) {
			en->round++;
			en->next = en->index = 0;
			continue;
		}
		b = en->blocks[en->next];
		if (PACKED_ROUNDS(b) & 1u << en->round) {
			unsigned parts = block_parts(en, b);

			*c = (struct claim){ en->next, en->round, en->part, parts, en->index };
			found = true;
			en->part = (en->part + 1) % parts;
			if (en->part)
				continue;
		}
		en->index += PACKED_KEPT(b);
		en->next++;
	}
	pthread_mutex_unlock(&en->lock);
	return found;
}

/* Where the kernel sees pages of the memory map; *n is lowered to how many follow there. */
static u64 map_va(const struct engine *en, u64 pfn, size_t *n)
{
	u64 contig, va = memmap_pa_va(&en->mm, pfn << PAGE_SHIFT, &contig);

	if (!va || va % PAGE_SIZE || contig < PAGE_SIZE)
		return 0;
	*n = MIN(*n, contig >> PAGE_SHIFT);
	return va;
}

/* Writes the pages [pfn, pfn + n); index counts all dumped pages. pc: class of the first; those of
 * the memory map do not mix with others. */
static int write_run(struct engine_thread *t, u64 pfn, size_t n, u64 index, enum page_class pc,
		     struct err *e)
{
	while (n) {
		size_t want = n;
		u64 va = pc == PC_MEMMAP ? map_va(t->en, pfn, &want) : 0;
		const u8 *p;
		ssize_t got = engine_pages(t, pfn, want, &p);
		int rc;

		if (got <= 0) {
			/* its descriptor stays zero: readers see a page that is missing */
			t->unreadable++;
			got = 1;
		} else {
			struct out_run r = {
				pfn, (size_t)got, index, va, page_class_table[pc].repeats, p
			};

			rc = t->en->out->ops->pages(t->ow, &r, e);
			if (rc)
				return rc;
		}
		pfn += (u64)got;
		index += (u64)got;
		n -= (size_t)got;
	}
	return 0;
}

/* Pages of the block that are dumped in this round, in runs. */
static int write_block(struct engine_thread *t, const struct claim *c, struct err *e)
{
	struct engine *en = t->en;
	size_t n = en->block_pages;
	u64 pfn = c->block * n, index = c->index;
	size_t from = n / c->parts * c->part, end = from + n / c->parts;

	for (size_t i = bit_next(t->keep, n, 0, true); i < end;) {
		unsigned round = page_class_table[t->cls[i]].round;
		bool mine = round == c->round && i >= from;
		size_t run = 1;
		int rc = 0;

		while (i + run < n && (i + run) % (n / c->parts) && bit_test(t->keep, i + run) &&
		       page_class_table[t->cls[i + run]].round == round)
			run++;
		if (mine)
			rc = write_run(t, pfn + i, run, index, t->cls[i], e);
		if (rc)
			return rc;
		if (en->progress && mine)
			atomic_fetch_add(&en->progress->pages_done, run);
		index += run;
		i = bit_next(t->keep, n, i + run, true);
	}
	return 0;
}

/* Classifies the block again. Descriptors are numbered, and bitmaps written, by what pass 1 saw; a
 * block that is no longer the same (a device still writes to memory, or memory fails) would mix
 * pages up. Its pages are given up, and pool_run() counts what is missing in the end. A thread that
 * gets several parts of a block in turn has it already. */
static int load_block(struct engine_thread *t, const struct claim *c, struct loaded *l,
		      struct err *e)
{
	struct engine *en = t->en;
	u64 packed;
	int rc;

	if (l->any && l->block == c->block && l->round == c->round)
		return 0;
	l->any = false;
	rc = plan_block_again(t, c->block * en->block_pages, &packed, e);
	if (rc)
		return rc;
	*l = (struct loaded){ c->block, c->round, true, packed == en->blocks[c->block] };
	return 0;
}

/* What a thread has ready is written now and then, and put on the disk: of a machine that dies in
 * the middle a dump with all but the last seconds is left. Descriptors above all need it, as page
 * data may bypass the page cache. A disk that takes long for it gets at most half of the time.
 */
static int sync_now_and_then(struct engine_thread *t, struct err *e)
{
	struct engine *en = t->en;
	struct sink *sink = en->out->sink;
	u64 begin = clock_ms(), end;
	int rc;

	if (!en->opts->sync || sink->once || begin < t->next_sync_ms)
		return 0;
	rc = en->out->ops->worker_flush(t->ow, e);
	if (rc == 0 && t->first)
		rc = sink->ops->sync(sink, e);
	end = clock_ms();
	t->next_sync_ms = end + MAX(end - begin, (u64)SYNC_MS);
	return rc;
}

static int pool_thread(struct engine_thread *t, struct err *e)
{
	struct out *out = t->en->out;
	struct out_counts counts = { 0 };
	struct loaded l = { 0 };
	struct claim c;
	unsigned round = 0;
	int rc = out->ops->worker_open(out, &t->ow, e);

	if (rc == -ENOMEM) {
		/* one thread is enough: those that find no memory are done without */
		pthread_mutex_lock(&t->en->lock);
		t->en->no_memory = *e;
		pthread_mutex_unlock(&t->en->lock);
		return 0;
	}
	if (rc)
		return rc;
	t->next_sync_ms = clock_ms() + SYNC_MS;
	while (rc == 0 && claim_block(t->en, &c)) {
		/* what is worth more is in the file before another thread fills it with less */
		if (c.round != round)
			rc = out->ops->worker_flush(t->ow, e);
		round = c.round;
		if (rc == 0)
			rc = load_block(t, &c, &l, e);
		if (rc == 0 && l.same)
			rc = write_block(t, &c, e);
		if (rc == 0)
			rc = engine_pulse(t, e);
		if (rc == 0)
			rc = sync_now_and_then(t, e);
	}
	/* What is ready is written even when the work stops early; the first error counts. */
	if (rc)
		out->ops->worker_flush(t->ow, NULL);
	else
		rc = out->ops->worker_flush(t->ow, e);
	out->ops->worker_close(t->ow, &counts);
	t->unplaced += counts.unplaced;
	pthread_mutex_lock(&t->en->lock);
	t->en->written.pages += counts.pages;
	t->en->written.zero += counts.zero;
	t->en->written.duplicate += counts.duplicate;
	pthread_mutex_unlock(&t->en->lock);
	return rc;
}

int pool_run(struct engine *en, struct err *e)
{
	int rc;

	en->next = en->index = 0;
	en->round = en->part = 0;
	if (en->progress) {
		atomic_store(&en->progress->pages_total, en->plan.kept);
		atomic_store(&en->progress->pages_done, 0);
	}
	rc = engine_run(en, pool_thread, e);
	/* all that pass 1 kept and is not in the file: could not be read, or was another by then */
	if (rc == 0)
		en->unreadable = en->plan.kept - MIN(en->written.pages, en->plan.kept);
	en->unreadable += en->unplaced;
	/* blocks are left when no thread at all could work */
	if (rc == 0 && en->round < PC_ROUNDS)
		rc = err_set(e, -ENOMEM, "%s", en->no_memory.msg);
	return rc;
}
