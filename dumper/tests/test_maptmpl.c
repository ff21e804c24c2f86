/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever a page holds and wherever it lies, its frame is decompressed by zstd to that page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zstd.h>

#include "../maptmpl.h"

#define WORDS (PAGE_SIZE / 8)
#define RECORD 8 /* words of a struct page */

static u64 rng = 1;

static u64 any(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static u64 kernel_va(void)
{
	return 0xffff000000000000 | (any() & 0xffffffff000);
}

/* Any page of any address space: at its ends too, where numbers look like addresses. */
static u64 any_va(void)
{
	static const u64 ends[] = { 0, 0x1000, 0xfffffffffffff000, 0xffffea0000000000,
				    0x7ffffffffffff000 };
	u64 r = any();

	return r % 8 ? kernel_va() : ends[r / 8 % ARRAY_SIZE(ends)];
}

/* Struct pages as a kernel's boot leaves them: two list heads that point at themselves. */
static void make_unused(u64 *page, u64 va, u64 flags)
{
	memset(page, 0, PAGE_SIZE);
	for (size_t i = 0; i < WORDS; i += RECORD) {
		page[i] = flags;
		page[i + 1] = page[i + 2] = va + i * 8 + 8;
		page[i + 6] = 0xffffffff;
	}
}

/* The first of a free area, in the list of such, which lie step bytes apart. */
static void make_area(u64 *page, u64 va, u64 flags, u64 step)
{
	make_unused(page, va, flags);
	page[1] = va + 8 + step;
	page[2] = va + 8 - step;
	page[5] = 10;
	page[6] = 0xffffff7f;
}

/* The size of the page's frame, or 0; the frame is judged. */
static size_t try_page(struct maptmpl *m, const u64 *page, u64 va)
{
	u8 frame[MAPTMPL_FRAME_MAX], out[PAGE_SIZE];
	size_t n;

	memset(frame, 0xee, sizeof(frame));
	n = maptmpl_page(m, (const u8 *)page, va, frame);
	assert_true(n <= sizeof(frame));
	if (n) {
		assert_int_equal(ZSTD_getFrameContentSize(frame, n), PAGE_SIZE);
		assert_int_equal(ZSTD_decompress(out, sizeof(out), frame, n), PAGE_SIZE);
		assert_memory_equal(out, page, PAGE_SIZE);
	}
	return n;
}

/* The second of its kind makes the template; all after it use it. */
static void test_unused(void **state)
{
	struct maptmpl *m = maptmpl_open();
	u64 page[WORDS];

	(void)state;
	assert_non_null(m);
	for (unsigned i = 0; i < 3000; i++) {
		u64 va = kernel_va();
		size_t n;

		make_unused(page, va, 0x17ffffc0000000);
		n = try_page(m, page, va);
		if (i == 0)
			assert_int_equal(n, 0);
		else
			assert_in_range(n, 1, 220); /* 64 records of 64 bytes */
	}
	maptmpl_close(m);
}

/* Plain words that all of a page have in common may be others in the next page, but not zero for
 * one that is not: that is another kind. */
static void test_other_words(void **state)
{
	struct maptmpl *m = maptmpl_open();
	u64 page[WORDS];

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		u64 va = kernel_va(), flags = i < 2 ? 1 : any() >> any() % 64, section = any();
		size_t n;

		make_unused(page, va, flags);
		for (size_t k = 0; k < WORDS; k += RECORD)
			page[k + 5] = i < 2 ? 7 : section;
		n = try_page(m, page, va);
		if (i)
			assert_in_range(n, 1, 230);
		page[5] ^= 1; /* not in common */
		try_page(m, page, va);
	}
	maptmpl_close(m);
}

static void test_areas(void **state)
{
	static const u64 steps[] = { 0x10000, 0x20000, 0xfff000, 0x1000, 0x40 };
	struct maptmpl *m = maptmpl_open();
	u64 page[WORDS];

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		u64 va = kernel_va();
		size_t n;

		make_area(page, va, 0x17ffffc0000000, steps[i % ARRAY_SIZE(steps)]);
		n = try_page(m, page, va);
		if (i >= ARRAY_SIZE(steps))
			assert_in_range(n, 1, 260);
	}
	maptmpl_close(m);
}

/* More kinds than there are templates: those used last stay. */
static void test_many_kinds(void **state)
{
	struct maptmpl *m = maptmpl_open();
	u64 page[WORDS];

	(void)state;
	for (unsigned i = 0; i < 40 * MAPTMPL_MAX; i++) {
		u64 va = kernel_va();

		make_unused(page, va, 1);
		page[i / 8 % (2 * MAPTMPL_MAX) * RECORD + 3] = 1; /* in one record only */
		if (try_page(m, page, va) == 0)
			assert_int_equal(i % 8, 0);
	}
	maptmpl_close(m);
}

/* One page with one word changed, again and again: a template never stands for another page. */
static void test_one_word(void **state)
{
	struct maptmpl *m = maptmpl_open();
	u64 page[WORDS];

	(void)state;
	for (unsigned i = 0; i < 4 * WORDS; i++) {
		u64 va = any_va(), *w = &page[i % WORDS];

		make_unused(page, va, 1);
		try_page(m, page, va);
		*w += (u64)1 << any() % 64;
		try_page(m, page, va);
	}
	maptmpl_close(m);
}

/* Pages of what an address may look like, twice each at different places. */
static void test_hostile(void **state)
{
	struct maptmpl *m = maptmpl_open();
	u64 page[WORDS];
	size_t made = 0;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		u64 seed = any() | 1, period = 1 + any() % 64;

		for (unsigned again = 0; again < 3; again++) {
			u64 va = any_va(), keep = rng;

			rng = seed;
			for (size_t k = 0; k < WORDS; k++) {
				u64 r = any(), kind = r % 16;

				if (k >= period && kind < 14)
					page[k] = page[k - period];
				else if (kind < 2)
					page[k] = va + (r >> 8) % PAGE_SIZE;
				else if (kind < 4)
					page[k] = va + (r >> 8) % 0x2000000 - 0x1000000;
				else
					page[k] = kind < 8 ? r >> 40 : kind < 12 ? 0 : r;
			}
			rng = keep;
			made += try_page(m, page, va) != 0;
		}
	}
	assert_true(made > 100);
	maptmpl_close(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unused),	    cmocka_unit_test(test_areas),
		cmocka_unit_test(test_other_words), cmocka_unit_test(test_many_kinds),
		cmocka_unit_test(test_one_word),    cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
