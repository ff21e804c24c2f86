/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kinfo.h - what the vmcoreinfo says of the kernel's structures, as numbers ready to use. No kernel
 * version is tested anywhere: a field is there or it is not.
 * Errors:  kinfo_init() fails with -ENOENT and the key's name when pages cannot be classified at
 *          all; ki->release is filled in even then.
 * Source:  Documentation/admin-guide/kdump/vmcoreinfo.rst; include/linux/page-flags.h */
#ifndef CRASHPOD_KINFO_H
#define CRASHPOD_KINFO_H

#include "base/err.h"
#include "base/types.h"
#include "vmcoreinfo.h"

#define KINFO_ABSENT 0xffff

/* A page type in _mapcount: matched when (mapcount & mask) == want. Absent: mask = 0, want = 1,
 * which no value matches. */
struct kinfo_ptype {
	u32 mask, want;
};

/* Where fields lie in struct page, in bytes; KINFO_ABSENT where the kernel has no such field. */
struct kinfo_page {
	u16 size;
	u16 flags, refcount, mapping, lru, mapcount, priv, compound;
	u16 dtor; /* in page[1], the first tail; up to 6.5 */
};

struct kinfo {
	bool classify;	  /* the rest can be relied on */
	char release[65]; /* OSRELEASE, uname -r */
	struct kinfo_page page;
	u64 flag_lru, flag_private, flag_swapcache, flag_swapbacked, flag_slab, flag_hwpoison;
	u64 flag_head;	  /* PG_head_mask */
	u64 flag_hugetlb; /* in page[1].flags, 6.6 to 6.8; 0 elsewhere */
	struct kinfo_ptype buddy, unaccepted, slab, offline, hugetlb;
	u32 hugetlb_dtor; /* value of page[1].dtor, up to 6.5; 0 elsewhere */
	u32 max_orders;	  /* LENGTH(zone.free_area): orders are below it */
	u32 block_order;  /* log2 pages of a block: the largest buddy order, at least 10 */
	/* the sparse memory model */
	u64 mem_section;      /* SYMBOL(mem_section), va */
	u32 section_roots;    /* LENGTH(mem_section) */
	u32 section_size;     /* SIZE(mem_section), bytes */
	u32 section_map_off;  /* OFFSET(mem_section.section_mem_map) */
	u32 section_bits;     /* SECTION_SIZE_BITS */
	u32 physmem_bits;     /* MAX_PHYSMEM_BITS */
	u64 section_map_mask; /* clears the flag bits of section_mem_map */
};

int kinfo_init(struct kinfo *ki, const struct vmcoreinfo *vi, struct err *e);

#endif
