/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "block.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"

#define GROUP_BAD 4

/* Between which of the source's mappings those of the kernel's text are: there may be thousands of
 * others, one for each piece of memory that was added later. */
static void find_image_maps(struct block_view *bv)
{
	const struct source *s = bv->core->src;

	for (size_t i = 0; i < s->nmaps; i++) {
		if (s->maps[i].va < XLAT_KERNEL_TEXT)
			continue;
		if (bv->image_end == 0)
			bv->image_first = i;
		bv->image_end = i + 1;
	}
}

int block_view_open(struct block_view *bv, const struct core *core, const struct memmap *mm,
		    const struct value *value, size_t block_pages, struct err *e)
{
	memset(bv, 0, sizeof(*bv));
	bv->core = core;
	bv->mm = mm;
	bv->value = value;
	bv->pages = block_pages;
	find_image_maps(bv);
	if (!mm)
		return 0;
	bv->missing = calloc(block_pages / 64, 8);
	if (!bv->missing)
		return err_sys(e, -ENOMEM, "classes of a block");
	return memmap_view_open(&bv->mv, mm, block_pages, e);
}

void block_view_close(struct block_view *bv)
{
	free(bv->missing);
	if (bv->mm)
		memmap_view_close(&bv->mv);
	memset(bv, 0, sizeof(*bv));
}

/* Of kernel and slab pages, those that are wanted first, as far as a struct page tells. */
static enum page_class class_by_value(const struct block_view *bv, enum page_class pc,
				      const struct page_fields *f, const u8 *page)
{
	const struct value *v = bv->value;

	if (!v)
		return pc;
	if (pc == PC_SLAB && value_slab(v, page))
		return PC_VITAL;
	if (pc == PC_KERNEL && v->boot_flags && (f->flags & v->boot_flags) == v->boot_flags)
		return PC_VITAL;
	return pc;
}

/* The class of the compound page whose head, in another block, has its struct page at head_va. */
static enum page_class far_head_class(struct block_view *bv, u64 head_va)
{
	const struct kinfo *ki = &bv->core->ki;
	struct page_fields f;
	u8 pages[2 * 512];
	unsigned order;

	if (head_va == bv->head_va)
		return bv->head_class;
	bv->head_va = head_va;
	bv->head_class = PC_UNKNOWN;
	if (kmem_read(&bv->mv.km, head_va, pages, 2 * (size_t)ki->page.size, NULL))
		return PC_UNKNOWN;
	page_fields_load(&f, &ki->page, pages, pages + ki->page.size);
	if (page_is_tail(&f) || !(f.flags & ki->flag_head))
		return PC_UNKNOWN;
	bv->head_class = class_by_value(bv, classify_page(ki, &f, &order), &f, pages);
	return bv->head_class;
}

struct walk {
	const u8 *map;
	u64 va; /* of the block's first struct page */
	u64 pfn;
	size_t n;
	u8 *cls;
};

/* A compound page lies aligned to its size: so far from its head can a tail be. */
static bool tail_of(u64 pfn, u64 head_pfn)
{
	return head_pfn < pfn && (head_pfn == 0 || pfn - head_pfn < (head_pfn & -head_pfn));
}

/* A tail has the class of its head; its own poison counts all the same. */
static enum page_class tail_class(struct block_view *bv, const struct walk *w, size_t i,
				  const struct page_fields *f)
{
	const struct kinfo *ki = &bv->core->ki;
	u64 size = ki->page.size, flags, head_pfn;
	u64 head_va = page_head_va(f, w->va + i * size);
	enum page_class pc;

	if (head_va < w->va || head_va >= w->va + i * size) {
		head_pfn = memmap_va_pfn(bv->mm, head_va, w->pfn + i);
		if (head_pfn == ~(u64)0 || !tail_of(w->pfn + i, head_pfn))
			return PC_UNKNOWN;
		pc = far_head_class(bv, head_va);
	} else {
		size_t head = (head_va - w->va) / size;

		memcpy(&flags, w->map + head * size + ki->page.flags, 8);
		if ((head_va - w->va) % size || !(flags & ki->flag_head) ||
		    !tail_of(w->pfn + i, w->pfn + head))
			return PC_UNKNOWN;
		pc = w->cls[head];
	}
	if (pc == PC_FREE || pc == PC_UNKNOWN) /* a free area has no tails */
		return PC_UNKNOWN;
	return f->flags & ki->flag_hwpoison ? PC_HWPOISON : pc;
}

/* Whether no page of a free area but its first, which is known to be free, is in use. */
static bool area_is_free(const struct kinfo_page *kp, const u8 *page, size_t n)
{
	/* without the field: what is looked at does no harm twice */
	bool counted = kp->refcount != KINFO_ABSENT;
	const u8 *compound = page + kp->size + kp->compound;
	const u8 *refcount = page + kp->size + (counted ? kp->refcount : kp->compound);
	u32 count = 0, tail = 0;

	/* no branch for each page: most of a big machine goes through here */
	for (size_t i = 1; i < n; i++) {
		u32 c, r;

		memcpy(&c, compound, 4);
		memcpy(&r, refcount, 4);
		tail |= c;
		count |= r;
		compound += kp->size;
		refcount += kp->size;
	}
	return !(tail & 1) && !(counted && count);
}

/* Walks the struct pages. All of a free area has the class of its first page, where it can. */
static void walk_pages(struct block_view *bv, const struct walk *w)
{
	const struct kinfo *ki = &bv->core->ki;
	size_t size = ki->page.size;

	for (size_t i = 0; i < w->n;) {
		const u8 *page = w->map + i * size;
		struct page_fields f;
		unsigned order = 0;
		size_t run = 1;

		page_fields_load(&f, &ki->page, page, i + 1 < w->n ? page + size : NULL);
		if (bit_test(bv->missing, i)) {
			w->cls[i] = PC_NO_MEMMAP;
		} else if (page_is_tail(&f)) {
			w->cls[i] = tail_class(bv, w, i, &f);
		} else {
			w->cls[i] = class_by_value(bv, classify_page(ki, &f, &order), &f, page);
			run = (size_t)1 << order;
			/* a free area lies aligned and so within the block */
			if (run > 1 && ((w->pfn + i) % run || run > w->n - i ||
					!area_is_free(&ki->page, page, run))) {
				w->cls[i] = PC_UNKNOWN;
				run = 1;
			}
		}
		memset(w->cls + i, w->cls[i], run);
		i += run;
	}
	for (size_t i = bit_next(bv->missing, w->n, 0, true); i < w->n;
	     i = bit_next(bv->missing, w->n, i + 1, true))
		w->cls[i] = PC_NO_MEMMAP;
}

/* Where one descriptor makes no sense memory was overwritten, and others beside it may make sense
 * by chance: in such a group no page is left out. Reading a page that is poisoned or offline can
 * kill the capture kernel, so that is doubted only where a lot is wrong: nothing else is believed
 * then either. Sane kernels have no such group; the most it could cost one is room for 64 pages. */
static void doubt_groups(const struct walk *w)
{
	for (size_t at = 0, run; at < w->n; at += run / BLOCK_GROUP * BLOCK_GROUP) {
		u8 *cls = w->cls + at;
		size_t bad = 0;

		/* whole groups of one class have nothing to doubt */
		run = page_class_run(w->cls, w->n, at);
		if (run >= BLOCK_GROUP)
			continue;
		run = BLOCK_GROUP;
		for (size_t i = 0; i < BLOCK_GROUP; i++)
			bad += cls[i] == PC_UNKNOWN;
		for (size_t i = 0; bad && i < BLOCK_GROUP; i++) {
			const struct page_class_info *info = &page_class_table[cls[i]];

			if (info->level_mask || (bad >= GROUP_BAD && cls[i] != PC_NO_MEMMAP))
				cls[i] = PC_UNKNOWN;
		}
	}
}

/* Pages of the kernel's image, by the mapping of its text that the source's headers show. */
static void mark_image(const struct block_view *bv, u64 pfn, u8 *cls)
{
	const struct source *s = bv->core->src;
	/* what was only for the boot is used for something else: known where boot memory is */
	bool reused = bv->value && bv->value->boot_flags;

	for (size_t i = bv->image_first; i < bv->image_end; i++) {
		u64 first = s->maps[i].pa >> PAGE_SHIFT;
		u64 end = first + (s->maps[i].size >> PAGE_SHIFT);

		if (s->maps[i].va < XLAT_KERNEL_TEXT || end <= pfn || first >= pfn + bv->pages)
			continue;
		for (u64 p = MAX(first, pfn); p < MIN(end, pfn + bv->pages); p++) {
			u8 *pc = &cls[p - pfn];

			if (*pc == PC_VITAL || (*pc == PC_KERNEL && !reused))
				*pc = bv->value ? value_image_class(bv->value, p) : PC_IMAGE;
		}
	}
}

/* Kernel pages that hold the memory map get a class of their own. */
static void mark_memmap(const struct block_view *bv, u64 pfn, u8 *cls)
{
	const struct ranges *phys = &bv->mm->phys;
	const struct range *r = ranges_find(phys, pfn << PAGE_SHIFT);

	for (; r && r < phys->r + phys->n; r++) {
		u64 first = r->pa >> PAGE_SHIFT, end = (r->pa + r->size) >> PAGE_SHIFT;

		if (first >= pfn + bv->pages)
			break;
		for (u64 p = MAX(first, pfn); p < MIN(end, pfn + bv->pages); p++) {
			if (cls[p - pfn] == PC_KERNEL || cls[p - pfn] == PC_VITAL)
				cls[p - pfn] = PC_MEMMAP;
		}
	}
}

/* What was found by its address. */
static void mark_vital(const struct block_view *bv, u64 pfn, u8 *cls)
{
	size_t n = bv->value ? bv->pages : 0;

	for (size_t i = 0, run; i < n; i += run) {
		run = 1;
		if (cls[i] != PC_KERNEL && cls[i] != PC_SLAB)
			run = page_class_run(cls, n, i); /* of free pages: most of a big machine */
		else if (value_marked(bv->value, pfn + i))
			cls[i] = PC_VITAL;
	}
}

static void classify_raw(struct block_view *bv, u64 pfn, u8 *cls)
{
	struct walk w = { .n = bv->pages, .pfn = pfn, .cls = cls };

	memset(bv->missing, 0, bv->pages / 8);
	w.va = memmap_page_va(bv->mm, pfn);
	memmap_block(&bv->mv, pfn, bv->pages, &w.map, bv->missing);
	walk_pages(bv, &w);
	doubt_groups(&w);
}

void block_classify(struct block_view *bv, u64 pfn, const u64 *ram, u8 *cls)
{
	if (!bv->mm) {
		memset(cls, PC_NO_MEMMAP, bv->pages);
	} else {
		classify_raw(bv, pfn, cls);
		mark_vital(bv, pfn, cls);
		mark_memmap(bv, pfn, cls);
		mark_image(bv, pfn, cls);
	}
	for (size_t i = bit_next(ram, bv->pages, 0, false); i < bv->pages;
	     i = bit_next(ram, bv->pages, i + 1, false))
		cls[i] = PC_HOLE;
}

void block_kept_groups(const u8 *cls, size_t pages, unsigned level, u8 *kept)
{
	memset(kept, 0, pages / BLOCK_GROUP / 8);
	for (size_t i = 0, run; i < pages; i += run) {
		run = page_class_run(cls, pages, i);
		for (size_t g = i / BLOCK_GROUP;
		     page_class_dumped(cls[i], level) && g <= (i + run - 1) / BLOCK_GROUP; g++)
			kept[g / 8] |= (u8)(1u << g % 8);
	}
}

/* Whether all pages described by the records that lie at least partly in [off, off + PAGE_SIZE) of
 * the memory map (off in bytes from the record of pfn 0) are left out. */
static bool describes_only_excluded(const struct block_view *bv, u64 off, const u8 *kept, u64 pages)
{
	u64 size = bv->core->ki.page.size;
	u64 first = off / size / BLOCK_GROUP, last = (off + PAGE_SIZE - 1) / size / BLOCK_GROUP;

	for (u64 group = first; group <= last && group < pages / BLOCK_GROUP; group++) {
		if (kept[group / 8] >> (group % 8) & 1)
			return false;
	}
	return true;
}

size_t block_drop_vmemmap(const struct block_view *bv, u64 pfn, const u8 *cls, const u8 *kept,
			  u64 pages, u64 *keep)
{
	size_t dropped = 0;

	for (size_t i = 0; bv->mm && i < bv->pages; i++) {
		const struct range *r;
		u64 pa = (pfn + i) << PAGE_SHIFT;

		if (cls[i] != PC_MEMMAP || !bit_test(keep, i))
			continue;
		r = ranges_find(&bv->mm->phys, pa);
		if (!r || pa < r->pa || PAGE_SIZE > r->pa + r->size - pa)
			continue;
		if (describes_only_excluded(bv, r->off + (pa - r->pa), kept, pages)) {
			bit_clear(keep, i);
			dropped++;
		}
	}
	return dropped;
}
