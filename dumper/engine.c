/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/clock.h"

#define THREAD_STACK ((size_t)256 << 10) /* address space; only what is used is memory */
#define DATA_WINDOW ((size_t)256 << 10)
#define TICK_MS 1000

/* The table is as long as physical memory reaches, holes too: only what is written takes memory. */
static void *blocks_alloc(const struct engine *en, size_t bytes, struct err *e)
{
	void *p = mmap(NULL, (en->nblocks + 1) * bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p != MAP_FAILED)
		return p;
	err_sys(e, -errno, "table of %llu blocks", (unsigned long long)en->nblocks);
	return NULL;
}

/* Whether the end of the dump may never be written: in a capture kernel always, elsewhere where all
 * of RAM would have no room. Then what a debugger wants first goes first, which takes a look at the
 * dead kernel's tasks before anything else is done. */
static bool may_be_cut(const struct engine *en)
{
	const struct source *src = en->core->src;
	struct sink *sink = en->out->sink;
	struct rlimit limit;
	u64 room = sink->ops->room(sink);

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		room = MIN(room, (u64)limit.rlim_cur);
	/* of 4096 bytes a page, 24 are its descriptor's */
	return src->proc || room >> PAGE_SHIFT < src->max_pfn + src->max_pfn / 64;
}

int engine_open(struct engine *en, const struct core *core, const struct dump_opts *opts,
		struct out *out, struct err *e)
{
	struct err why = { 0 };
	int rc;

	memset(en, 0, sizeof(*en));
	en->core = core;
	en->opts = opts;
	en->out = out;
	en->progress = opts->progress;
	en->nthreads = opts->threads ? opts->threads : 1;
	en->block_pages = (size_t)1 << core->ki.block_order;
	if (core->ki.block_order < 6 || en->block_pages > BLOCK_PAGES_MAX)
		en->block_pages = 1024;
	en->nblocks = (core->src->max_pfn + en->block_pages - 1) / en->block_pages;
	pthread_mutex_init(&en->lock, NULL);
	en->blocks = blocks_alloc(en, sizeof(*en->blocks), e);
	if (!en->blocks)
		return -ENOMEM;
	if (opts->exclude_vmemmap) {
		en->kept_groups = blocks_alloc(en, engine_group_bytes(en), e);
		if (!en->kept_groups)
			return -ENOMEM;
	}
	rc = memmap_init(&en->mm, core, core->src->max_pfn, &why);
	en->have_memmap = rc == 0;
	if (rc == 0) {
		if (may_be_cut(en))
			en->value = value_open(core, &en->mm);
		return 0;
	}
	/* everything is better than nothing; zero pages are found without classes */
	err_set(&en->why, rc, "pages cannot be classified: %.200s", why.msg);
	out->level = (out->level & LEVEL_ZERO) | core->src->excluded_level;
	return 0;
}

void engine_close(struct engine *en)
{
	if (en->blocks)
		munmap(en->blocks, (en->nblocks + 1) * sizeof(*en->blocks));
	if (en->kept_groups)
		munmap(en->kept_groups, (en->nblocks + 1) * engine_group_bytes(en));
	value_close(en->value);
	memmap_deinit(&en->mm);
	pthread_mutex_destroy(&en->lock);
}

static void thread_close(struct engine_thread *t)
{
	if (t->win_open)
		window_close(&t->win);
	block_view_close(&t->bv);
	free(t->cls);
	free(t);
}

static struct engine_thread *thread_open(struct engine *en, struct err *e)
{
	struct engine_thread *t = calloc(1, sizeof(*t));

	if (!t || !(t->cls = malloc(en->block_pages))) {
		free(t);
		err_sys(e, -ENOMEM, "thread");
		return NULL;
	}
	t->en = en;
	if (block_view_open(&t->bv, en->core, en->have_memmap ? &en->mm : NULL, en->value,
			    en->block_pages, e) ||
	    window_open(&t->win, en->core->src, DATA_WINDOW, e)) {
		thread_close(t);
		return NULL;
	}
	t->win_open = true;
	return t;
}

static void counts_add(struct engine *en, const struct engine_thread *t)
{
	for (size_t i = 0; i < PC_COUNT; i++)
		en->plan.class[i] += t->plan.class[i];
	en->plan.chunks += t->plan.chunks;
	en->plan.kept += t->plan.kept;
	en->plan.zero += t->plan.zero;
	en->plan.not_in_source += t->plan.not_in_source;
	en->plan.vmemmap_excluded += t->plan.vmemmap_excluded;
	en->unreadable += t->unreadable;
	en->unplaced += t->unplaced;
}

struct thread_start {
	struct engine_thread *t;
	int (*fn)(struct engine_thread *t, struct err *e);
};

static void *thread_main(void *arg)
{
	struct thread_start *ts = arg;
	struct engine *en = ts->t->en;
	struct err e = { 0 };
	int rc = ts->fn(ts->t, &e);

	pthread_mutex_lock(&en->lock);
	counts_add(en, ts->t);
	if (rc && en->err.code == 0) {
		en->err = e;
		en->err.code = rc;
	}
	pthread_mutex_unlock(&en->lock);
	return NULL;
}

/* Starts up to n threads beside the caller's; returns how many there are. */
static unsigned threads_start(struct engine *en, struct thread_start *ts, unsigned n,
			      int (*fn)(struct engine_thread *t, struct err *e))
{
	pthread_attr_t attr;
	unsigned started = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	while (started < n) {
		struct thread_start *s = &ts[started];

		s->fn = fn;
		s->t = thread_open(en, NULL);
		if (!s->t)
			break;
		if (pthread_create(&s->t->thread, &attr, thread_main, s)) {
			thread_close(s->t);
			break;
		}
		started++;
	}
	pthread_attr_destroy(&attr);
	return started;
}

int engine_run(struct engine *en, int (*fn)(struct engine_thread *t, struct err *e), struct err *e)
{
	struct thread_start *ts = calloc(en->nthreads, sizeof(*ts));
	struct thread_start self = { .fn = fn };
	struct err why = { 0 };
	unsigned started;

	self.t = thread_open(en, &why);
	if (!ts || !self.t) {
		if (self.t)
			thread_close(self.t);
		free(ts);
		return err_set(e, -ENOMEM, "%s", why.code ? why.msg : "no memory for threads");
	}
	self.t->first = true;
	en->err.code = 0;
	started = threads_start(en, ts, en->nthreads - 1, fn);
	thread_main(&self);
	for (unsigned i = 0; i < started; i++) {
		pthread_join(ts[i].t->thread, NULL);
		thread_close(ts[i].t);
	}
	thread_close(self.t);
	free(ts);
	if (en->err.code && e)
		*e = en->err;
	return en->err.code;
}

/* A page that the source gives in pieces, or only a part of: what is missing reads as zero. */
static ssize_t assemble_page(struct engine_thread *t, u64 pfn, const u8 **p)
{
	u64 pa = pfn << PAGE_SHIFT;
	size_t done = 0, got_any = 0;

	memset(t->page, 0, sizeof(t->page));
	while (done < PAGE_SIZE) {
		const u8 *piece;
		size_t got;
		int rc = window_get(&t->win, pa + done, PAGE_SIZE - done, &piece, &got, NULL);

		if (rc == -ENXIO || rc == -ENODATA) {
			done++; /* to the next byte that there may be */
			continue;
		}
		if (rc)
			return rc;
		memcpy(t->page + done, piece, got);
		done += got;
		got_any += got;
	}
	*p = t->page;
	return got_any ? 1 : -ENODATA;
}

ssize_t engine_pages(struct engine_thread *t, u64 pfn, size_t max, const u8 **p)
{
	size_t got;
	int rc = window_get(&t->win, pfn << PAGE_SHIFT, max * PAGE_SIZE, p, &got, NULL);

	if (rc == 0 && got >= PAGE_SIZE)
		return (ssize_t)(got / PAGE_SIZE);
	if (rc && rc != -ENXIO)
		return rc;
	return assemble_page(t, pfn, p);
}

int engine_pulse(struct engine_thread *t, struct err *e)
{
	struct engine *en = t->en;

	if (en->progress) {
		atomic_store(&en->progress->bytes_written,
			     atomic_load(&en->out->sink->bytes_written));
		if (atomic_load(&en->progress->cancel))
			return err_set(e, -ECANCELED, "stopped on request");
		if (t->first && en->opts->tick && clock_ms() - en->last_tick_ms >= TICK_MS) {
			en->last_tick_ms = clock_ms();
			en->opts->tick(en->opts->tick_arg, en->progress);
		}
	}
	return 0;
}
