/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kinfo.h"

#include <errno.h>
#include <string.h>

#define PTYPE_BIT_MIN 0x80u /* PG_buddy; the bits below count mappings */

/* Fields of struct page: where the vmcoreinfo has their offset, and whether pages can be classified
 * without them. */
static const struct page_field {
	const char *key;
	const char *other; /* the name on other kernels */
	size_t at;	   /* offset in struct kinfo_page */
	u16 bytes;	   /* 0: not read, and shares its place with others */
	bool needed;
} page_fields[] = {
	{ "page.flags", NULL, offsetof(struct kinfo_page, flags), 8, true },
	{ "page._refcount", "page._count", offsetof(struct kinfo_page, refcount), 4, false },
	{ "page.mapping", NULL, offsetof(struct kinfo_page, mapping), 8, true },
	{ "page.lru", NULL, offsetof(struct kinfo_page, lru), 0, false },
	{ "page._mapcount", NULL, offsetof(struct kinfo_page, mapcount), 4, true },
	{ "page.private", NULL, offsetof(struct kinfo_page, priv), 8, true },
	/* renamed in 7.1 */
	{ "page.compound_head", "page.compound_info", offsetof(struct kinfo_page, compound), 8,
	  true },
};

/* Numbers of flag bits in page.flags, as masks. */
static const struct page_flag {
	const char *key;
	size_t at;
	bool needed;
	bool of_tail; /* of the first tail: may be a bit that means something else in a head */
} page_flags[] = {
	{ "PG_lru", offsetof(struct kinfo, flag_lru), true, false },
	{ "PG_private", offsetof(struct kinfo, flag_private), true, false },
	{ "PG_swapcache", offsetof(struct kinfo, flag_swapcache), false, false },
	{ "PG_swapbacked", offsetof(struct kinfo, flag_swapbacked), false, false },
	/* a page type from 6.10 */
	{ "PG_slab", offsetof(struct kinfo, flag_slab), false, false },
	{ "PG_hwpoison", offsetof(struct kinfo, flag_hwpoison), false, false },
	/* 6.6 to 6.8 */
	{ "PG_hugetlb", offsetof(struct kinfo, flag_hugetlb), false, true },
};

/* Page types in _mapcount. */
static const struct page_type {
	const char *key;
	size_t at;
	bool needed;
} page_types[] = {
	{ "PAGE_BUDDY_MAPCOUNT_VALUE", offsetof(struct kinfo, buddy), true },
	{ "PAGE_UNACCEPTED_MAPCOUNT_VALUE", offsetof(struct kinfo, unaccepted), false },
	{ "PAGE_SLAB_MAPCOUNT_VALUE", offsetof(struct kinfo, slab), false },
	{ "PAGE_OFFLINE_MAPCOUNT_VALUE", offsetof(struct kinfo, offline), false },
	{ "PAGE_HUGETLB_MAPCOUNT_VALUE", offsetof(struct kinfo, hugetlb), false },
};

/* Offset of a field of nbytes that must lie within size. */
static int field_offset(const struct vmcoreinfo *vi, const char *name, u64 size, u64 nbytes,
			u64 *off, struct err *e)
{
	int rc = vmcoreinfo_offset(vi, name, off);

	if (rc)
		return rc;
	if (*off > size || nbytes > size - *off)
		return err_set(e, -EINVAL, "VMCOREINFO: OFFSET(%s)=%llu is not within %llu bytes",
			       name, (unsigned long long)*off, (unsigned long long)size);
	return 0;
}

static u16 *page_field_in(struct kinfo *ki, const struct page_field *f)
{
	return (u16 *)((u8 *)&ki->page + f->at);
}

/* Fields that hold different things lie apart, each on a multiple of its size. */
static bool page_fields_apart(struct kinfo *ki)
{
	for (size_t i = 0; i < ARRAY_SIZE(page_fields); i++) {
		u16 a = *page_field_in(ki, &page_fields[i]), a_bytes = page_fields[i].bytes;

		if (a == KINFO_ABSENT || a_bytes == 0)
			continue;
		if (a % a_bytes)
			return false;
		for (size_t k = 0; k < i; k++) {
			u16 b = *page_field_in(ki, &page_fields[k]);

			if (b != KINFO_ABSENT && a < b + page_fields[k].bytes && b < a + a_bytes)
				return false;
		}
	}
	return true;
}

static int page_fields_init(struct kinfo *ki, const struct vmcoreinfo *vi, struct err *e)
{
	u64 size;

	if (vmcoreinfo_size(vi, "page", &size))
		return err_set(e, -ENOENT, "VMCOREINFO: no SIZE(page)");
	/* A block's memory map is read in whole records; 56 to 64 bytes is what kernels have. */
	if (size < 32 || size > 512 || size % 8)
		return err_set(e, -EINVAL, "VMCOREINFO: SIZE(page)=%llu is not believable",
			       (unsigned long long)size);
	ki->page.size = (u16)size;
	for (size_t i = 0; i < ARRAY_SIZE(page_fields); i++) {
		const struct page_field *f = &page_fields[i];
		u16 *to = page_field_in(ki, f);
		u64 off;
		int rc = field_offset(vi, f->key, size, f->bytes, &off, e);

		if (rc == -ENOENT && f->other)
			rc = field_offset(vi, f->other, size, f->bytes, &off, e);
		if (rc == -EINVAL)
			return rc;
		if (rc && f->needed)
			return err_set(e, -ENOENT, "VMCOREINFO: no OFFSET(%s)", f->key);
		*to = rc ? KINFO_ABSENT : (u16)off;
	}
	if (!page_fields_apart(ki))
		return err_set(e, -EINVAL, "VMCOREINFO: fields of struct page overlap");
	return 0;
}

/* The destructor of a compound page is kept in its first tail: a field of struct page up to 6.2,
 * then of struct folio, which spans page[0] and page[1]; gone from 6.6 on. */
static int tail_fields_init(struct kinfo *ki, const struct vmcoreinfo *vi, struct err *e)
{
	u64 size = ki->page.size, off;
	int rc = field_offset(vi, "page.compound_dtor", size, 1, &off, e);

	ki->page.dtor = KINFO_ABSENT;
	if (rc == -ENOENT) {
		rc = field_offset(vi, "folio._folio_dtor", 2 * size, 1, &off, e);
		if (rc == 0 && off < size)
			return err_set(e, -EINVAL, "VMCOREINFO: folio._folio_dtor is in page[0]");
		off -= rc ? 0 : size;
	}
	if (rc == 0 && (off - ki->page.flags < 8 || off - ki->page.compound < 8))
		return err_set(e, -EINVAL, "VMCOREINFO: the compound destructor lies over flags");
	if (rc == 0)
		ki->page.dtor = (u16)off;
	return rc == -ENOENT ? 0 : rc;
}

/* Turns the value a page type gives _mapcount into a mask and what it must equal; false: it is
 * none. Up to 6.11 a type is a bit that is cleared in 0xf0000000 | ...: ~PG_buddy = 0xffffff7f;
 * from 6.12 it is the value of the top byte, and the other 24 bits may hold anything
 * (4ffca5a96678). What is neither would take pages that are merely mapped, or not mapped, for pages
 * of that type. */
static bool ptype_make(struct kinfo_ptype *t, u32 value)
{
	u32 bit = ~value;

	if (value >> 28 != 0xf)
		return false;
	if ((value & 0xffffff) == 0) {
		*t = (struct kinfo_ptype){ 0xff000000, value };
		return value != 0xff000000;
	}
	*t = (struct kinfo_ptype){ 0xf0000000 | bit, 0xf0000000 };
	return bit >= PTYPE_BIT_MIN && (bit & (bit - 1)) == 0;
}

static int flags_init(struct kinfo *ki, const struct vmcoreinfo *vi, struct err *e)
{
	u64 taken = 1; /* bit 0 is PG_locked in every kernel */
	s64 v;

	for (size_t i = 0; i < ARRAY_SIZE(page_flags); i++) {
		u64 *to = (u64 *)((u8 *)ki + page_flags[i].at);
		int rc = vmcoreinfo_number(vi, page_flags[i].key, &v);

		*to = 0;
		if (rc == -ENOENT && !page_flags[i].needed)
			continue;
		if (rc || v < 0 || v > 63)
			return err_set(e, rc ? rc : -EINVAL, "VMCOREINFO: NUMBER(%s) %s",
				       page_flags[i].key,
				       rc == -ENOENT ? "is missing" : "is no bit");
		*to = (u64)1 << v;
		if (page_flags[i].of_tail)
			continue;
		if (taken & *to)
			return err_set(e, -EINVAL, "VMCOREINFO: NUMBER(%s)=%lld is another flag's",
				       page_flags[i].key, (long long)v);
		taken |= *to;
	}
	if (vmcoreinfo_number(vi, "PG_head_mask", &v))
		return err_set(e, -ENOENT, "VMCOREINFO: NUMBER(PG_head_mask) is missing");
	ki->flag_head = (u64)v;
	if (!v || (ki->flag_head & (ki->flag_head - 1)) || (taken & ki->flag_head))
		return err_set(e, -EINVAL, "VMCOREINFO: NUMBER(PG_head_mask)=%#llx is no flag",
			       (unsigned long long)v);
	return 0;
}

static int types_init(struct kinfo *ki, const struct vmcoreinfo *vi, struct err *e)
{
	struct kinfo_ptype seen[ARRAY_SIZE(page_types)];
	size_t n = 0;
	s64 v;

	for (size_t i = 0; i < ARRAY_SIZE(page_types); i++) {
		struct kinfo_ptype *to = (void *)((u8 *)ki + page_types[i].at);
		int rc = vmcoreinfo_number(vi, page_types[i].key, &v);

		*to = (struct kinfo_ptype){ 0, 1 };
		if (rc == -ENOENT && !page_types[i].needed)
			continue;
		if (rc || v < INT32_MIN || v > UINT32_MAX)
			return err_set(e, rc ? rc : -EINVAL, "VMCOREINFO: NUMBER(%s) %s",
				       page_types[i].key,
				       rc == -ENOENT ? "is missing" : "is not 32 bits");
		if (!ptype_make(to, (u32)v))
			return err_set(e, -EINVAL, "VMCOREINFO: NUMBER(%s)=%lld is no page type",
				       page_types[i].key, (long long)v);
		for (size_t k = 0; k < n; k++) {
			if (seen[k].mask == to->mask && seen[k].want == to->want)
				return err_set(e, -EINVAL,
					       "VMCOREINFO: NUMBER(%s)=%lld is another type's",
					       page_types[i].key, (long long)v);
		}
		seen[n++] = *to;
	}
	/* a slab that is not known as one looks like anything */
	if (!ki->flag_slab && !ki->slab.mask)
		return err_set(e, -ENOENT,
			       "VMCOREINFO: neither NUMBER(PG_slab) nor "
			       "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)");
	/* 1 is the destructor of every other compound page */
	if (vmcoreinfo_number(vi, "HUGETLB_PAGE_DTOR", &v) == 0 && v > 1 && v < 256)
		ki->hugetlb_dtor = (u32)v;
	return 0;
}

static int sparse_init(struct kinfo *ki, const struct vmcoreinfo *vi, struct err *e)
{
	u64 roots, size, map_off, orders;
	s64 bits, phys;

	if (vmcoreinfo_symbol(vi, "mem_section", &ki->mem_section) ||
	    vmcoreinfo_length(vi, "mem_section", &roots) ||
	    vmcoreinfo_size(vi, "mem_section", &size) ||
	    vmcoreinfo_offset(vi, "mem_section.section_mem_map", &map_off))
		return err_set(e, -ENOENT,
			       "VMCOREINFO: no mem_section (only SPARSEMEM is supported)");
	/* both are constants of x86_64 where an old kernel does not tell them */
	if (vmcoreinfo_number(vi, "SECTION_SIZE_BITS", &bits))
		bits = 27;
	if (vmcoreinfo_number(vi, "MAX_PHYSMEM_BITS", &phys))
		phys = 46;
	if (bits < 24 || bits > 34 || phys < bits || phys > 52)
		return err_set(e, -EINVAL, "VMCOREINFO: sections of 2^%lld in 2^%lld bytes",
			       (long long)bits, (long long)phys);
	if (size < 8 || size > 256 || size % 8 || map_off > size - 8 || roots == 0 ||
	    roots > (u64)1 << 24)
		return err_set(e, -EINVAL, "VMCOREINFO: mem_section: %llu roots, %llu bytes each",
			       (unsigned long long)roots, (unsigned long long)size);
	ki->section_roots = (u32)roots;
	ki->section_size = (u32)size;
	ki->section_map_off = (u32)map_off;
	ki->section_bits = (u32)bits;
	ki->physmem_bits = (u32)phys;
	/* 5 or 6 flag bits by kernel; the address above them is a multiple of the page size */
	ki->section_map_mask = ~(u64)(PAGE_SIZE - 1);
	if (vmcoreinfo_length(vi, "zone.free_area", &orders) || orders == 0 || orders > 32)
		return err_set(e, -EINVAL, "VMCOREINFO: no believable LENGTH(zone.free_area)");
	ki->max_orders = (u32)orders;
	ki->block_order = MIN(MAX(orders - 1, 10), ki->section_bits - PAGE_SHIFT);
	return 0;
}

int kinfo_init(struct kinfo *ki, const struct vmcoreinfo *vi, struct err *e)
{
	char page_size[16];
	int rc;

	memset(ki, 0, sizeof(*ki));
	ki->block_order = 10;
	vmcoreinfo_string(vi, "OSRELEASE", ki->release, sizeof(ki->release));
	if (vmcoreinfo_string(vi, "PAGESIZE", page_size, sizeof(page_size)) == 0 &&
	    strcmp(page_size, "4096") != 0)
		return err_set(e, -ENOTSUP, "VMCOREINFO: PAGESIZE=%s is not 4096", page_size);
	rc = page_fields_init(ki, vi, e);
	if (rc == 0)
		rc = tail_fields_init(ki, vi, e);
	if (rc == 0)
		rc = flags_init(ki, vi, e);
	if (rc == 0)
		rc = types_init(ki, vi, e);
	if (rc == 0)
		rc = sparse_init(ki, vi, e);
	ki->classify = rc == 0;
	return rc;
}
