/* SPDX-License-Identifier: GPL-2.0-or-later */
/* out.h - a dump format: kdump-compressed (out_kdump.c) or ELF (out_elf.c), written to a sink.
 * The engine calls, in this order: begin; plan for every chunk (pass 1; again from begin when the
 * level is raised); prepare; in each thread worker_open, pages for every run, worker_close
 * (pass 2); finish. From prepare on, the file opens in the readers and says it is incomplete;
 * finish clears that mark. A sink that writes once gets its headers from finish, and it is called
 * for a dump that stopped early as well.
 * Units:   pfn, counts in pages; index = number of the page among all that are dumped, in pfn
 * order. Errors:  0 or -errno from the sink. Threads: plan and the worker calls come from many
 * threads at once; plan for any chunk order. */
#ifndef CRASHPOD_OUT_H
#define CRASHPOD_OUT_H

#include "compress.h"
#include "core.h"
#include "dump.h"
#include "sink.h"

/* Pages of one chunk of pass 1: one 4096-byte block of a kdump bitmap. */
#define CHUNK_PAGES ((size_t)32768)
#define CHUNK_WORDS (CHUNK_PAGES / 64)

struct out;
struct out_worker;

/* What writing the pages of one thread came to. */
struct out_counts {
	u64 pages; /* whose descriptors, or bytes, are in the file */
	u64 zero, duplicate;
	u64 unplaced; /* that pass 1 left out, but are not what they were then */
};

/* Pages to be written that follow each other in memory. */
struct out_run {
	u64 pfn;
	size_t n;
	u64 index;  /* of the first among all dumped pages */
	u64 map_va; /* the kernel's address of the first, where they hold the memory map; else 0 */
	bool repeats;	/* they may be the same as others: see struct page_class_info */
	const u8 *data; /* of all n */
};

struct out_ops {
	const char *name;
	bool drops_zero; /* zero pages are left out in pass 1 (keep comes without them) */
	int (*begin)(struct out *o, struct err *e);
	int (*plan)(struct out *o, u64 pfn, const u64 *ram, const u64 *keep, struct err *e);
	/* kept: pages to be written. */
	int (*prepare)(struct out *o, u64 kept, struct err *e);
	int (*worker_open)(struct out *o, struct out_worker **w, struct err *e);
	int (*pages)(struct out_worker *w, const struct out_run *r, struct err *e);
	int (*worker_flush)(struct out_worker *w, struct err *e);
	void (*worker_close)(struct out_worker *w, struct out_counts *counts);
	int (*finish)(struct out *o, bool complete, struct err *e);
	void (*close)(struct out *o);
};

struct out {
	const struct out_ops *ops;
	const struct core *core;
	const struct dump_opts *opts;
	struct sink *sink;
	unsigned level; /* in force: the level asked for, or higher to fit */
};

int out_kdump_open(struct out **out, const struct core *core, const struct dump_opts *opts,
		   struct sink *sink, struct err *e);
int out_elf_open(struct out **out, const struct core *core, const struct dump_opts *opts,
		 struct sink *sink, struct err *e);

/* What an earlier filter has left out cannot be had back: the level is at least that one. */
static inline unsigned out_level(const struct core *core, const struct dump_opts *opts)
{
	return opts->level | core->src->excluded_level;
}

/* Whether all of a page is one 64-bit word again and again; *word is that word. */
static inline bool page_is_constant(const u8 *page, u64 *word)
{
	const u64 *p = (const u64 *)(const void *)page;

	/* most pages differ within the first line */
	for (size_t i = 1; i < 8; i++) {
		if (p[i] != p[0])
			return false;
	}
	for (size_t i = 8; i < PAGE_SIZE / 8; i += 8) {
		u64 d = (p[i] ^ p[0]) | (p[i + 1] ^ p[0]) | (p[i + 2] ^ p[0]) | (p[i + 3] ^ p[0]) |
			(p[i + 4] ^ p[0]) | (p[i + 5] ^ p[0]) | (p[i + 6] ^ p[0]) |
			(p[i + 7] ^ p[0]);
		if (d)
			return false;
	}
	*word = p[0];
	return true;
}

#endif
