/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib_core_int.h"

#define TABLE_FLAGS 0x63ull		 /* present, writable, accessed, dirty */
#define LEAF_FLAGS 0x8000000000000163ull /* and global, no execute */
#define LARGE 0x80ull
#define ENTRY_ADDR 0x000ffffffffff000ull

void mk_seed(u8 *buf, size_t len, u64 seed)
{
	u64 x = seed * 0x9e3779b97f4a7c15ull + 1;

	/* Half of it varies: compressible, but not much. */
	for (size_t i = 0; i < len; i++) {
		if (i % 8 == 0) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
		buf[i] = i % 16 < 8 ? (u8)(x >> (i % 8 * 8)) : 0;
	}
}

static struct mk_ram *find_ram(const struct mkcore *mk, u64 pa)
{
	for (size_t i = 0; i < mk->nram; i++) {
		const struct mk_ram *r = &mk->ram[i];

		if (pa >= r->pa && pa - r->pa < r->size)
			return (struct mk_ram *)r;
	}
	return NULL;
}

void mk_read(const struct mkcore *mk, u64 pa, void *buf, size_t len)
{
	memset(buf, 0, len);
	for (size_t i = 0; i < mk->nram; i++) {
		const struct mk_ram *r = &mk->ram[i];
		u64 from = MAX(pa, r->pa), to = MIN(pa + len, r->pa + r->size);

		if (from < to)
			memcpy((u8 *)buf + (from - pa), r->bytes + (from - r->pa), to - from);
	}
}

void mk_write(struct mkcore *mk, const struct mk_line *l, u64 pa, const void *buf, size_t len)
{
	const u8 *from = buf;

	while (len) {
		struct mk_ram *r = find_ram(mk, pa);
		size_t n;

		if (!r)
			mk_die(l, "%#llx is not RAM", (unsigned long long)pa);
		n = MIN(len, r->size - (pa - r->pa));
		memcpy(r->bytes + (pa - r->pa), from, n);
		pa += n;
		from += n;
		len -= n;
	}
}

void mk_write64(struct mkcore *mk, const struct mk_line *l, u64 pa, u64 value)
{
	mk_write(mk, l, pa, &value, sizeof(value));
}

/* ram PA SIZE: memory, full of zeros. */
static void apply_ram(struct mkcore *mk, const struct mk_line *l)
{
	struct mk_ram *r = &mk->ram[mk->nram++];

	if (mk->nram == MK_MAX)
		mk_die(l, "too many RAM ranges");
	r->pa = mk_number(l, l->tok[1]);
	r->size = mk_number(l, l->tok[2]);
	r->bytes = calloc(1, r->size);
	assert(r->bytes);
}

/* Where a page is RAM only in part, only that part. */
static void fill_page(struct mkcore *mk, u64 pa, const u8 *page)
{
	for (size_t i = 0; i < mk->nram; i++) {
		const struct mk_ram *r = &mk->ram[i];
		u64 from = MAX(pa, r->pa), to = MIN(pa + PAGE_SIZE, r->pa + r->size);

		if (from < to)
			memcpy(r->bytes + (from - r->pa), page + (from - pa), to - from);
	}
}

/* fill PFNS byte=N | word=N | words=N | seed=N | seeds=N: contents; words and seeds: another
 * for each page. */
static void apply_fill(struct mkcore *mk, const struct mk_line *l)
{
	u64 first, last;
	u8 page[4096];

	mk_range(l, l->tok[1], &first, &last);
	for (u64 pfn = first; pfn <= last; pfn++) {
		u64 word = mk_option_number(l, "word", mk_option_number(l, "words", 0) + pfn);

		if (mk_option(l, "byte"))
			memset(page, (int)mk_option_number(l, "byte", 0), sizeof(page));
		else if (mk_option(l, "seed"))
			mk_seed(page, sizeof(page), mk_option_number(l, "seed", 0));
		else if (mk_option(l, "seeds"))
			mk_seed(page, sizeof(page), mk_option_number(l, "seeds", 0) + pfn);
		else if (mk_option(l, "word") || mk_option(l, "words"))
			for (size_t i = 0; i < sizeof(page); i += 8)
				memcpy(page + i, &word, 8);
		else
			mk_die(l, "fill with what?");
		fill_page(mk, pfn << PAGE_SHIFT, page);
	}
}

/* text PA WORDS...: a string with its NUL. */
static void apply_text(struct mkcore *mk, const struct mk_line *l)
{
	const char *s = strchr(l->rest, ' ');
	size_t len = s ? strcspn(s + 1, "\n") : 0;

	mk_write(mk, l, mk_number(l, l->tok[1]), s ? s + 1 : "", len);
}

/* tables PA SIZE: where page tables are made; the root is the first page. */
static void apply_tables(struct mkcore *mk, const struct mk_line *l)
{
	mk->tables = mk_number(l, l->tok[1]);
	mk->tables_next = mk->tables + PAGE_SIZE;
	mk->tables_end = mk->tables + mk_number(l, l->tok[2]);
}

static u64 next_table(struct mkcore *mk, const struct mk_line *l, u64 entry_pa)
{
	u64 sme = mk_info_number(mk, l, 0, "NUMBER(sme_mask)"), entry;

	mk_read(mk, entry_pa, &entry, sizeof(entry));
	if (!entry) {
		if (mk->tables_next == mk->tables_end)
			mk_die(l, "no room for page tables");
		entry = mk->tables_next | TABLE_FLAGS | sme;
		mk->tables_next += PAGE_SIZE;
		mk_write64(mk, l, entry_pa, entry);
	}
	return entry & ENTRY_ADDR & ~sme;
}

static void map_leaf(struct mkcore *mk, const struct mk_line *l, u64 va, u64 pa, u64 leaf)
{
	unsigned levels = mk_info_number(mk, l, 0, "NUMBER(pgtable_l5_enabled)") ? 5 : 4;
	u64 sme = mk_info_number(mk, l, 0, "NUMBER(sme_mask)"), table = mk->tables;

	if (!table)
		mk_die(l, "map before tables");
	for (unsigned level = levels; level-- > 0;) {
		unsigned shift = PAGE_SHIFT + 9 * level;
		u64 entry_pa = table + (va >> shift & 511) * 8;

		if ((u64)1 << shift == leaf) {
			mk_write64(mk, l, entry_pa, pa | LEAF_FLAGS | sme | (level ? LARGE : 0));
			return;
		}
		table = next_table(mk, l, entry_pa);
	}
	mk_die(l, "no leaves of %llu bytes", (unsigned long long)leaf);
}

void mk_map(struct mkcore *mk, const struct mk_line *l, u64 va, u64 pa, u64 size, u64 leaf)
{
	if (!leaf || (va | pa) % leaf)
		mk_die(l, "%#llx to %#llx is not aligned", (unsigned long long)va,
		       (unsigned long long)pa);
	for (u64 done = 0; done < size; done += leaf)
		map_leaf(mk, l, va + done, pa + done, leaf);
}

/* map VA PA SIZE [LEAF] */
static void apply_map(struct mkcore *mk, const struct mk_line *l)
{
	mk_map(mk, l, mk_number(l, l->tok[1]), mk_number(l, l->tok[2]), mk_number(l, l->tok[3]),
	       l->ntok > 4 ? mk_number(l, l->tok[4]) : PAGE_SIZE);
}

/* word PA VALUE...: 64-bit words, after everything else. */
static void apply_word(struct mkcore *mk, const struct mk_line *l)
{
	u64 pa = mk_number(l, l->tok[1]);

	for (unsigned i = 2; i < l->ntok; i++)
		mk_write64(mk, l, pa + (i - 2) * 8, mk_number(l, l->tok[i]));
}

const struct mk_directive mk_mem_directives[] = {
	{ "ram", MK_LAYOUT, 2, apply_ram },
	{ "fill", MK_FILL, 2, apply_fill },
	{ "text", MK_FILL, 2, apply_text },
	{ "tables", MK_LAYOUT, 2, apply_tables },
	{ "map", MK_TABLE, 3, apply_map },
	{ "word", MK_PATCH, 2, apply_word },
	{ 0 },
};
