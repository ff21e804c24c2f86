/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zlib.h>
#include <zstd.h>

#include "../compress.h"
#include "../kdump_fmt.h"

enum content { ZERO, TEXT, NOISE, CONTENTS };

static void make_page(u8 *page, enum content what)
{
	u32 x = 1;

	for (size_t i = 0; i < PAGE_SIZE; i++) {
		x = x * 1103515245 + 12345;
		page[i] = what == ZERO ? 0 : what == TEXT ? "struct page"[i % 11] : (u8)(x >> 16);
	}
}

static size_t decompress(enum compress_kind kind, const u8 *from, size_t len, u8 *page)
{
	uLongf n = PAGE_SIZE;

	if (kind == COMPRESS_ZSTD)
		return ZSTD_decompress(page, PAGE_SIZE, from, len);
	assert_int_equal(uncompress(page, &n, from, len), Z_OK);
	return n;
}

static void test_pages(void **state)
{
	static const struct {
		enum compress_kind kind;
		int level;
		u32 flag;
		const char *name;
	} t[] = {
		{ COMPRESS_NONE, 0, 0, "none" },
		{ COMPRESS_NONE, 7, 0, "none" },
		{ COMPRESS_ZLIB, 0, KDUMP_ZLIB, "zlib" },
		{ COMPRESS_ZLIB, 9, KDUMP_ZLIB, "zlib" },
		{ COMPRESS_ZSTD, 0, KDUMP_ZSTD, "zstd" },
		{ COMPRESS_ZSTD, 19, KDUMP_ZSTD, "zstd" },
		{ COMPRESS_ZSTD, -5, KDUMP_ZSTD, "zstd" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct compressor *c = NULL;
		struct err e = { 0 };

		assert_int_equal(compressor_open(&c, t[i].kind, t[i].level, &e), 0);
		assert_int_equal(compress_flag(t[i].kind), t[i].flag);
		assert_string_equal(compress_name(t[i].kind), t[i].name);
		/* twice: a frame does not depend on the one before */
		for (unsigned k = 0; k < 2 * CONTENTS; k++) {
			u8 page[PAGE_SIZE], dst[PAGE_SIZE], back[PAGE_SIZE];
			size_t n;

			make_page(page, k % CONTENTS);
			n = compressor_page(c, page, dst, sizeof(dst));
			/* what does not get smaller is stored as it is */
			if (t[i].kind == COMPRESS_NONE || k % CONTENTS == NOISE) {
				assert_int_equal(n, 0);
				continue;
			}
			assert_in_range(n, 1, 200);
			assert_int_equal(decompress(t[i].kind, dst, n, back), PAGE_SIZE);
			assert_memory_equal(page, back, PAGE_SIZE);
			/* no room is no error either */
			assert_int_equal(compressor_page(c, page, dst, n - 1), 0);
		}
		compressor_close(c);
	}
}

static void test_levels(void **state)
{
	static const struct {
		int level;
		const char *msg;
	} t[] = { { 10, "zlib level 10: not 1 to 9" }, { -1, "zlib level -1: not 1 to 9" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct compressor *c = NULL;
		struct err e = { 0 };

		assert_int_equal(compressor_open(&c, COMPRESS_ZLIB, t[i].level, &e), -EINVAL);
		assert_string_equal(e.msg, t[i].msg);
		assert_null(c);
	}
	compressor_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pages),
					    cmocka_unit_test(test_levels) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
