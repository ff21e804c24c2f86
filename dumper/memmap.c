/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

#define SECTION_HAS_MAP 2ull	/* SECTION_HAS_MEM_MAP */
#define MEMMAP_RANGES_MAX 16384 /* 400 KB; a memory map scattered wider is no longer followed */
#define COMPOUND_PAGES_MAX ((u64)1 << 18) /* 1 GiB, the largest of hugetlbfs */

struct section_walk {
	struct memmap *m;
	struct kmem *km;
	u64 pages_per_section;
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
	va = (coded & ki->section_map_mask) + nr * sw->pages_per_section * ki->page.size;
	return (va & XLAT_KERNEL_HALF) == XLAT_KERNEL_HALF && va % 8 == 0 ? va : 0;
}

/* Reads the entries of sections [nr, nr + n) at va into section_va. */
static int sections_read(const struct section_walk *sw, u64 va, u64 nr, u64 n, struct err *e)
{
	struct memmap *m = sw->m;
	u32 size = m->core->ki.section_size;
	u8 entry[256];

	for (u64 i = 0; i < n && nr + i < m->nsections; i++) {
		int rc = kmem_read(sw->km, va + i * size, entry, size, e);

		if (rc)
			return rc;
		m->section_va[nr + i] = section_decode(sw, entry, nr + i);
	}
	return 0;
}

static int section_compare(const void *pa, const void *pb)
{
	u64 a = **(u64 *const *)pa, b = **(u64 *const *)pb;

	return (a > b) - (a < b);
}

/* Forgets sections, sorted by va, whose memory maps of so many bytes overlap. */
static void sections_forget_overlaps(u64 **by_va, size_t n, u64 bytes)
{
	u64 before = 0;

	for (size_t i = 0; i < n; i++) {
		u64 va = *by_va[i];

		if (i && va - before < bytes)
			*by_va[i] = *by_va[i - 1] = 0;
		before = va;
	}
}

/* A struct page describes one page: sections that share some are not believed. Nearly always all
 * lie in ascending order and nothing is to be done. */
static int sections_check(const struct section_walk *sw, struct err *e)
{
	struct memmap *m = sw->m;
	u64 bytes = sw->pages_per_section * m->core->ki.page.size, before = 0, **by_va;
	bool apart = true;
	size_t n = 0;

	for (u64 nr = 0; nr < m->nsections; nr++) {
		u64 va = m->section_va[nr];

		if (!va)
			continue;
		apart = apart && (n == 0 || (va > before && va - before >= bytes));
		before = va;
		n++;
	}
	if (apart)
		return 0;
	by_va = malloc(n * sizeof(*by_va));
	if (!by_va)
		return err_sys(e, -ENOMEM, "%zu sections", n);
	n = 0;
	for (u64 nr = 0; nr < m->nsections; nr++) {
		if (m->section_va[nr])
			by_va[n++] = &m->section_va[nr];
	}
	qsort(by_va, n, sizeof(*by_va), section_compare);
	sections_forget_overlaps(by_va, n, bytes);
	free(by_va);
	return 0;
}

/* Whether the table just read makes sense: some section has a map, and its address translates. */
static bool sections_plausible(const struct section_walk *sw)
{
	const struct memmap *m = sw->m;
	unsigned found = 0, mapped = 0;

	for (u64 nr = 0; nr < m->nsections && found < 16; nr++) {
		u64 pa, contig;

		if (!m->section_va[nr])
			continue;
		found++;
		mapped += xlat_va(&m->core->xlat, &sw->km->cache, &sw->km->win, m->section_va[nr],
				  &pa, &contig, NULL) == 0;
	}
	return found && mapped * 2 >= found;
}

/* Takes table as the address of mem_section and fills section_va. */
static int sections_try(const struct section_walk *sw, u64 table, struct err *e)
{
	struct memmap *m = sw->m;
	u64 roots = m->core->ki.section_roots;
	int rc = 0;

	/* fresh, so that only what is written takes memory: the table is as long as the address
	 * space */
	free(m->section_va);
	m->section_va = calloc(m->nsections + 1, sizeof(*m->section_va));
	if (!m->section_va)
		return err_sys(e, -ENOMEM, "table of %llu sections",
			       (unsigned long long)m->nsections);
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

/* Notes where in physical memory the map of a section lies. */
static int phys_collect_section(const struct section_walk *sw, u64 nr)
{
	struct memmap *m = sw->m;
	u64 bytes = sw->pages_per_section * m->core->ki.page.size;
	u64 va = m->section_va[nr], done = 0;

	while (va && done < bytes) {
		u64 pa, contig, n = PAGE_SIZE;
		int rc = 0;

		if (xlat_va(&m->core->xlat, &sw->km->cache, &sw->km->win, va + done, &pa, &contig,
			    NULL) == 0) {
			n = MIN(contig, bytes - done);
			rc = phys_add(m, pa, n, nr * bytes + done);
		}
		if (rc)
			return rc;
		done += n;
	}
	return 0;
}

static int phys_collect(const struct section_walk *sw, struct err *e)
{
	struct memmap *m = sw->m;
	int rc = 0;

	for (u64 nr = 0; nr < m->nsections && rc == 0; nr++)
		rc = phys_collect_section(sw, nr);
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
	sw.pages_per_section = (u64)1 << section_order;
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
	free(m->section_va);
	m->section_va = NULL;
	m->nsections = 0;
	ranges_deinit(&m->phys);
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
	unsigned section_order = m->core->ki.section_bits - PAGE_SHIFT;
	u64 nr = pfn >> section_order;

	if (nr >= m->nsections || !m->section_va[nr])
		return 0;
	return m->section_va[nr] + (pfn & (((u64)1 << section_order) - 1)) * m->core->ki.page.size;
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
	unsigned section_order = m->core->ki.section_bits - PAGE_SHIFT;
	u64 size = m->core->ki.page.size, bytes = size << section_order;
	u64 last = pfn >> section_order;
	u64 first = (pfn > COMPOUND_PAGES_MAX ? pfn - COMPOUND_PAGES_MAX : 0) >> section_order;

	for (u64 nr = MIN(last, m->nsections - 1) + 1; nr-- > first;) {
		u64 begin = m->section_va[nr];

		if (begin && va >= begin && va - begin < bytes && (va - begin) % size == 0)
			return (nr << section_order) + (va - begin) / size;
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
