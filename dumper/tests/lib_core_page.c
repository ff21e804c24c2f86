/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Struct pages and the section table, with the offsets and numbers of the text's VMCOREINFO. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib_core_int.h"

#define SECTION_FLAGS 0x1full /* present, has a memory map, online, early, ... */

static u64 page_size(const struct mkcore *mk, const struct mk_line *l)
{
	return mk_info_number(mk, l, ~(u64)0, "SIZE(page)");
}

static u64 pages_per_section(const struct mkcore *mk, const struct mk_line *l)
{
	return (u64)1 << (mk_info_number(mk, l, 27, "NUMBER(SECTION_SIZE_BITS)") - PAGE_SHIFT);
}

static const struct mk_section *find_section(const struct mkcore *mk, const struct mk_line *l,
					     u64 pfn)
{
	for (size_t i = 0; i < mk->nsections; i++) {
		if (mk->sections[i].nr == pfn / pages_per_section(mk, l))
			return &mk->sections[i];
	}
	mk_die(l, "pfn %#llx has no memory map", (unsigned long long)pfn);
}

static u64 page_pa(const struct mkcore *mk, const struct mk_line *l, u64 pfn)
{
	return find_section(mk, l, pfn)->pa + pfn % pages_per_section(mk, l) * page_size(mk, l);
}

static u64 page_va(const struct mkcore *mk, const struct mk_line *l, u64 pfn)
{
	return find_section(mk, l, pfn)->va + pfn % pages_per_section(mk, l) * page_size(mk, l);
}

/* Offset of a field of struct page; other is its name on other kernels. */
static u64 field(const struct mkcore *mk, const struct mk_line *l, const char *name,
		 const char *other)
{
	char key[80];

	snprintf(key, sizeof(key), "OFFSET(%s)", name);
	if (other && !mkcore_info(mk, key))
		name = other;
	return mk_info_number(mk, l, ~(u64)0, "OFFSET(%s)", name);
}

static u64 compound_field(const struct mkcore *mk, const struct mk_line *l)
{
	return field(mk, l, "page.compound_head", "page.compound_info");
}

static void put32(struct mkcore *mk, const struct mk_line *l, u64 pa, u32 value)
{
	mk_write(mk, l, pa, &value, sizeof(value));
}

/* "lru,private,0x100": the bits of NUMBER(PG_...), and others as they are. */
static u64 flag_bits(const struct mkcore *mk, const struct mk_line *l, const char *text)
{
	u64 bits = 0;

	while (text && *text) {
		char name[32];
		size_t len = strcspn(text, ",");

		if (len >= sizeof(name))
			mk_die(l, "flag %s", text);
		memcpy(name, text, len);
		name[len] = '\0';
		text += len + (text[len] == ',');
		if (name[0] >= '0' && name[0] <= '9')
			bits |= mk_number(l, name);
		else if (strcmp(name, "head") == 0)
			bits |= mk_info_number(mk, l, ~(u64)0, "NUMBER(PG_head_mask)");
		else
			bits |= (u64)1 << mk_info_number(mk, l, ~(u64)0, "NUMBER(PG_%s)", name);
	}
	return bits;
}

static u32 type_mapcount(const struct mkcore *mk, const struct mk_line *l, const char *type)
{
	char upper[32] = { 0 };

	for (size_t i = 0; type[i] && i < sizeof(upper) - 1; i++)
		upper[i] = (char)(type[i] >= 'a' && type[i] <= 'z' ? type[i] - 32 : type[i]);
	return (u32)mk_info_number(mk, l, ~(u64)0, "NUMBER(PAGE_%s_MAPCOUNT_VALUE)", upper);
}

/* No page of a free area is referenced: of as many as the order says, where it can be one. */
static void put_free(struct mkcore *mk, const struct mk_line *l, u64 pfn, u64 order)
{
	u64 count = field(mk, l, "page._refcount", "page._count"), n = (u64)1 << order;

	for (u64 i = 0; i < (pfn % n ? 1 : n); i++)
		put32(mk, l, page_pa(mk, l, pfn + i) + count, 0);
}

static void put_page(struct mkcore *mk, const struct mk_line *l, u64 pfn, u64 flags)
{
	const char *type = mk_option(l, "type"), *mapping = mk_option(l, "mapping");
	u64 pa = page_pa(mk, l, pfn), map = 0;

	if (mapping && strcmp(mapping, "anon") == 0)
		map = 0xffff888000123451ull;
	else if (mapping && strcmp(mapping, "file") == 0)
		map = 0xffff888000543210ull;
	else if (mapping)
		map = mk_number(l, mapping);
	mk_write64(mk, l, pa + field(mk, l, "page.flags", NULL), flags);
	mk_write64(mk, l, pa + field(mk, l, "page.mapping", NULL), map);
	mk_write64(mk, l, pa + field(mk, l, "page.private", NULL),
		   mk_option_number(l, "private", 0));
	put32(mk, l, pa + field(mk, l, "page._mapcount", NULL),
	      type ? type_mapcount(mk, l, type) : (u32)mk_option_number(l, "mapcount", 0xffffffff));
	if (type && (strcmp(type, "buddy") == 0 || strcmp(type, "unaccepted") == 0)) {
		u64 order = type[0] == 'b' ? mk_option_number(l, "private", 0) : 10;

		put_free(mk, l, pfn, order <= 10 ? order : 0);
	}
	if (mk_option(l, "compound"))
		mk_write64(mk, l, pa + compound_field(mk, l), mk_option_number(l, "compound", 0));
}

/* page PFNS [flags=F,F] [type=T | mapcount=N] [mapping=anon|file|N] [private=N] [compound=N] */
static void apply_page(struct mkcore *mk, const struct mk_line *l)
{
	u64 first, last;

	mk_range(l, l->tok[1], &first, &last);
	for (u64 pfn = first; pfn <= last; pfn++)
		put_page(mk, l, pfn, flag_bits(mk, l, mk_option(l, "flags")));
}

/* The byte of page[1] that holds the destructor. */
static u64 dtor_offset(const struct mkcore *mk, const struct mk_line *l)
{
	u64 off = mk_info_number(mk, l, 0, "OFFSET(page.compound_dtor)");

	return off ? off
		   : mk_info_number(mk, l, ~(u64)0, "OFFSET(folio._folio_dtor)") - page_size(mk, l);
}

/* head PFN order=N [tails=mask|pointer] [dtor=N] [tailflags=F,F] and what page takes: a compound
 * page, its head and its tails. */
static void apply_head(struct mkcore *mk, const struct mk_line *l)
{
	u64 pfn = mk_number(l, l->tok[1]), order = mk_option_number(l, "order", 1);
	const char *tails = mk_option(l, "tails");
	u64 link = page_va(mk, l, pfn);
	u8 dtor = (u8)mk_option_number(l, "dtor", 0);

	if (tails && strcmp(tails, "mask") == 0)
		link = ~((page_size(mk, l) << order) - 1);
	put_page(mk, l, pfn, flag_bits(mk, l, mk_option(l, "flags")) | flag_bits(mk, l, "head"));
	for (u64 i = 1; i < (u64)1 << order; i++)
		mk_write64(mk, l, page_pa(mk, l, pfn + i) + compound_field(mk, l), link | 1);
	if (mk_option(l, "tailflags"))
		mk_write64(mk, l, page_pa(mk, l, pfn + 1) + field(mk, l, "page.flags", NULL),
			   flag_bits(mk, l, mk_option(l, "tailflags")));
	if (mk_option(l, "dtor"))
		mk_write(mk, l, page_pa(mk, l, pfn + 1) + dtor_offset(mk, l), &dtor, 1);
}

/* tail PFNS of PFN: tails of that page, whatever it is. */
static void apply_tail(struct mkcore *mk, const struct mk_line *l)
{
	u64 first, last;

	mk_range(l, l->tok[1], &first, &last);
	for (u64 pfn = first; pfn <= last; pfn++)
		mk_write64(mk, l, page_pa(mk, l, pfn) + compound_field(mk, l),
			   page_va(mk, l, mk_number(l, l->tok[3])) | 1);
}

/* vmemmap VA */
static void apply_vmemmap(struct mkcore *mk, const struct mk_line *l)
{
	mk->vmemmap = mk_number(l, l->tok[1]);
}

/* memmap SECTION PA [va=VA] [bytes=N] [leaf=4K|2M]: the section's struct pages lie at PA; bytes:
 * only so many are mapped. All pages are in use by the kernel until a page line says more. */
static void apply_memmap(struct mkcore *mk, const struct mk_line *l)
{
	struct mk_section *s = &mk->sections[mk->nsections++];
	u64 pages = pages_per_section(mk, l), size = page_size(mk, l), bytes, leaf;
	u8 *one = calloc(1, size);

	assert(one);
	if (mk->nsections == MK_MAX)
		mk_die(l, "too many sections");
	s->nr = mk_number(l, l->tok[1]);
	s->pa = mk_number(l, l->tok[2]);
	s->va = mk_option_number(l, "va", mk->vmemmap + s->nr * pages * size);
	bytes = mk_option_number(l, "bytes", pages * size);
	leaf = mk_option_number(l, "leaf", PAGE_SIZE);
	mk_map(mk, l, s->va, s->pa, bytes, leaf);
	memset(one + field(mk, l, "page._mapcount", NULL), 0xff, 4);
	memset(one + field(mk, l, "page._refcount", NULL), 1, 1);
	for (u64 at = 0; at + size <= bytes; at += size)
		mk_write(mk, l, s->pa + at, one, size);
	free(one);
}

/* One struct mem_section at pa. */
static void put_section(struct mkcore *mk, const struct mk_line *l, u64 pa,
			const struct mk_section *s)
{
	u64 base = s->va - s->nr * pages_per_section(mk, l) * page_size(mk, l);

	mk_write64(mk, l,
		   pa + mk_info_number(mk, l, ~(u64)0, "OFFSET(mem_section.section_mem_map)"),
		   base | mk_option_number(l, "flags", SECTION_FLAGS));
}

/* sections KIND VA PA: the table at SYMBOL(mem_section)=VA. KIND: flat (an array of sections),
 * roots (an array of pointers to pages of sections), pointer-flat, pointer-roots (a pointer to
 * such an array, which begins a page after it). Pages of sections follow the array. */
static void apply_sections(struct mkcore *mk, const struct mk_line *l)
{
	u64 va = mk_number(l, l->tok[2]), pa = mk_number(l, l->tok[3]);
	u64 size = mk_info_number(mk, l, ~(u64)0, "SIZE(mem_section)"), per_root = PAGE_SIZE / size;
	u64 length = mk_info_number(mk, l, ~(u64)0, "LENGTH(mem_section)");
	bool roots = strstr(l->tok[1], "roots");
	u64 next;

	if (strncmp(l->tok[1], "pointer-", 8) == 0) {
		mk_write64(mk, l, pa, va + PAGE_SIZE);
		va += PAGE_SIZE;
		pa += PAGE_SIZE;
	}
	next = align_up(length * 8, PAGE_SIZE);
	for (size_t i = 0; i < mk->nsections; i++) {
		const struct mk_section *s = &mk->sections[i];
		u64 root, at = pa + s->nr / per_root * 8;

		if (!roots) {
			put_section(mk, l, pa + s->nr * size, s);
			continue;
		}
		mk_read(mk, at, &root, 8);
		if (!root) {
			root = va + next;
			mk_write64(mk, l, at, root);
			next += PAGE_SIZE;
		}
		put_section(mk, l, pa + (root - va) + s->nr % per_root * size, s);
	}
}

const struct mk_directive mk_page_directives[] = {
	{ "vmemmap", MK_LAYOUT, 1, apply_vmemmap },
	{ "memmap", MK_TABLE, 2, apply_memmap },
	{ "sections", MK_PAGE, 3, apply_sections },
	{ "page", MK_PAGE, 2, apply_page },
	{ "head", MK_PAGE, 2, apply_head },
	{ "tail", MK_PAGE, 3, apply_tail },
	{ 0 },
};
