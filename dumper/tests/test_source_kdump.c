/* SPDX-License-Identifier: GPL-2.0-or-later */
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
#include "lib_kdump.h"
#include "lib_pages.h"

static void test_reads(void **state)
{
	struct test_kdump t = pages_make();
	struct test_file f = test_file_make(t.buf, t.len);
	struct source *s = pages_open(&f, 0);
	struct note n;

	(void)state;
	assert_string_equal(s->ops->name, "kdump");
	assert_int_equal(s->max_pfn, PAGES_MAX_PFN);
	assert_int_equal(s->excluded_level, 31);
	assert_false(s->incomplete);
	assert_int_equal(notes_find(s->notes, s->notes_len, "VMCOREINFO", &n, NULL), 1);
	assert_int_equal(n.desc_len, strlen(pages_vmcoreinfo));
	assert_memory_equal(n.desc, pages_vmcoreinfo, n.desc_len);
	pages_check(s);
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
		{ PAGES_MAX_PFN, -ENXIO, "is not RAM" },
		{ ~0ull / PAGE_SIZE, -ENXIO, "is not RAM" },
		{ 102, -ENODATA, "pfn 0x66: page is not in the dump" },
	};
	struct test_kdump k = pages_make();
	struct test_file f = test_file_make(k.buf, k.len);
	struct source *s = pages_open(&f, 0);
	struct window w;

	(void)state;
	assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct err e = { 0 };
		const u8 *p;
		size_t got;

		assert_int_equal(window_get(&w, t[i].pfn * PAGE_SIZE, 1, &p, &got, &e), t[i].rc);
		pages_check_msg(&e, t[i].msg);
	}
	window_close(&w);
	source_close(s);
	close(f.fd);
	test_kdump_free(&k);
}

static void test_windows(void **state)
{
	struct test_kdump k = pages_make();
	struct test_file f = test_file_make(k.buf, k.len);
	struct source *s = pages_open(&f, 0);
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
	struct test_kdump k = pages_make();
	struct test_file f;
	struct source *s;
	u64 ram[2] = { 0 }, have[2] = { 0 };

	(void)state;
	/* bits past max_pfn, and one in bitmap 2 only, are not believed */
	k.buf[k.bitmap1 + PAGES_MAX_PFN / 8] |= 0xfe;
	k.buf[k.bitmap2] |= 0x20;
	f = test_file_make(k.buf, k.len);
	s = pages_open(&f, SOURCE_PARTIAL);
	assert_int_equal(source_bits(s, 0, 128, ram, have, NULL), 0);
	assert_int_equal(ram[0], 1ull << 63 | 0xf);
	assert_int_equal(ram[1], 1ull | 1ull << 38);
	assert_int_equal(have[0], 1ull << 63 | 7);
	assert_int_equal(have[1], 1ull | 1ull << 38);
	ram[0] = ram[1] = have[0] = have[1] = 0;
	assert_int_equal(source_bits(s, PAGES_MAX_PFN / 64 * 64, 128, ram, have, NULL), 0);
	assert_int_equal(ram[0], 1ull << (PAGES_MAX_PFN - 1) % 64);
	assert_int_equal(ram[1] | have[1], 0);
	source_close(s);
	close(f.fd);
	test_kdump_free(&k);
}

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
		{ SUB(max_mapnr_64), 0, -EINVAL, "max_mapnr 0" },
		{ SUB(max_mapnr_64), -1ull, -EINVAL, "max_mapnr 18446744073709551615" },
		{ SUB(notes_off), -8ull, -EINVAL, "notes: " },
		{ SUB(notes_off), INT64_MAX, -EINVAL, "are not in the file" },
		{ SUB(notes_size), 1 << 26, -EINVAL, "are not in the file" },
		{ SUB(notes_size), -1ull, -EINVAL, "bytes, more than 67108864" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct test_kdump k = pages_make();
		struct source *s = NULL;
		struct err e = { 0 };
		struct test_file f;

		test_patch(&k, t[i].off, t[i].width, t[i].value);
		f = test_file_make(k.buf, k.len);
		assert_int_equal(source_open(&s, f.path, SOURCE_PARTIAL, &e), t[i].rc);
		pages_check_msg(&e, t[i].msg);
		close(f.fd);
		test_kdump_free(&k);
	}
}

/* One part of a split dump: the bitmaps are the whole dump's, the descriptors those of its pages.
 */
static void test_part(void **state)
{
	static const struct test_page held[] = { { 64, 0, 'a' }, { 100, KDUMP_ZSTD, 'b' } };
	struct test_kdump k = test_kdump_make(PAGES_MAX_PFN, held, 2, pages_vmcoreinfo);
	static const u64 elsewhere[] = { 3, 63, 101, 70000 };
	struct source *s = NULL;
	struct err e = { 0 };
	struct test_file f;
	struct window w;
	u64 ram[2] = { 0 }, have[2] = { 0 };
	u8 byte;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		k.buf[k.bitmap1 + elsewhere[i] / 8] |= (u8)(1 << elsewhere[i] % 8);
		k.buf[k.bitmap2 + elsewhere[i] / 8] |= (u8)(1 << elsewhere[i] % 8);
	}
	test_patch(&k, SUB(split), 1);
	test_patch(&k, SUB(start_pfn_64), 64);
	test_patch(&k, SUB(end_pfn_64), 101);
	f = test_file_make(k.buf, k.len);
	assert_int_equal(source_open(&s, f.path, 0, &e), -ENOTSUP);
	pages_check_msg(&e, "one part of a split dump: join them with makedumpfile --reassemble");
	s = pages_open(&f, SOURCE_PARTIAL);
	assert_true(s->incomplete);
	assert_int_equal(source_bits(s, 0, 128, ram, have, NULL), 0);
	assert_int_equal(ram[0], 1ull << 3 | 1ull << 63);
	assert_int_equal(have[0], 0);
	assert_int_equal(have[1], 1ull << 36 | 1);
	assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
	assert_int_equal(window_read(&w, 64 * PAGE_SIZE + 8, &byte, 1, NULL), 0);
	assert_int_equal(byte, 'a');
	assert_int_equal(window_read(&w, 100 * PAGE_SIZE + 8, &byte, 1, NULL), 0);
	assert_int_equal(byte, 'b');
	assert_int_equal(window_read(&w, 101 * PAGE_SIZE, &byte, 1, &e), -ENODATA);
	pages_check_msg(&e, "pfn 0x65 is not in this part of the dump");
	window_close(&w);
	source_close(s);
	close(f.fd);
	test_kdump_free(&k);
}

/* Pages of a compression that is not supported: not to be filtered unless asked for. */
static void test_unsupported(void **state)
{
	static const struct {
		u32 how;
		const char *name;
	} t[] = { { KDUMP_LZO, "lzo" }, { KDUMP_SNAPPY, "snappy" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const struct test_page held[] = { { 5, 0, 'a' }, { 6, t[i].how, 0 } };
		struct test_kdump k = test_kdump_make(100, held, 2, pages_vmcoreinfo);
		struct test_file f = test_file_make(k.buf, k.len);
		struct source *s = NULL;
		struct err e = { 0 };
		struct window w;
		char msg[64];
		u8 byte;

		snprintf(msg, sizeof(msg), "unsupported compression: %s", t[i].name);
		assert_int_equal(source_open(&s, f.path, 0, &e), -ENOTSUP);
		pages_check_msg(&e, msg);
		s = pages_open(&f, SOURCE_PARTIAL);
		assert_true(s->incomplete);
		assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
		assert_int_equal(window_read(&w, 5 * PAGE_SIZE + 8, &byte, 1, NULL), 0);
		assert_int_equal(window_read(&w, 6 * PAGE_SIZE, &byte, 1, &e), -ENOTSUP);
		pages_check_msg(&e, msg);
		window_close(&w);
		source_close(s);
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
		{ DESC(offset), INT64_MAX, -ENODATA, "file ends before the page" },
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
		struct test_kdump k = pages_make();
		struct err e = { 0 };
		struct test_file f;
		struct source *s;
		struct window w;
		const u8 *p;
		size_t got;

		test_patch(&k, k.descs + 2 * sizeof(struct kdump_page_desc) + t[i].off, t[i].width,
			   t[i].value);
		f = test_file_make(k.buf, k.len);
		s = pages_open(&f, SOURCE_PARTIAL);
		assert_int_equal(s->incomplete, t[i].value == INT64_MAX);
		assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
		assert_int_equal(window_get(&w, 2 * PAGE_SIZE, 1, &p, &got, &e), t[i].rc);
		pages_check_msg(&e, t[i].msg);
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
	struct test_kdump k = pages_make();
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
		{ k.len - 1, 0, 0, -EINVAL, "truncated: page data ends at byte" },
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

			assert_true(s->incomplete);
			assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
			rc = window_read(&w, (PAGES_MAX_PFN - 1) * PAGE_SIZE, &byte, 1, &e);
			window_close(&w);
			source_close(s);
		}
		assert_int_equal(rc, t[i].rc);
		pages_check_msg(&e, t[i].msg);
		close(f.fd);
	}
	test_kdump_free(&k);
}

/* Version 3 has no notes but the pages_vmcoreinfo, which then is found as one. */
static void test_version_3(void **state)
{
	struct test_kdump k = pages_make();
	struct test_file f;
	struct source *s;
	struct note n;

	(void)state;
	test_patch(&k, HEAD(version), 3);
	test_patch(&k, SUB(max_mapnr_64), -1ull); /* not part of the header yet */
	f = test_file_make(k.buf, k.len);
	s = pages_open(&f, 0);
	assert_int_equal(s->max_pfn, PAGES_MAX_PFN);
	assert_int_equal(notes_find(s->notes, s->notes_len, "VMCOREINFO", &n, NULL), 1);
	assert_memory_equal(n.desc, pages_vmcoreinfo, strlen(pages_vmcoreinfo));
	pages_check(s);
	source_close(s);
	close(f.fd);
	test_kdump_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),	  cmocka_unit_test(test_absent_pages),
		cmocka_unit_test(test_windows),	  cmocka_unit_test(test_bits),
		cmocka_unit_test(test_rejects),	  cmocka_unit_test(test_bad_descriptors),
		cmocka_unit_test(test_part),	  cmocka_unit_test(test_unsupported),
		cmocka_unit_test(test_cut_short), cmocka_unit_test(test_version_3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
