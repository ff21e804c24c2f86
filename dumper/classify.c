/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "classify.h"

#define MAPPING_ANON 1ull /* bit 0 of page.mapping */

const struct page_class_info page_class_table[PC_COUNT] = {
	[PC_HOLE] = { "hole", 0, 0, true, false },
	[PC_VITAL] = { "vital", 0, 0, false, false },
	[PC_IMAGE] = { "image", 0, 1, false, false },
	[PC_CALLED] = { "called", 0, 2, false, false },
	[PC_KERNEL] = { "kernel", 0, 3, false, false },
	[PC_NO_MEMMAP] = { "no_memmap", 0, 3, false, true },
	[PC_TEXT] = { "text", 0, 4, false, false },
	[PC_SLAB] = { "slab", 0, 5, false, false },
	[PC_UNKNOWN] = { "unknown", 0, 5, false, true },
	[PC_MEMMAP] = { "memmap", 0, 6, false, false },
	[PC_USER] = { "user", LEVEL_USER, 7, false, true },
	/* as makedumpfile: level 4 leaves out the cache without private data as well */
	[PC_CACHE] = { "cache", LEVEL_CACHE | LEVEL_CACHE_PRIVATE, 8, false, true },
	[PC_CACHE_PRIVATE] = { "cache_private", LEVEL_CACHE_PRIVATE, 8, false, true },
	[PC_FREE] = { "free", LEVEL_FREE, 9, false, true },
	[PC_HWPOISON] = { "hwpoison", 0, 0, true, false },
	[PC_OFFLINE] = { "offline", 0, 0, true, false },
};

#define KERNEL_POINTER(v) ((v) >> 56 == 0xff)

static bool ptype_is(const struct kinfo_ptype *t, u32 mapcount)
{
	return (mapcount & t->mask) == t->want;
}

static bool is_slab(const struct kinfo *ki, const struct page_fields *f)
{
	return (f->flags & ki->flag_slab) || ptype_is(&ki->slab, f->mapcount);
}

static bool is_cache(const struct kinfo *ki, const struct page_fields *f)
{
	if (f->flags & ki->flag_lru)
		return true;
	/* from 4.10 PG_swapcache shares its bit and means the swap cache only beside
	 * PG_swapbacked */
	return (f->flags & ki->flag_swapcache) && (f->flags & ki->flag_swapbacked);
}

static bool is_hugetlb(const struct kinfo *ki, const struct page_fields *f)
{
	if (!(f->flags & ki->flag_head))
		return false;
	return ptype_is(&ki->hugetlb, f->mapcount) ||
	       (ki->hugetlb_dtor && ki->page.dtor != KINFO_ABSENT && f->dtor == ki->hugetlb_dtor) ||
	       (f->tail_flags & ki->flag_hugetlb);
}

/* Whether the fields can be a descriptor's, and bear out the class that does not come from them.
 * The flags word begins with the number of the node or section: only a pointer begins with ones.
 * What lies over _mapcount is a count or a page type; a slab may keep something else there. */
static bool believable(const struct kinfo *ki, const struct page_fields *f, enum page_class pc)
{
	u64 mapping = f->mapping & ~(u64)3;
	bool count = (s32)f->mapcount >= -1;

	if (pc == PC_UNKNOWN || pc == PC_SLAB)
		return true;
	if ((s32)f->refcount < 0 || KERNEL_POINTER(f->flags) ||
	    !(count || f->mapcount >> 28 == 0xf))
		return false;
	if (pc == PC_FREE)
		return f->refcount == 0;
	/* cache or user: of the types only hugetlb has such pages */
	if (page_class_table[pc].level_mask)
		return (mapping == 0 || KERNEL_POINTER(mapping)) && (count || is_hugetlb(ki, f));
	return true;
}

static enum page_class class_of(const struct kinfo *ki, const struct page_fields *f,
				unsigned *order)
{
	bool slab, anon;

	if (f->flags & ki->flag_hwpoison)
		return PC_HWPOISON;
	if (ptype_is(&ki->offline, f->mapcount))
		return PC_OFFLINE;
	slab = is_slab(ki, f);
	if (!slab && ptype_is(&ki->buddy, f->mapcount)) {
		if (f->priv >= ki->max_orders)
			return PC_UNKNOWN;
		*order = (unsigned)f->priv;
		return PC_FREE;
	}
	if (ptype_is(&ki->unaccepted, f->mapcount)) {
		*order = ki->max_orders - 1; /* the only order that is not accepted yet */
		return PC_FREE;
	}
	/* slab fields lie over mapping, so the slab test comes first */
	anon = !slab && (f->mapping & MAPPING_ANON);
	if (!anon && is_cache(ki, f))
		return f->flags & ki->flag_private ? PC_CACHE_PRIVATE : PC_CACHE;
	if (anon || is_hugetlb(ki, f))
		return PC_USER;
	return slab ? PC_SLAB : PC_KERNEL;
}

enum page_class classify_page(const struct kinfo *ki, const struct page_fields *f, unsigned *order)
{
	enum page_class pc;

	*order = 0;
	pc = class_of(ki, f, order);
	if (believable(ki, f, pc))
		return pc;
	*order = 0;
	return PC_UNKNOWN;
}
