/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../notes.h"
#include "../source.h"
#include "lib_golden.h"
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
		{ 4096, 1, 0, -EINVAL, "what it holds is neither kdump nor ELF" },
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

/* The file's bytes, and room for its program headers; the caller frees. */
static u8 *slurp(const struct scratch *dir, size_t *len)
{
	char path[160];
	FILE *f = fopen(scratch_path(dir, path, sizeof(path), "vmcore"), "rb");
	u8 *buf;

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	*len = (size_t)ftell(f);
	rewind(f);
	buf = calloc(1, *len + PAGE_SIZE);
	assert_non_null(buf);
	assert_int_equal(fread(buf, 1, *len, f), *len);
	fclose(f);
	return buf;
}

/* Both sources say and give the same. */
static void same_source(struct source *a, struct source *b)
{
	u8 page[2][PAGE_SIZE];
	struct window w[2];

	assert_int_equal(a->max_pfn, b->max_pfn);
	assert_int_equal(a->nmaps, b->nmaps);
	assert_int_equal(a->notes_len, b->notes_len);
	assert_memory_equal(a->notes, b->notes, a->notes_len);
	assert_int_equal(window_open(&w[0], a, PAGE_SIZE, NULL), 0);
	assert_int_equal(window_open(&w[1], b, PAGE_SIZE, NULL), 0);
	for (u64 pfn = 0; pfn < a->max_pfn; pfn++) {
		int rc = window_read(&w[0], pfn << PAGE_SHIFT, page[0], PAGE_SIZE, NULL);

		assert_int_equal(window_read(&w[1], pfn << PAGE_SHIFT, page[1], PAGE_SIZE, NULL),
				 rc);
		if (!rc)
			assert_memory_equal(page[0], page[1], PAGE_SIZE);
	}
	window_close(&w[0]);
	window_close(&w[1]);
}

static void open_same(struct source *plain, const u8 *buf, const struct test_flat_piece *p,
		      size_t n)
{
	struct source *s = NULL;
	struct err e = { 0 };
	struct test_file f;
	size_t size;
	u8 *flat = test_flatten(buf, p, n, &size);

	f = test_file_make(flat, size);
	if (source_open(&s, f.path, 0, &e))
		fail_msg("%s", e.msg);
	assert_string_equal(s->ops->name, "elf");
	assert_true(s->flattened && !s->incomplete && !plain->flattened);
	same_source(plain, s);
	source_close(s);
	close(f.fd);
	free(flat);
}

/* The headers lie in several records, the last of which comes first. */
static void test_flattened_elf(void **state)
{
	struct scratch dir;
	struct golden g = { 0 };
	Elf64_Ehdr *eh;
	size_t len, size;
	u8 *buf;

	(void)state;
	scratch_make(&dir);
	golden_open(&g, &dir, "small.txt", NULL);
	buf = slurp(&dir, &len);
	const struct test_flat_piece p[] = { { 100, len - 100 }, { 64, 36 }, { 0, 64 } };

	open_same(g.core->src, buf, p, 3);
	/* the program headers at the end, their number in a section header in their old place */
	eh = (Elf64_Ehdr *)buf;
	size = eh->e_phnum * sizeof(Elf64_Phdr);
	assert_in_range(size, sizeof(Elf64_Shdr), PAGE_SIZE);
	memcpy(buf + len, buf + eh->e_phoff, size);
	memset(buf + eh->e_phoff, 0, size);
	((Elf64_Shdr *)(buf + eh->e_phoff))->sh_info = eh->e_phnum;
	eh->e_shoff = eh->e_phoff;
	eh->e_phoff = len;
	eh->e_phnum = PN_XNUM;
	eh->e_shnum = 1;
	eh->e_shentsize = sizeof(Elf64_Shdr);
	const struct test_flat_piece x[] = { { 0, 64 }, { 64, len + size - 64 } };

	open_same(g.core->src, buf, x, 2);
	free(buf);
	golden_close(&g, &dir);
	scratch_rm(&dir);
}

/* What is lost of an ELF stream is missing, what is there is read, and the end is told. */
static void test_flattened_elf_cut(void **state)
{
	struct source *s = NULL;
	struct err e = { 0 };
	struct scratch dir;
	struct test_file f;
	struct golden g = { 0 };
	struct window w;
	size_t len, size;
	u8 *buf, *flat, byte;
	u64 pa;

	(void)state;
	scratch_make(&dir);
	golden_open(&g, &dir, "small.txt", NULL);
	buf = slurp(&dir, &len);
	const struct test_flat_piece p[] = { { 0, len - 4096 }, { len - 4096, 4096 } };

	flat = test_flatten(buf, p, 2, &size);
	f = test_file_make(flat, size - 16 - 4096);
	assert_int_equal(source_open(&s, f.path, 0, &e), -EINVAL);
	pages_check_msg(&e, "flattened: ends early: record at");
	assert_int_equal(source_open(&s, f.path, SOURCE_PARTIAL, &e), 0);
	assert_true(s->incomplete);
	assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
	pa = g.pages[0].pfn << PAGE_SHIFT;
	assert_int_equal(window_read(&w, pa, &byte, 1, NULL), 0);
	pa = (g.max_pfn - 1) << PAGE_SHIFT;
	assert_int_equal(window_read(&w, pa, &byte, 1, &e), -ENODATA);
	pages_check_msg(&e, "ends before what belongs at");
	window_close(&w);
	source_close(s);
	close(f.fd);
	free(flat);
	free(buf);
	golden_close(&g, &dir);
	scratch_rm(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flattened),     cmocka_unit_test(test_flattened_rewrite),
		cmocka_unit_test(test_flattened_gap), cmocka_unit_test(test_flattened_rejects),
		cmocka_unit_test(test_flattened_elf), cmocka_unit_test(test_flattened_elf_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
