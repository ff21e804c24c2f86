/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../notes.h"
#include "../source.h"
#include "lib_kdump.h"
#include "lib_pages.h"

static void test_flattened(void **state)
{
	struct test_kdump k = pages_make();
	u64 d = k.data, len = k.len;
	/* In order; shuffled; overlapping, where later records count. */
	const struct test_flat_piece p[][6] = {
		{ { 0, d }, { d, len - d } },
		{ { d + 50, len - d - 50 }, { 4096, d - 4096 }, { d, 50 }, { 0, 4096 } },
		{ { 0, len - 5 },
		  { 100, 5000 },
		  { 4000, 1 },
		  { d, len - d },
		  { 4096, 0 },
		  { 0, 464 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		size_t n = 0, size;
		struct test_file f;
		struct source *s;
		u8 *flat;

		while (n < 6 && (p[i][n].size || p[i][n].off))
			n++;
		flat = test_flatten(k.buf, p[i], n, &size);
		f = test_file_make(flat, size);
		s = pages_open(&f, 0);
		pages_check(s);
		assert_false(s->incomplete);
		source_close(s);
		close(f.fd);
		free(flat);
	}
	test_kdump_free(&k);
}

/* The header comes first as incomplete and again, whole, at the end: the last one counts. */
static void test_flattened_rewrite(void **state)
{
	struct test_kdump k = pages_make();
	const struct test_flat_piece p[] = { { 0, k.len }, { 0, 464 } };
	size_t size, second = KDUMP_FLAT_HEADER_SIZE + 16 + k.len + 16;
	struct test_file f;
	struct source *s;
	u8 *flat;

	(void)state;
	test_patch(&k, HEAD(status), KDUMP_INCOMPLETE);
	flat = test_flatten(k.buf, p, 2, &size);
	flat[second + offsetof(struct kdump_header, status)] = 0;
	f = test_file_make(flat, size);
	s = pages_open(&f, 0);
	assert_false(s->incomplete);
	pages_check(s);
	source_close(s);
	close(f.fd);
	/* cut before the second header: still incomplete, and readable when that is accepted */
	f = test_file_make(flat, second);
	s = pages_open(&f, SOURCE_PARTIAL);
	assert_true(s->incomplete);
	pages_check(s);
	source_close(s);
	close(f.fd);
	free(flat);
	test_kdump_free(&k);
}

/* In a stream that ends early a gap is lost data, not zeros. The first page is stored raw. */
static void test_flattened_gap(void **state)
{
	struct test_kdump k = pages_make();
	u64 d = k.data;
	const struct test_flat_piece p[] = { { 0, d },
					     { d + PAGE_SIZE, k.len - d - PAGE_SIZE },
					     { d, PAGE_SIZE } };
	struct err e = { 0 };
	struct test_file f;
	struct source *s;
	struct window w;
	size_t size;
	u8 *flat = test_flatten(k.buf, p, 3, &size), byte;

	(void)state;
	f = test_file_make(flat, size - 16 - PAGE_SIZE - 16);
	s = pages_open(&f, SOURCE_PARTIAL);
	assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
	assert_int_equal(window_read(&w, 0, &byte, 1, &e), -ENODATA);
	pages_check_msg(&e, "pfn 0: read 0 of 4096 bytes");
	assert_int_equal(window_read(&w, PAGE_SIZE + 8, &byte, 1, NULL), 0);
	assert_int_equal(byte, 'b');
	window_close(&w);
	source_close(s);
	close(f.fd);
	free(flat);
	test_kdump_free(&k);
}

static void test_flattened_rejects(void **state)
{
	static const struct {
		u64 off, value; /* big endian */
		size_t cut;
		int rc;
		const char *msg;
	} t[] = {
		{ 16, 2, 0, -ENOTSUP, "flattened: type 2, version 1" },
		{ 24, 9, 0, -ENOTSUP, "flattened: type 1, version 9" },
		{ 4096, -2ull, 0, -EINVAL, "flattened: record at 4096: offset -2" },
		{ 4104, -2ull, 0, -EINVAL, "flattened: record at 4096: offset 0, size -2" },
		{ 4104, INT64_MAX, 0, -EINVAL, "ends early: record at 4096 has" },
		{ 4096, -1ull, 0, -EINVAL, "flattened: no data" },
		{ 4096, 1, 0, -EINVAL, "what it holds is no kdump file" },
		{ 24, 1, 16, -EINVAL, "ends early: no end mark by byte" },
		{ 24, 1, 17, -EINVAL, "ends early: record at 4096 has" },
	};
	struct test_kdump k = pages_make();
	const struct test_flat_piece p[] = { { 0, k.len } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct source *s = NULL;
		struct err e = { 0 };
		struct test_file f;
		size_t size;
		u8 *flat = test_flatten(k.buf, p, 1, &size);

		for (int b = 0; b < 8; b++)
			flat[t[i].off + b] = (u8)(t[i].value >> (56 - 8 * b));
		f = test_file_make(flat, size - t[i].cut);
		assert_int_equal(source_open(&s, f.path, 0, &e), t[i].rc);
		pages_check_msg(&e, t[i].msg);
		close(f.fd);
		free(flat);
	}
	test_kdump_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flattened),
		cmocka_unit_test(test_flattened_rewrite),
		cmocka_unit_test(test_flattened_gap),
		cmocka_unit_test(test_flattened_rejects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
