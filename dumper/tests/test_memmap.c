/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../memmap.h"
#include "lib_golden.h"

static struct scratch scratch;

static void open_golden(struct golden *g, struct memmap *m, const char *file)
{
	struct err e = { 0 };

	golden_open(g, &scratch, file, NULL);
	if (memmap_init(m, g->core, g->max_pfn, &e))
		fail_msg("%s: %s", file, e.msg);
}

/* Where struct pages lie, for each way in which sections are kept. */
static void test_page_va(void **state)
{
	static const struct {
		const char *file;
		u64 pfn, va;
	} t[] = {
		{ "linux-6.1.txt", 0, 0xffffea0000000000 },
		{ "linux-6.1.txt", 0x8ff, 0xffffea0000023fc0 },
		{ "linux-6.1.txt", 0x7fff, 0xffffea00001fffc0 },
		/* past RAM's last section */
		{ "linux-6.1.txt", 0x8000, 0 },
		{ "linux-6.1.txt", ~0ull, 0 },
		{ "five-levels.txt", 0x100, 0xffd4000000004000 },
		{ "section-pointer.txt", 0x100, 0xffffea0000004000 },
		{ "section-flat.txt", 0x200, 0xffffc90000100000 + 0x200 * 56 },
		{ "section-flat.txt", 0x1000, 0 },
		{ "section-flat.txt", 0x2001, 0xffffc90000200000 + 56 },
		{ "section-flat.txt", 0x4000, 0 },
		{ "holes.txt", 0x200000, 0xffffea0000000000 + 0x200000 * 64 },
		{ "holes.txt", 0x7fffff, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct golden g = { 0 };
		struct memmap m;

		open_golden(&g, &m, t[i].file);
		if (memmap_page_va(&m, t[i].pfn) != t[i].va)
			fail_msg("%s: %#llx: %#llx", t[i].file, (unsigned long long)t[i].pfn,
				 (unsigned long long)memmap_page_va(&m, t[i].pfn));
		memmap_deinit(&m);
		golden_close(&g, &scratch);
	}
}

/* Sections whose struct pages are another's, in the middle of many that lie one after the other:
 * the others are believed. */
static void test_shared(void **state)
{
	static const char more[] = "memmap 1 0x3c0000 bytes=4K\n"
				   "memmap 2 0x3c1000 bytes=4K\n"
				   "memmap 3 0x3c2000 bytes=4K\n";
	static const struct {
		const char *section_16; /* what its entry says */
		bool there[5];		/* sections 0 to 3 and 16 */
	} t[] = {
		{ "0xffffea000000000f", { true, true, true, true, true } },
		/* begins in the middle of 1 */
		{ "0xffffe9ffffc6000f", { true, false, false, true, false } },
		{ "0xffffe9ffffc8000f", { true, true, false, true, false } },
		/* its last page is the first of 0 */
		{ "0xffffe9ffffbc100f", { false, true, true, true, false } },
		/* before the end of the address space, and up to it */
		{ "0xffffffffffbbf00f", { true, true, true, true, true } },
		{ "0xffffffffffbc000f", { true, true, true, true, false } },
	};
	static const u64 nr[] = { 0, 1, 2, 3, 16 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct golden g = { 0 };
		struct memmap m;
		struct err e = { 0 };
		char text[256];

		snprintf(text, sizeof(text), "%sword 0x211100 %s\n", more, t[i].section_16);
		golden_open(&g, &scratch, "holes.txt", text);
		assert_int_equal(memmap_init(&m, g.core, g.max_pfn, &e), 0);
		for (size_t k = 0; k < ARRAY_SIZE(nr); k++) {
			if ((memmap_page_va(&m, nr[k] << 12) != 0) != t[i].there[k])
				fail_msg("%s: section %llu", t[i].section_16,
					 (unsigned long long)nr[k]);
		}
		assert_int_not_equal(memmap_page_va(&m, 0x200000), 0);
		memmap_deinit(&m);
		golden_close(&g, &scratch);
	}
}

/* The page of a struct page's address: only at or before a page, and not far before it. */
static void test_va_pfn(void **state)
{
	static const u64 none = ~0ull, va = 0xffffea0000000000;
	static const struct {
		u64 va, pfn, found;
	} t[] = {
		{ va, 0, 0 },
		{ va + 0x123 * 64, 0x123, 0x123 },
		{ va + 0x123 * 64, 0x122, none },
		{ va + 0x123 * 64 + 8, 0x200, none },
		{ va + 0x123 * 64, 0x10000, 0x123 },
		{ va + 0x123 * 64, 0x40123, 0x123 },
		{ va + 0x123 * 64, 0x40124, none },
		{ va + 0x10001 * 64, 0x10002, 0x10001 },
		{ va + 0x10001 * 64, 0x20002, 0x10001 },
		/* section 1 is not there */
		{ va + 0x1001 * 64, 0x2000, none },
		{ va - 64, 0x10, none },
		{ 0, 0x10, none },
	};
	struct golden g = { 0 };
	struct memmap m;

	(void)state;
	open_golden(&g, &m, "holes.txt");
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		if (memmap_va_pfn(&m, t[i].va, t[i].pfn) != t[i].found)
			fail_msg("%zu: %#llx", i,
				 (unsigned long long)memmap_va_pfn(&m, t[i].va, t[i].pfn));
	}
	memmap_deinit(&m);
	golden_close(&g, &scratch);
}

/* Struct pages that cannot be read are said to be missing, and read as zeros. */
static void test_missing(void **state)
{
	struct golden g = { 0 };
	struct memmap m;
	struct memmap_view v;
	struct err e = { 0 };
	u64 missing[1024 / 64] = { 0 };
	const u8 *map;

	(void)state;
	/* 0x700-0x73f: its page of the memory map is not RAM; from 0x800 on: not mapped */
	open_golden(&g, &m, "partial-map.txt");
	assert_int_equal(memmap_view_open(&v, &m, 1024, &e), 0);
	memmap_block(&v, 0x400, 1024, &map, missing);
	for (size_t i = 0; i < 1024; i++) {
		bool gone = i >= 0x300 && i < 0x340;
		u32 mapcount;

		memcpy(&mapcount, map + i * 64 + 48, 4);
		if ((missing[i / 64] >> i % 64 & 1) != gone)
			fail_msg("struct page of %#zx", 0x400 + i);
		assert_int_equal(mapcount == 0, gone);
	}
	memset(missing, 0, sizeof(missing));
	memmap_block(&v, 0x800, 1024, &map, missing);
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
		assert_int_equal(missing[i], ~0ull);
	memmap_view_close(&v);
	memmap_deinit(&m);
	golden_close(&g, &scratch);
}

/* Where the memory map lies: what pages of it describe. */
static void test_phys(void **state)
{
	static const struct {
		const char *file;
		size_t n;
		struct range last;
	} t[] = {
		{ "section-flat.txt", 2, { 0x340000, 4096 * 56, 0x2000 * 56 } },
		{ "linux-6.1.txt", 1, { 0x400000, 2 << 20, 0 } },
		/* many leaves, but one range */
		{ "long-map.txt", 1, { 0x400000, 63 << 20, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct golden g = { 0 };
		struct memmap m;

		open_golden(&g, &m, t[i].file);
		assert_true(m.phys_complete);
		assert_int_equal(m.phys.n, t[i].n);
		assert_memory_equal(&m.phys.r[m.phys.n - 1], &t[i].last, sizeof(t[i].last));
		memmap_deinit(&m);
		golden_close(&g, &scratch);
	}
}

static int setup(void **state)
{
	(void)state;
	scratch_make(&scratch);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_rm(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_page_va),
					    cmocka_unit_test(test_shared),
					    cmocka_unit_test(test_va_pfn),
					    cmocka_unit_test(test_missing),
					    cmocka_unit_test(test_phys) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
