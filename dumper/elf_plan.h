/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf_plan.h - the segments of an ELF dump: runs of RAM with the part of each that is in the file.
 * A gap of pages that are left out ends a segment when it is long; a short one becomes a hole in
 * the file. How long is long grows when there would be too many segments, so memory stays bounded.
 * Units:  pages. Owner: elf_plan_deinit(). Threads: the caller locks elf_plan_add(). */
#ifndef CRASHPOD_ELF_PLAN_H
#define CRASHPOD_ELF_PLAN_H

#include "base/types.h"

#define ELF_GAP_PAGES 256 /* as makedumpfile's: 1 MiB */

struct elf_seg {
	u64 pfn, mem; /* pages of RAM */
	u64 file;     /* the first of them that are in the file */
	u64 off;      /* in the file, bytes; set by elf_plan_settle() */
};

struct elf_plan {
	struct elf_seg *segs;
	size_t n, cap;
	u64 gap; /* pages left out that end a segment */
};

void elf_plan_init(struct elf_plan *p, u64 gap_pages);
void elf_plan_deinit(struct elf_plan *p);

/* Adds what n bits (a chunk from pfn on) say. Chunks may come in any order. -ENOMEM; -E2BIG when
 * RAM itself is in too many pieces. */
int elf_plan_add(struct elf_plan *p, u64 pfn, size_t n, const u64 *ram, const u64 *keep);

/* Sorts, joins what chunk borders cut, and gives each segment its place from file offset off on.
 * Returns the offset after the last. */
u64 elf_plan_settle(struct elf_plan *p, u64 off);
/* Sorts and joins only; offsets are not set. */
void elf_plan_join(struct elf_plan *p);

/* The segment whose RAM holds pfn, or NULL. */
const struct elf_seg *elf_plan_find(const struct elf_plan *p, u64 pfn);

#endif
