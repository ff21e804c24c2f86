/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of nearly empty pages, judged by zstd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zstd.h>

#include "../sparse.h"

#define WORDS (PAGE_SIZE / 8)

/* The size of the page's frame, or 0; the frame is judged. */
static size_t try_page(const u64 *page)
{
	u8 frame[SPARSE_FRAME_MAX], out[PAGE_SIZE];
	size_t n = sparse_page((const u8 *)page, frame);

	assert_true(n <= sizeof(frame));
	if (n) {
		assert_int_equal(ZSTD_getFrameContentSize(frame, n), PAGE_SIZE);
		assert_int_equal(ZSTD_decompress(out, sizeof(out), frame, n), PAGE_SIZE);
		assert_memory_equal(out, page, PAGE_SIZE);
	}
	return n;
}

static void test_one_word(void **state)
{
	u64 page[WORDS] = { 0 };

	(void)state;
	assert_int_equal(try_page(page), 0);
	for (size_t i = 0; i < WORDS; i++) {
		page[i] = 0xffff8c02c07140c8;
		assert_in_range(try_page(page), 22, 26);
		page[i] = 0;
	}
}

/* Islands of every number and length, at every place: their limits are met exactly. */
static void test_islands(void **state)
{
	u64 rng = 1;

	(void)state;
	for (unsigned turn = 0; turn < 20000; turn++) {
		u64 page[WORDS] = { 0 };
		size_t islands = 0, words = 0;

		for (size_t k = rng % 7; k > 0; k--) {
			size_t at, len;

			rng = rng * 6364136223846793005 + 1442695040888963407;
			at = rng >> 32 & (WORDS - 1);
			len = 1 + (rng >> 45) % 3;
			for (size_t i = at; i < at + len && i < WORDS; i++)
				page[turn % 2 ? i : i / 64] = rng | 1;
		}
		rng = rng * 6364136223846793005 + 1442695040888963407;
		for (size_t i = 0; i < WORDS; i++) {
			words += page[i] != 0;
			islands += page[i] && (i == 0 || !page[i - 1]);
		}
		assert_int_equal(try_page(page) != 0, islands && islands <= SPARSE_ISLANDS_MAX &&
							      words <= SPARSE_WORDS_MAX);
	}
}

static void test_full(void **state)
{
	u64 page[WORDS];

	(void)state;
	memset(page, 0xff, sizeof(page));
	assert_int_equal(try_page(page), 0);
	memset(page, 0, sizeof(page));
	memset(page, 0xff, SPARSE_WORDS_MAX * 8);
	assert_true(try_page(page) > 0);
	memset(page, 0xff, SPARSE_WORDS_MAX * 8 + 8);
	assert_int_equal(try_page(page), 0);
	memset(page, 0, sizeof(page));
	memset(page + WORDS - SPARSE_WORDS_MAX, 0xff, SPARSE_WORDS_MAX * 8);
	assert_true(try_page(page) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_word),
		cmocka_unit_test(test_islands),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
