/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xlat.h - x86_64 kernel virtual to physical addresses by walking the dead kernel's page tables.
 * In:      table entries are hostile: a walk has at most 5 steps, and never loops.
 * Units:   va, pa in bytes.
 * Errors:  -EFAULT: not mapped; -EINVAL: the tables make no sense; others as window_get().
 * Threads: struct xlat is immutable after xlat_init(); a thread brings its own xlat_cache.
 * Source:  Documentation/arch/x86/x86_64/mm.rst, Intel SDM volume 3, "4-level paging". */
#ifndef CRASHPOD_XLAT_H
#define CRASHPOD_XLAT_H

#include "base/err.h"
#include "base/types.h"
#include "source.h"
#include "vmcoreinfo.h"

/* Set in every kernel address. */
#define XLAT_KERNEL_HALF 0xff00000000000000ull
/* __START_KERNEL_map: the kernel's text and data are mapped from here on a second time. */
#define XLAT_KERNEL_TEXT 0xffffffff80000000ull

struct xlat {
	u64 root_pa;	 /* of init_top_pgt; 0: cannot translate */
	unsigned levels; /* 4 or 5 */
	u64 sme_mask;	 /* bits to clear from entries */
	u64 phys_base;	 /* pa of __START_KERNEL_map, modulo 2^64 */
};

/* The table page last read at each level: most walks then read nothing. */
struct xlat_cache {
	u64 table_pa[5]; /* ~0: empty */
	u8 table[5][PAGE_SIZE];
};

int xlat_init(struct xlat *x, const struct vmcoreinfo *vi, struct err *e);
void xlat_cache_init(struct xlat_cache *c);

/* *pa, and how many bytes from there on are contiguous in this mapping. w reads table pages. */
int xlat_va(const struct xlat *x, struct xlat_cache *c, struct window *w, u64 va, u64 *pa,
	    u64 *contig, struct err *e);

#endif
