/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

#define SECTION_HAS_MAP 2ull	 /* SECTION_HAS_MEM_MAP */
#define MEMMAP_RANGES_MAX 16384	 /* 400 KB; a memory map scattered wider is no longer followed */
#define SECTION_RANGES_MAX 65536 /* 1.5 MB; sections behind so many count as not there */
#define COMPOUND_PAGES_MAX ((u64)1 << 18) /* 1 GiB, the largest of hugetlbfs */

struct section_walk {
	struct memmap *m;
	struct kmem *km;
	u64 bytes;    /* of the struct pages of a section */
	u64 per_root; /* sections behind one root pointer; 1: no roots (not EXTREME) */
};

/* One mem_section entry -> va of the section's first struct page, or 0. */
static u64 section_decode(const struct section_walk *sw, const u8 *entry, u64 nr)
{
	const struct kinfo *ki = &sw->m->core->ki;
	u64 coded, va;

	memcpy(&coded, entry + ki->section_map_off, 8);
	if (!(coded & SECTION_HAS_MAP))
		return 0;
	/* the kernel stores the map's address less that of the section's first page */
	va = (coded & ki->section_map_mask) + nr * sw->bytes;
	if ((va & XLAT_KERNEL_HALF) != XLAT_KERNEL_HALF || va % 8 || va > UINT64_MAX - sw->bytes)
		return 0;
	return va;
}

/* Reads the entries of sections [nr, nr + n) at va, a page at a time: a part of a table that cannot
 * be read costs no others. */
static int sections_read(const struct section_walk *sw, u64 va, u64 nr, u64 n, struct err *e)
{
	struct memmap *m = sw->m;
	u64 size = m->core->ki.section_size;
	u8 entries[4096];

	n = MIN(n, m->nsections - nr);
	for (u64 done = 0, now; done < n; done += now, va += now * size) {
		int rc;

		now = MIN(MAX((PAGE_SIZE - va % PAGE_SIZE) / size, 1), n - done);
		rc = kmem_read(sw->km, va, entries, now * size, e);
		for (u64 i = 0; i < now && rc == 0 && m->sections.n < SECTION_RANGES_MAX; i++) {
			u64 at = section_decode(sw, entries + i * size, nr + done + i);

			if (at &&
			    ranges_append(&m->sections, (nr + done + i) * sw->bytes, sw->bytes, at))
				rc = err_sys(e, -ENOMEM, "section table");
		}
		if (rc)
			return rc;
	}
	return 0;
}

/* The parts of virtual memory that are the struct pages of more than one section. */
static int sections_shared(const struct memmap *m, struct ranges *shared)
{
	struct ranges by_va = { 0 };
	u64 before = 0;
	int rc = 0;

	for (size_t i = 0; i < m->sections.n && rc == 0; i++)
		rc = ranges_add(&by_va, m->sections.r[i].off, m->sections.r[i].size, 0);
	ranges_sort(&by_va);
	for (size_t i = 0; i < by_va.n && rc == 0; i++) {
		u64 va = by_va.r[i].pa, end = va + by_va.r[i].size;

		if (va < before)
			rc = ranges_add(shared, va, MIN(end, before) - va, va);
		before = MAX(before, end);
	}
	ranges_settle(shared);
	ranges_deinit(&by_va);
	return rc;
}

/* Forgets the sections that have a part in shared. */
static int sections_forget(const struct section_walk *sw, const struct ranges *shared)
{
	struct ranges *sections = &sw->m->sections, kept = { 0 };
	int rc = 0;

	for (const struct range *r = sections->r; r < sections->r + sections->n; r++) {
		for (u64 at = 0; at < r->size && rc == 0; at += sw->bytes) {
			const struct range *s = ranges_find(shared, r->off + at);

			if (!s || s->pa >= r->off + at + sw->bytes)
				rc = ranges_append(&kept, r->pa + at, sw->bytes, r->off + at);
		}
	}
	ranges_deinit(sections);
	*sections = kept;
	return rc;
}

/* A struct page describes one page: sections that share some are not believed. Nearly always all
 * lie in ascending order and nothing is to be done. */
static int sections_check(const struct section_walk *sw, struct err *e)
{
	const struct ranges *sections = &sw->m->sections;
	struct ranges shared = { 0 };
	bool apart = true;
	int rc;

	for (size_t i = 1; i < sections->n; i++) {
		const struct range *r = &sections->r[i];

		apart = apart && r->off >= r[-1].off + r[-1].size;
	}
	if (apart)
		return 0;
	rc = sections_shared(sw->m, &shared);
	if (rc == 0 && shared.n)
		rc = sections_forget(sw, &shared);
	ranges_deinit(&shared);
	return rc ? err_sys(e, rc, "%zu ranges of sections", sections->n) : 0;
}

/* Whether the table just read makes sense: some section has a map, and its address translates. */
static bool sections_plausible(const struct section_walk *sw)
{
	const struct memmap *m = sw->m;
	unsigned found = 0, mapped = 0;

	for (size_t i = 0; i < m->sections.n; i++) {
		const struct range *r = &m->sections.r[i];

		for (u64 at = 0, pa, contig; at < r->size && found < 16; at += sw->bytes) {
			found++;
			mapped += xlat_va(&m->core->xlat, &sw->km->cache, &sw->km->win, r->off + at,
					  &pa, &contig, NULL) == 0;
		}
	}
	return found && mapped * 2 >= found;
}

/* Takes table as the address of mem_section and reads the sections. */
static int sections_try(const struct section_walk *sw, u64 table, struct err *e)
{
	struct memmap *m = sw->m;
	u64 roots = m->core->ki.section_roots;
	int rc = 0;

	m->sections.n = 0;
	if (sw->per_root == 1)
		return sections_read(sw, table, 0, MIN(roots, m->nsections), e);
	for (u64 i = 0; i < roots && i * sw->per_root < m->nsections && !rc; i++) {
		u64 root;

		rc = kmem_read(sw->km, table + i * 8, &root, 8, e);
		/* a root that is bad costs its own sections only: their pages are then kept */
		if (rc == 0 && (root & XLAT_KERNEL_HALF) == XLAT_KERNEL_HALF)
			sections_read(sw, root, i * sw->per_root, sw->per_root, NULL);
	}
	return rc;
}

/* -E2BIG: scattered too widely. */
static int phys_add(struct memmap *m, u64 pa, u64 n, u64 off)
{
	int rc = ranges_append(&m->phys, pa, n, off);

	if (rc || m->phys.n < MEMMAP_RANGES_MAX)
		return rc;
	ranges_settle(&m->phys);
	/* with little room left all would soon be sorted again */
	return m->phys.n < MEMMAP_RANGES_MAX / 4 * 3 ? 0 : -E2BIG;
}

/* Notes where in physical memory the struct pages of some sections lie. */
static int phys_collect_range(const struct section_walk *sw, const struct range *r)
{
	struct memmap *m = sw->m;
	int rc = 0;

	for (u64 done = 0, n; done < r->size && rc == 0; done += n) {
		u64 pa, contig;

		n = PAGE_SIZE;
		if (xlat_va(&m->core->xlat, &sw->km->cache, &sw->km->win, r->off + done, &pa,
			    &contig, NULL))
			continue;
		n = MIN(contig, r->size - done);
		rc = phys_add(m, pa, n, r->pa + done);
	}
	return rc;
}

static int phys_collect(const struct section_walk *sw, struct err *e)
{
	struct memmap *m = sw->m;
	int rc = 0;

	for (size_t i = 0; i < m->sections.n && rc == 0; i++)
		rc = phys_collect_range(sw, &m->sections.r[i]);
	if (rc == -ENOMEM)
		return err_sys(e, rc, "ranges of the memory map");
	m->phys_complete = rc == 0;
	ranges_settle(&m->phys);
	return 0;
}

static int sections_find(const struct section_walk *sw, struct err *e)
{
	struct memmap *m = sw->m;
	u64 table = m->core->ki.mem_section;
	int rc = sections_try(sw, table, e);

	if (rc == -ENOMEM)
		return err_ctx(e, "mem_section");
	if (rc == 0 && sections_plausible(sw))
		return 0;
	/* the symbol may be that of a pointer to the table */
	rc = kmem_read(sw->km, m->core->ki.mem_section, &table, 8, e);
	if (rc == 0)
		rc = sections_try(sw, table, e);
	if (rc)
		return err_ctx(e, "mem_section");
	if (!sections_plausible(sw))
		return err_set(e, -EINVAL,
			       "mem_section at %#llx: no section's memory map is mapped",
			       (unsigned long long)m->core->ki.mem_section);
	return 0;
}

int memmap_init(struct memmap *m, const struct core *core, u64 max_pfn, struct err *e)
{
	const struct kinfo *ki = &core->ki;
	unsigned section_order = ki->section_bits - PAGE_SHIFT;
	struct kmem *km;
	struct section_walk sw = { .m = m };
	u64 extreme;
	int rc;

	memset(m, 0, sizeof(*m));
	m->core = core;
	if (!ki->classify || !core->xlat.root_pa)
		return err_set(e, -ENOENT, "%s", core->why.msg);
	m->nsections = MIN((max_pfn + ((u64)1 << section_order) - 1) >> section_order,
			   (u64)1 << (ki->physmem_bits - ki->section_bits));
	km = malloc(sizeof(*km));
	sw.km = km;
	sw.bytes = (u64)ki->page.size << section_order;
	/* EXTREME: as many roots as there are pages full of mem_section */
	sw.per_root = PAGE_SIZE / ki->section_size;
	extreme = (((u64)1 << (ki->physmem_bits - ki->section_bits)) + sw.per_root - 1) /
		  sw.per_root;
	if (ki->section_roots != extreme)
		sw.per_root = 1;
	rc = km ? kmem_open(km, core, e) : err_sys(e, -ENOMEM, "memory map");
	if (rc == 0) {
		rc = sections_find(&sw, e);
		if (rc == 0)
			rc = sections_check(&sw, e);
		if (rc == 0)
			rc = phys_collect(&sw, e);
		kmem_close(km);
	}
	free(km);
	if (rc)
		memmap_deinit(m);
	return rc;
}

void memmap_deinit(struct memmap *m)
{
	ranges_deinit(&m->sections);
	ranges_deinit(&m->phys);
	m->nsections = 0;
}

int memmap_view_open(struct memmap_view *v, const struct memmap *m, size_t block_pages,
		     struct err *e)
{
	size_t bytes = block_pages * m->core->ki.page.size;
	int rc;

	memset(v, 0, sizeof(*v));
	v->map = m;
	v->block_pages = block_pages;
	v->buf = malloc(bytes);
	if (!v->buf)
		return err_sys(e, -ENOMEM, "page descriptors of a block: %zu bytes", bytes);
	rc = kmem_open(&v->km, m->core, e);
	if (rc == 0)
		rc = window_open(&v->win, m->core->src, bytes, e);
	return rc;
}

void memmap_view_close(struct memmap_view *v)
{
	free(v->buf);
	v->buf = NULL;
	if (v->km.core)
		kmem_close(&v->km);
	window_close(&v->win);
}

static u64 section_pages(const struct memmap *m)
{
	return (u64)1 << (m->core->ki.section_bits - PAGE_SHIFT);
}

u64 memmap_page_va(const struct memmap *m, u64 pfn)
{
	u64 size = m->core->ki.page.size;
	const struct range *r = pfn < UINT64_MAX / size ? ranges_find(&m->sections, pfn * size)
							: NULL;

	return r && r->pa <= pfn * size ? r->off + (pfn * size - r->pa) : 0;
}

u64 memmap_pa_va(const struct memmap *m, u64 pa, u64 *contig)
{
	const struct range *r = ranges_find(&m->phys, pa);
	u64 size = m->core->ki.page.size, section = size * section_pages(m), off, va;

	if (!r || pa < r->pa)
		return 0;
	off = r->off + (pa - r->pa);
	va = memmap_page_va(m, off / size);
	*contig = MIN(r->size - (pa - r->pa), section - off % section);
	return va ? va + off % size : 0;
}

u64 memmap_va_pfn(const struct memmap *m, u64 va, u64 pfn)
{
	u64 size = m->core->ki.page.size;
	u64 least = pfn > COMPOUND_PAGES_MAX ? pfn - COMPOUND_PAGES_MAX : 0;
	const struct range *r = ranges_find(&m->sections, pfn * size);
	size_t i = r ? (size_t)(r - m->sections.r) + 1 : m->sections.n;

	while (i-- > 0) {
		u64 in, first;

		r = &m->sections.r[i];
		first = r->pa / size;
		if (first + r->size / size <= least)
			break;
		in = va - r->off;
		if (va < r->off || in >= r->size || in % size)
			continue;
		in /= size;
		return first + in <= pfn && first + in >= least ? first + in : ~(u64)0;
	}
	return ~(u64)0;
}

/* Zeroes what cannot be read: bytes [at, at + len) of the block's map; marks the records hit. */
static void mark_missing(struct memmap_view *v, u64 *missing, size_t at, size_t len, size_t total)
{
	size_t size = v->map->core->ki.page.size;

	memset(v->buf + at, 0, len);
	bit_set_range(missing, at / size, MIN((at + len + size - 1) / size, total / size));
}

void memmap_block(struct memmap_view *v, u64 pfn, size_t n, const u8 **map, u64 *missing)
{
	const struct core *core = v->map->core;
	size_t total = n * core->ki.page.size, done = 0;
	u64 va = memmap_page_va(v->map, pfn);

	*map = v->buf;
	if (!va) {
		mark_missing(v, missing, 0, total, total);
		return;
	}
	while (done < total) {
		u64 pa, contig;
		const u8 *p;
		size_t got = 0;
		int rc = xlat_va(&core->xlat, &v->km.cache, &v->km.win, va + done, &pa, &contig,
				 NULL);

		if (rc == 0)
			rc = window_get(&v->win, pa, MIN(contig, total - done), &p, &got, NULL);
		if (rc) {
			got = MIN(PAGE_SIZE - (va + done) % PAGE_SIZE, total - done);
			mark_missing(v, missing, done, got, total);
		} else if (got == total) {
			*map = p;
			return;
		} else {
			memcpy(v->buf + done, p, got);
		}
		done += got;
	}
}
