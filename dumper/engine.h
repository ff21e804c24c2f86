/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine.h - the two passes over memory that make a dump; inside dumper only.
 * Pass 1 (plan.c) classifies every block, counts, and tells the format which pages there will be.
 * Pass 2 (pool.c) classifies each block again and writes its pages, the most valuable first.
 * Memory: 8 bytes a block that has pages to dump (with -e 2 more for each 1024 pages), and what
 * each thread holds (struct engine_thread). */
#ifndef CRASHPOD_ENGINE_H
#define CRASHPOD_ENGINE_H

#include <pthread.h>

#include "block.h"
#include "dump.h"
#include "out.h"

#define BLOCK_PAGES_MAX CHUNK_PAGES

/* What pass 1 found, over all threads. */
struct plan_counts {
	u64 chunks;	     /* that have RAM */
	u64 class[PC_COUNT]; /* RAM pages by class */
	u64 kept;	     /* of them to be written */
	u64 zero;	     /* left out as zero in pass 1 */
	u64 not_in_source;   /* neither excluded nor there: truncated, or excluded earlier */
	u64 vmemmap_excluded;
};

struct sample;

struct engine {
	const struct core *core;
	const struct dump_opts *opts;
	struct out *out;
	struct memmap mm;
	bool have_memmap;
	struct value *value; /* NULL: no page is wanted before others of its kind */
	struct err why; /* why no page can be classified: all are dumped; code 0: they can be */
	size_t block_pages;
	u64 nblocks;
	/* By block, as plan_block() packs it: written by pass 1, read by pass 2. */
	u64 *blocks;
	u8 *kept_groups; /* for -e, of all blocks, see block_kept_groups(); else NULL */
	unsigned nthreads;
	struct dump_progress *progress;
	struct plan_counts plan;
	struct sample *sample; /* of fit.c while it runs */
	u64 unreadable;	       /* pages that pass 2 did not get into the dump as pass 1 saw them */
	u64 unplaced;	       /* see struct out_counts */
	struct out_counts written;

	pthread_mutex_t lock; /* guards all below, and the counts when a thread ends */
	u64 next;	      /* block or chunk to be claimed */
	unsigned round;	      /* of pass 1: 0, with -e also 1; of pass 2: 0 to PC_ROUNDS */
	unsigned part;	      /* of that block, in pass 2 */
	u64 index;	      /* dumped pages in the blocks before next */
	struct err err;	      /* of the first thread that failed */
	struct err no_memory; /* of a thread that could not work in pass 2 */
	u64 last_tick_ms;
};

/* One thread's tools. */
struct engine_thread {
	struct engine *en;
	pthread_t thread;
	bool first; /* runs in the caller's own thread and gives the ticks */
	bool view_open, win_open;
	struct block_view bv;
	struct window win; /* page data */
	struct out_worker *ow;
	u8 *cls; /* classes of a block */
	u64 ram[CHUNK_WORDS], have[CHUNK_WORDS], keep[CHUNK_WORDS];
	u8 page[4096]; /* a page that comes in pieces */
	struct plan_counts plan;
	u64 unreadable, unplaced;
	u64 next_sync_ms; /* in pass 2 */
};

/* Bytes of a block in kept_groups. */
static inline size_t engine_group_bytes(const struct engine *en)
{
	return en->block_pages / BLOCK_GROUP / 8;
}

int engine_open(struct engine *en, const struct core *core, const struct dump_opts *opts,
		struct out *out, struct err *e);
void engine_close(struct engine *en);

/* Runs fn in every thread and waits for all; returns the first error. A thread that cannot be
 * started is done without. */
int engine_run(struct engine *en, int (*fn)(struct engine_thread *t, struct err *e), struct err *e);

/* With -e a chunk that holds memory map is planned when all others are known: in two rounds. */
int plan_run(struct engine *en, struct err *e);

/* The block that begins at pfn: its classes into t->cls, its pages to keep into t->keep at word
 * (pfn - chunk) / 64, where chunk is the pfn of bit 0 of t->ram, t->have and t->keep. *packed is
 * 0 for a block without pages to keep. Both passes ask, and must get the same. */
void plan_block(struct engine_thread *t, u64 chunk, u64 pfn, struct plan_counts *counts,
		u64 *packed);

/* The parts of a packed block: pages to keep (0x8000 is the most there can be), the rounds of pass
 * 2 that have any, and a check of which pages they are, and in which rounds. */
#define PACKED_KEPT(p) ((u32)(0xffff & (p)))
#define PACKED_ROUNDS(p) ((u32)((p) >> 16 & 0x3ff))
#define PACKED_CHECK 26 /* shift; 38 bits */

/* Reads the RAM bits of the block at pfn and plans it, outside pass 1. */
int plan_block_again(struct engine_thread *t, u64 pfn, u64 *packed, struct err *e);

/* Pass 2. */
int pool_run(struct engine *en, struct err *e);

/* Points *p at one whole page, assembled where it comes in pieces, and at as many after it, up to
 * max, as are there in one piece. Returns how many, or -errno when the first cannot be read. */
ssize_t engine_pages(struct engine_thread *t, u64 pfn, size_t max, const u8 **p);

/* -ECANCELED when the other side asked to stop, 0 else. Gives the tick. */
int engine_pulse(struct engine_thread *t, struct err *e);

#endif
