/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../base/bits.h"
#include "../elf_plan.h"

enum { PAGES = 128, MAX_SEGS = 6 };

/* A letter a page: ' ' no memory, '.' left out, '#' in the file; then segments as {first, pages,
 * pages in the file}. */
static const struct plan_case {
	u64 gap;
	const char *pages;
	struct elf_seg segs[MAX_SEGS];
} cases[] = {
	{ 2, "", { { 0 } } },
	{ 2, "####", { { 0, 4, 4, 0 } } },
	{ 2, "....", { { 0, 4, 0, 0 } } },
	{ 2, "  ##  ##", { { 2, 2, 2, 0 }, { 6, 2, 2, 0 } } },
	/* a gap that is short stays in the segment, a long one ends it */
	{ 2, "#.#", { { 0, 3, 3, 0 } } },
	{ 2, "#..#", { { 0, 3, 1, 0 }, { 3, 1, 1, 0 } } },
	{ 1, "#..##", { { 0, 3, 1, 0 }, { 3, 2, 2, 0 } } },
	{ 1, "##.#", { { 0, 3, 2, 0 }, { 3, 1, 1, 0 } } },
	{ 1, "#.#", { { 0, 2, 1, 0 }, { 2, 1, 1, 0 } } },
	/* a long gap whose parts in the two chunks are short */
	{ 3, "#...#", { { 0, 4, 1, 0 }, { 4, 1, 1, 0 } } },
	{ 3, "#..#...#", { { 0, 7, 4, 0 }, { 7, 1, 1, 0 } } },
	{ 2, "..##", { { 0, 2, 0, 0 }, { 2, 2, 2, 0 } } },
	{ 2, ".##.", { { 0, 4, 3, 0 } } },
	{ 2, "##...", { { 0, 5, 2, 0 } } },
	{ 2, " .. #.", { { 1, 2, 0, 0 }, { 4, 2, 1, 0 } } },
};

/* Adds the case's pages, in chunks of which the last comes first where cut is set. They begin at
 * 62, so that a chunk ends among them. */
static void add_case(struct elf_plan *p, const struct plan_case *c, bool cut, u64 *ram, u64 *keep)
{
	for (size_t k = 0; c->pages[k]; k++) {
		if (c->pages[k] != ' ')
			bit_set(ram, 62 + k);
		if (c->pages[k] == '#')
			bit_set(keep, 62 + k);
	}
	elf_plan_init(p, c->gap);
	if (cut) {
		assert_int_equal(elf_plan_add(p, 64, 64, ram + 1, keep + 1), 0);
		assert_int_equal(elf_plan_add(p, 0, 64, ram, keep), 0);
	} else {
		assert_int_equal(elf_plan_add(p, 0, PAGES, ram, keep), 0);
	}
}

static void check_segs(const struct elf_plan *p, const struct plan_case *c, u64 off)
{
	size_t n = 0;

	for (; n < MAX_SEGS && c->segs[n].mem; n++) {
		const struct elf_seg *s = &p->segs[n], *want = &c->segs[n];

		if (n >= p->n || s->pfn != 62 + want->pfn || s->mem != want->mem ||
		    s->file != want->file || s->off != off)
			fail_msg("\"%s\" gap %d: segment %zu", c->pages, (int)c->gap, n);
		off += s->file * PAGE_SIZE;
	}
	assert_int_equal(p->n, n);
}

/* What must hold however the chunks were cut. */
static void check_pages(const struct elf_plan *p, const u64 *ram, const u64 *keep)
{
	for (size_t k = 0; k < PAGES; k++) {
		const struct elf_seg *s = elf_plan_find(p, k);

		assert_int_equal(s != NULL, bit_test(ram, k));
		if (bit_test(keep, k))
			assert_true(k - s->pfn < s->file);
		/* a stream has no holes */
		if (s && p->gap == 1 && k - s->pfn < s->file)
			assert_true(bit_test(keep, k));
	}
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		const struct plan_case *c = &cases[i / 2];
		u64 ram[2] = { 0 }, keep[2] = { 0 }, end, off = 0x1000;
		struct elf_plan p;

		add_case(&p, c, i % 2, ram, keep);
		end = elf_plan_settle(&p, off);
		check_segs(&p, c, off);
		check_pages(&p, ram, keep);
		for (size_t k = 0; k < p.n; k++)
			off += p.segs[k].file * PAGE_SIZE;
		assert_int_equal(end, off);
		elf_plan_deinit(&p);
	}
}

/* More segments than there may be: the gap grows until they are few, and no page is lost. */
static void test_many(void **state)
{
	enum { CHUNKS = 2000 };
	u64 ram[8], keep[8];
	struct elf_plan p;
	u64 kept = 0, held = 0;

	(void)state;
	memset(ram, 0xff, sizeof(ram));
	memset(keep, 0x11, sizeof(keep));
	elf_plan_init(&p, 1);
	for (u64 c = 0; c < CHUNKS; c++)
		assert_int_equal(elf_plan_add(&p, c * 512, 512, ram, keep), 0);
	elf_plan_settle(&p, 0);
	assert_true(p.n < 65000);
	assert_true(p.gap > 1);
	for (u64 pfn = 0; pfn < CHUNKS * 512; pfn++) {
		const struct elf_seg *s = elf_plan_find(&p, pfn);

		assert_non_null(s);
		if (pfn % 4 == 0) {
			kept++;
			held += pfn - s->pfn < s->file;
		}
	}
	assert_int_equal(held, kept);
	elf_plan_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases),
					    cmocka_unit_test(test_many) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
