/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps from memory whose page tables, sections or page descriptors were damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib_hostile.h"

enum table_damage { TO_SELF, TO_ROOT, TO_NOWHERE, RANDOM, PRESENT, NOT_PRESENT, DAMAGES };

static u64 damaged_entry(enum table_damage d, u64 entry, u64 table, u64 *x)
{
	switch (d) {
	case TO_SELF:
		return table | 0x63;
	case TO_ROOT:
		return TABLES | 0x63;
	case TO_NOWHERE:
		return 0x000ffffffffff063;
	case RANDOM:
		return hostile_random(x);
	case PRESENT:
		return entry ^ (hostile_random(x) & 1);
	default:
		return entry & ~(u64)1;
	}
}

/* Every table of the walk, of four levels and five, damaged in every way. */
static void test_page_tables(void **state)
{
	static const char *const files[] = { "linux-6.12.txt", "five-levels.txt" };
	u64 x = 7;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(files) * 6 * DAMAGES; i++) {
		struct hostile_want w = { ANY, ANY, ANY, ANY, NULL };
		u64 table = TABLES + i / DAMAGES % 6 * PAGE_SIZE, entries[512];
		enum table_damage d = i % DAMAGES;
		char what[64];

		hostile_start(files[i / DAMAGES / 6], NULL);
		hostile_poke(table, entries, sizeof(entries), false);
		for (size_t k = 0; k < 512; k++)
			entries[k] = entries[k] || d == RANDOM
					     ? damaged_entry(d, entries[k], table, &x)
					     : 0;
		hostile_poke(table, entries, sizeof(entries), true);
		snprintf(what, sizeof(what), "table %#llx, damage %u", (unsigned long long)table,
			 d);
		hostile_check(what, &w);
		golden_close(&hostile.g, &hostile.scratch);
	}
}

/* The section table's roots, or its sections. */
static void test_sections(void **state)
{
	static const struct {
		u64 pa, value; /* ANY: random bytes, a page of them */
		const char *reason;
	} t[] = {
		{ ROOTS, ANY, "mem_section" },
		{ SECTIONS, ANY, "mem_section" },
		{ ROOTS, 0, "mem_section" },
		/* the root is the array of roots, or lies outside */
		{ ROOTS, 0xffffffff80210000, "mem_section" },
		{ ROOTS, 0xffffffffffffff00, "mem_section" },
		{ SECTIONS, 0, "no section's memory map is mapped" },
		{ SECTIONS, 0xffffea0000000000, "no section's memory map is mapped" }, /* no map */
		{ SECTIONS, 0x1f, "no section's memory map is mapped" },
		{ SECTIONS, 0xffffffffffffffff, "no section's memory map is mapped" },
	};
	u64 x = 3;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct hostile_want w;
		char what[64];

		hostile_start("linux-6.12.txt", NULL);
		if (t[i].value == ANY)
			hostile_poke_random(t[i].pa, PAGE_SIZE, &x);
		else
			hostile_poke64(t[i].pa, t[i].value);
		w = hostile_all_of(t[i].reason);
		snprintf(what, sizeof(what), "sections %zu", i);
		hostile_check(what, &w);
		golden_close(&hostile.g, &hostile.scratch);
	}
}

/* Two sections of section-flat.txt whose memory maps are one, in whole or in part: neither is
 * believed. */
static void test_sections_overlap(void **state)
{
	static const u64 va[] = { 0xffffc90000100000, 0xffffc90000101000, 0xffffc900000ff000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(va); i++) {
		struct hostile_want w;

		hostile_start("section-flat.txt", NULL);
		w = hostile_all_of("pages are kept that have no descriptor");
		/* section 2, of 4096 pages of 56 bytes */
		hostile_poke64(0x210000 + 2 * 32 + 8, (va[i] - 2 * 4096 * 56) | 0x1f);
		hostile_check("overlap", &w);
		golden_close(&hostile.g, &hostile.scratch);
	}
}

/* Clears the page table entry that leads to pa. */
static void unmap(u64 pa)
{
	unsigned found = 0;

	for (u64 at = TABLES; at < TABLES + 0x10000; at += 8) {
		u64 entry = 0;

		hostile_poke(at, &entry, 8, false);
		if ((entry & 1) && (entry & 0x000ffffffffff000) == pa && at < 0x210000) {
			hostile_poke64(at, 0);
			found++;
		}
	}
	assert_true(found > 0);
}

static void test_unmapped(void **state)
{
	struct hostile_want w;
	u64 first, last;

	(void)state;
	/* all of it: a leaf of 2 MiB */
	hostile_start("linux-6.12.txt", NULL);
	unmap(0x400000);
	w = hostile_all_of("no section's memory map is mapped");
	hostile_check("all unmapped", &w);
	golden_close(&hostile.g, &hostile.scratch);
	/* one page of it, whose records begin before it and end behind it */
	hostile_start("section-flat.txt", NULL);
	unmap(0x340000 + PAGE_SIZE);
	first = 0x2000 + PAGE_SIZE / 56;
	last = 0x2000 + (2 * PAGE_SIZE - 1) / 56;
	w = (struct hostile_want){ first, last, 0,
				   0x20 + hostile_ram_pages(first, last), /* 0x20 never had any */
				   "pages are kept that have no descriptor" };
	hostile_check("one page unmapped", &w);
	golden_close(&hostile.g, &hostile.scratch);
	/* one section of two */
	hostile_start("section-flat.txt", NULL);
	for (u64 pa = 0x340000; pa < 0x340000 + 4096 * 56; pa += PAGE_SIZE)
		unmap(pa);
	w = (struct hostile_want){ 0x2000, 0x2fff, 0, 0x20 + hostile_ram_pages(0x2000, 0x2fff),
				   NULL };
	hostile_check("one section unmapped", &w);
	golden_close(&hostile.g, &hostile.scratch);
}

/* Pages that the golden itself has as unknown, outside of [first, last]. */
static u64 unknown_outside(u64 first, u64 last)
{
	u64 n = 0;

	for (size_t i = 0; i < hostile.g.npages; i++)
		n += (hostile.g.pages[i].pfn < first || hostile.g.pages[i].pfn > last) &&
		     strcmp(hostile.g.pages[i].rule->class, "unknown") == 0;
	return n;
}

/* Random bytes for whole groups of 64 descriptors: all are kept and counted, poisoned, free or of
 * user space as they may look. */
static void test_pages_random(void **state)
{
	static const char *const files[] = { "linux-6.1.txt", "linux-6.12.txt", "linux-7.1.txt" };
	static const struct {
		u64 first, last;
	} ranges[] = { { 0, 0xbff }, { 0x600, 0x67f }, { 0x680, 0x6bf }, { 0x100, 0x17f } };
	u64 x = 11;

	(void)state;
	for (unsigned i = 0; i < 8 * ARRAY_SIZE(ranges) * ARRAY_SIZE(files); i++) {
		u64 first = ranges[i % ARRAY_SIZE(ranges)].first;
		u64 last = ranges[i % ARRAY_SIZE(ranges)].last;
		const char *file = files[i / ARRAY_SIZE(ranges) % ARRAY_SIZE(files)];
		struct hostile_want w;
		char what[80];

		hostile_start(file, NULL);
		for (u64 pfn = first; pfn <= last; pfn += GROUP)
			hostile_poke_random(STRUCT_PAGE(pfn), GROUP * 64, &x);
		w = (struct hostile_want){ first, last,
					   hostile_ram_pages(first, last) +
						   unknown_outside(first, last),
					   0, "descriptors make no sense" };
		snprintf(what, sizeof(what), "%s: random %#llx, turn %u", file,
			 (unsigned long long)first, i);
		hostile_check(what, &w);
		golden_close(&hostile.g, &hostile.scratch);
	}
}

enum field_damage { HUGE_ORDER, ODD_ORDER, CYCLE, TO_TAIL, MASKS, ANYWHERE, TYPES, FIELD_DAMAGES };

/* One field of the descriptor of pfn. */
static void damage_field(enum field_damage d, u64 pfn, u64 *x)
{
	u64 pa = STRUCT_PAGE(pfn), va = 0xffffea0000000000, r = hostile_random(x);
	u32 buddy = 0xf0000000, type = (u32)r;

	switch (d) {
	case HUGE_ORDER:
	case ODD_ORDER: /* a free area that would reach over pages in use */
		hostile_poke(pa + 48, &buddy, 4, true);
		hostile_poke64(pa + 40, d == HUGE_ORDER ? r : 3 + r % 7);
		return;
	case CYCLE: /* 64 tails, each of the next one */
		hostile_poke64(pa + 8, (va + (pfn - pfn % 64 + (pfn + 1) % 64) * 64) | 1);
		return;
	case TO_TAIL:
		hostile_poke64(pa + 8, (va + (pfn - 1) * 64) | 1);
		return;
	case MASKS: /* turns its own address into some other's */
		hostile_poke64(pa + 8, ~(u64)0 << r % 64 | 1);
		return;
	case ANYWHERE:
		hostile_poke64(pa + 8, r | 1);
		return;
	default:
		hostile_poke(pa + 48, &type, 4, true);
	}
}

static void test_pages_fields(void **state)
{
	u64 x = 5;

	(void)state;
	for (unsigned i = 0; i < 4 * FIELD_DAMAGES; i++) {
		struct hostile_want w = { 0x600, 0x6ff, ANY, 0, "descriptors make no sense" };
		char what[64];

		hostile_start("linux-6.12.txt", NULL);
		for (u64 pfn = 0x600; pfn <= 0x6ff; pfn++)
			damage_field(i % FIELD_DAMAGES, pfn, &x);
		snprintf(what, sizeof(what), "field damage %u, turn %u", i % FIELD_DAMAGES, i);
		hostile_check(what, &w);
		golden_close(&hostile.g, &hostile.scratch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_page_tables, hostile_clean),
		cmocka_unit_test_teardown(test_sections, hostile_clean),
		cmocka_unit_test_teardown(test_sections_overlap, hostile_clean),
		cmocka_unit_test_teardown(test_unmapped, hostile_clean),
		cmocka_unit_test_teardown(test_pages_random, hostile_clean),
		cmocka_unit_test_teardown(test_pages_fields, hostile_clean),
	};

	return cmocka_run_group_tests(tests, hostile_setup, hostile_teardown);
}
