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

/* Three chunks of a bitmap, a page at every edge. */
#define MAX_PFN 70001
static const struct test_page pages[] = {
	{ 0, 0, 'a' },
	{ 1, KDUMP_ZLIB, 'b' },
	{ 2, KDUMP_ZSTD, 'c' },
	{ 3, TEST_EXCLUDED, 0 },
	{ 63, KDUMP_ZSTD, 'd' },
	{ 64, KDUMP_ZLIB, 'e' },
	{ 100, KDUMP_LZO, 0 },
	{ 101, KDUMP_SNAPPY, 0 },
	{ 102, TEST_MISSING, 0 },
	{ 32767, 0, 'f' },
	{ 32768, KDUMP_ZSTD, 'g' },
	{ 65535, KDUMP_ZLIB, 'h' },
	{ 70000, KDUMP_ZSTD, 'i' },
};
static const char vmcoreinfo[] = "OSRELEASE=6.1.0-test\nCRASHTIME=1700000000\n";

static struct test_kdump make(void)
{
	return test_kdump_make(MAX_PFN, pages, ARRAY_SIZE(pages), vmcoreinfo);
}

static bool holds(const struct test_page *p)
{
	return p->how == 0 || p->how == KDUMP_ZLIB || p->how == KDUMP_ZSTD;
}

static void check_msg(const struct err *e, const char *msg)
{
	if (!strstr(e->msg, msg))
		fail_msg("\"%s\" is not in \"%s\"", msg, e->msg);
}

static struct source *open_ok(const struct test_file *f, unsigned flags)
{
	struct source *s = NULL;
	struct err e = { 0 };

	if (source_open(&s, f->path, flags, &e))
		fail_msg("%s", e.msg);
	return s;
}

/* Every page of the list, newest first so that nothing is in the window's caches. */
static void check_pages(struct source *s)
{
	struct window w;
	u8 want[PAGE_SIZE], got[PAGE_SIZE];

	assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
	for (size_t i = ARRAY_SIZE(pages); i-- > 0;) {
		if (!holds(&pages[i]))
			continue;
		test_page_bytes(want, pages[i].pfn, pages[i].fill);
		assert_int_equal(window_read(&w, pages[i].pfn * PAGE_SIZE, got, PAGE_SIZE, NULL),
				 0);
		assert_memory_equal(got, want, PAGE_SIZE);
	}
	window_close(&w);
}

static void test_reads(void **state)
{
	struct test_kdump t = make();
	struct test_file f = test_file_make(t.buf, t.len);
	struct source *s = open_ok(&f, 0);
	struct note n;

	(void)state;
	assert_string_equal(s->ops->name, "kdump");
	assert_int_equal(s->max_pfn, MAX_PFN);
	assert_int_equal(s->excluded_level, 31);
	assert_false(s->incomplete);
	assert_int_equal(notes_find(s->notes, s->notes_len, "VMCOREINFO", &n, NULL), 1);
	assert_int_equal(n.desc_len, strlen(vmcoreinfo));
	assert_memory_equal(n.desc, vmcoreinfo, n.desc_len);
	check_pages(s);
	source_close(s);
	close(f.fd);
	test_kdump_free(&t);
}

static void test_absent_pages(void **state)
{
	static const struct {
		u64 pfn;
		int rc;
		const char *msg;
	} t[] = {
		{ 3, -ENODATA, "pfn 0x3 was left out of the dump" },
		{ 4, -ENXIO, "pfn 0x4 is not RAM" },
		{ MAX_PFN, -ENXIO, "is not RAM" },
		{ ~0ull / PAGE_SIZE, -ENXIO, "is not RAM" },
		{ 100, -ENOTSUP, "pfn 0x64: unsupported compression: lzo" },
		{ 101, -ENOTSUP, "pfn 0x65: unsupported compression: snappy" },
		{ 102, -ENODATA, "pfn 0x66: page is not in the dump" },
	};
	struct test_kdump k = make();
	struct test_file f = test_file_make(k.buf, k.len);
	struct source *s = open_ok(&f, 0);
	struct window w;

	(void)state;
	assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct err e = { 0 };
		const u8 *p;
		size_t got;

		assert_int_equal(window_get(&w, t[i].pfn * PAGE_SIZE, 1, &p, &got, &e), t[i].rc);
		check_msg(&e, t[i].msg);
	}
	window_close(&w);
	source_close(s);
	close(f.fd);
	test_kdump_free(&k);
}

static void test_windows(void **state)
{
	struct test_kdump k = make();
	struct test_file f = test_file_make(k.buf, k.len);
	struct source *s = open_ok(&f, 0);
	struct window w;
	const u8 *p;
	size_t got;

	(void)state;
	assert_int_equal(window_open(&w, s, 4 * PAGE_SIZE, NULL), 0);
	assert_int_equal(window_get(&w, 100, 10, &p, &got, NULL), 0);
	assert_int_equal(got, 10);
	assert_int_equal(p[0], 'a');
	/* 0, 1 and 2 are there, 3 is not */
	assert_int_equal(window_get(&w, 0, 1 << 20, &p, &got, NULL), 0);
	assert_int_equal(got, PAGE_SIZE);
	assert_int_equal(window_get(&w, PAGE_SIZE + 8, 1 << 20, &p, &got, NULL), 0);
	assert_int_equal(got, 2 * PAGE_SIZE - 8);
	assert_int_equal(p[0], 'b');
	assert_int_equal(p[PAGE_SIZE], 'c');
	/* after a failure the window is empty, and fills again */
	assert_int_equal(window_get(&w, 3 * PAGE_SIZE, 1, &p, &got, NULL), -ENODATA);
	assert_int_equal(window_get(&w, 2 * PAGE_SIZE + 9, 1, &p, &got, NULL), 0);
	assert_int_equal(p[0], 'c');
	window_close(&w);
	source_close(s);
	close(f.fd);
	test_kdump_free(&k);
}

static void test_bits(void **state)
{
	struct test_kdump k = make();
	struct test_file f;
	struct source *s;
	u64 ram[2] = { 0 }, have[2] = { 0 };

	(void)state;
	/* bits past max_pfn, and one in bitmap 2 only, are not believed */
	k.buf[k.bitmap1 + MAX_PFN / 8] |= 0xfe;
	k.buf[k.bitmap2] |= 0x20;
	f = test_file_make(k.buf, k.len);
	s = open_ok(&f, SOURCE_PARTIAL);
	assert_int_equal(source_bits(s, 0, 128, ram, have, NULL), 0);
	assert_int_equal(ram[0], 1ull << 63 | 0xf);
	assert_int_equal(ram[1], 1ull | 7ull << 36);
	assert_int_equal(have[0], 1ull << 63 | 7);
	assert_int_equal(have[1], 1ull | 7ull << 36);
	ram[0] = ram[1] = have[0] = have[1] = 0;
	assert_int_equal(source_bits(s, MAX_PFN / 64 * 64, 128, ram, have, NULL), 0);
	assert_int_equal(ram[0], 1ull << (MAX_PFN - 1) % 64);
	assert_int_equal(ram[1] | have[1], 0);
	source_close(s);
	close(f.fd);
	test_kdump_free(&k);
}

#define HEAD(field) offsetof(struct kdump_header, field), sizeof(((struct kdump_header *)0)->field)
#define SUB(field)                                            \
	PAGE_SIZE + offsetof(struct kdump_sub_header, field), \
		sizeof(((struct kdump_sub_header *)0)->field)

static void test_rejects(void **state)
{
	static const struct {
		u64 off;
		size_t width;
		u64 value;
		int rc;
		const char *msg;
	} t[] = {
		{ HEAD(version), 0, -EINVAL, "kdump header: version 0" },
		{ HEAD(block_size), 65536, -ENOTSUP, "block_size 65536, only 4096 is read" },
		{ HEAD(block_size), 0, -ENOTSUP, "block_size 0" },
		{ HEAD(sub_hdr_size), 0, -EINVAL, "sub_hdr_size 0" },
		{ HEAD(sub_hdr_size), -1ull, -EINVAL, "sub_hdr_size -1" },
		{ HEAD(sub_hdr_size), INT32_MAX, -EINVAL, "file ends before the bitmaps do" },
		{ HEAD(bitmap_blocks), 2, -EINVAL, "2 bitmap blocks for 70001 pages" },
		{ HEAD(bitmap_blocks), UINT32_MAX, -EINVAL, "file ends before the bitmaps do" },
		{ SUB(split), 1, -ENOTSUP, "one file of a split dump" },
		{ SUB(max_mapnr_64), 0, -EINVAL, "max_mapnr 0" },
		{ SUB(max_mapnr_64), -1ull, -EINVAL, "max_mapnr 18446744073709551615" },
		{ SUB(notes_off), -8ull, -EINVAL, "notes: " },
		{ SUB(notes_off), INT64_MAX, -EINVAL, "are not in the file" },
		{ SUB(notes_size), 1 << 26, -EINVAL, "are not in the file" },
		{ SUB(notes_size), -1ull, -EINVAL, "bytes, more than 67108864" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct test_kdump k = make();
		struct source *s = NULL;
		struct err e = { 0 };
		struct test_file f;

		test_patch(&k, t[i].off, t[i].width, t[i].value);
		f = test_file_make(k.buf, k.len);
		assert_int_equal(source_open(&s, f.path, SOURCE_PARTIAL, &e), t[i].rc);
		check_msg(&e, t[i].msg);
		close(f.fd);
		test_kdump_free(&k);
	}
}

/* The descriptor of pfn 2 is the third. */
static void test_bad_descriptors(void **state)
{
#define DESC(field) \
	offsetof(struct kdump_page_desc, field), sizeof(((struct kdump_page_desc *)0)->field)
	static const struct {
		u64 off;
		size_t width;
		u64 value;
		int rc;
		const char *msg;
	} t[] = {
		{ DESC(offset), -4096ull, -EBADMSG, "offset -4096 is before the page data" },
		{ DESC(offset), 8192, -EBADMSG, "offset 8192 is before the page data" },
		{ DESC(offset), INT64_MAX, -EBADMSG, "are past the end of the file" },
		{ DESC(size), 0, -EBADMSG, "pfn 0x2: stored size 0" },
		{ DESC(size), 4097, -EBADMSG, "stored size 4097" },
		{ DESC(size), UINT32_MAX, -EBADMSG, "stored size 4294967295" },
		{ DESC(size), 7, -EBADMSG, "zstd: " },
		{ DESC(flags), 0, -EBADMSG, "not compressed, but stored size" },
		{ DESC(flags), KDUMP_ZLIB, -EBADMSG, "zlib: incorrect header check" },
		{ DESC(flags), KDUMP_ZLIB | KDUMP_ZSTD, -ENOTSUP, "compression: flags 0x21" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct test_kdump k = make();
		struct err e = { 0 };
		struct test_file f;
		struct source *s;
		struct window w;
		const u8 *p;
		size_t got;

		test_patch(&k, k.descs + 2 * sizeof(struct kdump_page_desc) + t[i].off, t[i].width,
			   t[i].value);
		f = test_file_make(k.buf, k.len);
		s = open_ok(&f, 0);
		assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
		assert_int_equal(window_get(&w, 2 * PAGE_SIZE, 1, &p, &got, &e), t[i].rc);
		check_msg(&e, t[i].msg);
		/* the pages beside it are not touched by this */
		assert_int_equal(window_get(&w, PAGE_SIZE, 1, &p, &got, NULL), 0);
		assert_int_equal(window_get(&w, 63 * PAGE_SIZE, 1, &p, &got, NULL), 0);
		window_close(&w);
		source_close(s);
		close(f.fd);
		test_kdump_free(&k);
	}
}

static void test_cut_short(void **state)
{
	struct test_kdump k = make();
	struct {
		size_t len;
		unsigned flags;
		u32 status;
		int rc;
		const char *msg;
	} t[] = {
		{ 20, 0, 0, -EIO, "kdump header: read 20 of 464 bytes" },
		{ PAGE_SIZE + 8, SOURCE_PARTIAL, 0, -EIO, "kdump sub header: read 8 of 104" },
		{ k.descs - 1, SOURCE_PARTIAL, 0, -EINVAL, "file ends before the bitmaps do" },
		{ k.data - 1, 0, 0, -EINVAL, "file ends before the page descriptors do" },
		{ k.data - 1, SOURCE_PARTIAL, 0, -ENODATA, "page is not in the dump" },
		{ k.data - 1, 0, KDUMP_INCOMPLETE, -ENODATA, "page is not in the dump" },
		{ k.len - 1, 0, 0, -EBADMSG, "are past the end of the file" },
		{ k.len - 1, SOURCE_PARTIAL, 0, -ENODATA, "file ends before the page" },
		{ k.len - 1, 0, KDUMP_INCOMPLETE, -ENODATA, "file ends before the page" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct source *s = NULL;
		struct err e = { 0 };
		struct test_file f;
		u8 byte;
		int rc;

		test_patch(&k, HEAD(status), t[i].status);
		f = test_file_make(k.buf, t[i].len);
		rc = source_open(&s, f.path, t[i].flags, &e);
		if (!rc) {
			struct window w;

			assert_int_equal(s->incomplete, t[i].status != 0);
			assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
			rc = window_read(&w, (MAX_PFN - 1) * PAGE_SIZE, &byte, 1, &e);
			window_close(&w);
			source_close(s);
		}
		assert_int_equal(rc, t[i].rc);
		check_msg(&e, t[i].msg);
		close(f.fd);
	}
	test_kdump_free(&k);
}

/* Version 3 has no notes but the vmcoreinfo, which then is found as one. */
static void test_version_3(void **state)
{
	struct test_kdump k = make();
	struct test_file f;
	struct source *s;
	struct note n;

	(void)state;
	test_patch(&k, HEAD(version), 3);
	test_patch(&k, SUB(max_mapnr_64), -1ull); /* not part of the header yet */
	f = test_file_make(k.buf, k.len);
	s = open_ok(&f, 0);
	assert_int_equal(s->max_pfn, MAX_PFN);
	assert_int_equal(notes_find(s->notes, s->notes_len, "VMCOREINFO", &n, NULL), 1);
	assert_memory_equal(n.desc, vmcoreinfo, strlen(vmcoreinfo));
	check_pages(s);
	source_close(s);
	close(f.fd);
	test_kdump_free(&k);
}

static void test_flattened(void **state)
{
	struct test_kdump k = make();
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
		s = open_ok(&f, 0);
		check_pages(s);
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
	struct test_kdump k = make();
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
	s = open_ok(&f, 0);
	assert_false(s->incomplete);
	check_pages(s);
	source_close(s);
	close(f.fd);
	/* cut before the second header: still incomplete, and readable when that is accepted */
	f = test_file_make(flat, second);
	s = open_ok(&f, SOURCE_PARTIAL);
	assert_true(s->incomplete);
	check_pages(s);
	source_close(s);
	close(f.fd);
	free(flat);
	test_kdump_free(&k);
}

/* In a stream that ends early a gap is lost data, not zeros. The first page is stored raw. */
static void test_flattened_gap(void **state)
{
	struct test_kdump k = make();
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
	s = open_ok(&f, SOURCE_PARTIAL);
	assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
	assert_int_equal(window_read(&w, 0, &byte, 1, &e), -ENODATA);
	check_msg(&e, "pfn 0: read 0 of 4096 bytes");
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
	struct test_kdump k = make();
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
		check_msg(&e, t[i].msg);
		close(f.fd);
		free(flat);
	}
	test_kdump_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),	      cmocka_unit_test(test_absent_pages),
		cmocka_unit_test(test_windows),	      cmocka_unit_test(test_bits),
		cmocka_unit_test(test_rejects),	      cmocka_unit_test(test_bad_descriptors),
		cmocka_unit_test(test_cut_short),     cmocka_unit_test(test_version_3),
		cmocka_unit_test(test_flattened),     cmocka_unit_test(test_flattened_rewrite),
		cmocka_unit_test(test_flattened_gap), cmocka_unit_test(test_flattened_rejects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
