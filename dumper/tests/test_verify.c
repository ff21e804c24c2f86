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

#include "../info.h"
#include "lib_kdump.h"
#include "lib_verify.h"

#define MAX_PFN 40000
static const struct test_page pages[] = {
	{ 5, 0, 'a' },
	{ 6, KDUMP_ZLIB, 'b' },
	{ 7, TEST_EXCLUDED, 0 },
	{ 8, KDUMP_ZSTD, 'c' },
	{ 9, KDUMP_ZSTD, 'd' },
	{ 32768, KDUMP_ZSTD, 'e' },
	{ 39999, KDUMP_ZLIB, 'f' },
};
#define NDESCS 6
static const char vmcoreinfo[] = "OSRELEASE=6.1.0-test\nBUILD-ID=0123abcd\nCRASHTIME=1700000000\n";

static struct test_kdump make(void)
{
	return test_kdump_make(MAX_PFN, pages, ARRAY_SIZE(pages), vmcoreinfo);
}

static void test_sound(void **state)
{
	struct test_kdump k = make();
	const struct test_flat_piece p[] = { { 0, k.data }, { k.data, k.len - k.data } };
	struct verify_result r;
	struct lines l;
	size_t size;
	u8 *flat = test_flatten(k.buf, p, 2, &size);

	(void)state;
	assert_int_equal(judge(k.buf, k.len, &r, &l), 0);
	assert_string_equal(l.text, "sound: kdump, 6 pages");
	assert_int_equal(judge(flat, size, &r, &l), 0);
	assert_string_equal(l.text, "sound: kdump-flattened, 6 pages");
	free(flat);
	/* what QEMU calls the machine */
	memcpy(k.buf + 12 + 4 * 65, "Unknown", 8);
	assert_int_equal(judge(k.buf, k.len, &r, &l), 0);
	test_kdump_free(&k);
}

static void test_bad_headers(void **state)
{
	static const struct {
		u64 off;
		size_t width;
		u64 value;
		const char *msg;
	} t[] = {
		{ HEAD(signature), 0, "unknown first bytes\nnot sound: 1 problem" },
		{ HEAD(block_size), 1, "block_size 1, only 4096 is read\nnot sound: 1 problem" },
		{ HEAD(max_mapnr), 39998, "header: max_mapnr 39998, but 40000 in the sub header" },
		{ 12 + 4 * 65, 6, 0, "header: utsname machine \"\" is not x86_64" },
		{ SUB(dump_level), 32, "sub header: dump_level 32" },
		{ SUB(vmcoreinfo_off), 8190, "sub header: vmcoreinfo: " },
		{ SUB(vmcoreinfo_off), -1ull,
		  "are not between the headers and the bitmaps (8192)" },
		{ SUB(notes_off), 4196, "notes: " },
		{ SUB(notes_size), 4096, "sub header: notes: 4096 bytes at 4200 are not between" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct test_kdump k = make();
		struct verify_result r;
		struct lines l;

		test_patch(&k, t[i].off, t[i].width, t[i].value);
		assert_int_equal(judge(k.buf, k.len, &r, &l), -EBADMSG);
		if (!strstr(l.text, t[i].msg))
			fail_msg("\"%s\" is not in \"%s\"", t[i].msg, l.text);
		test_kdump_free(&k);
	}
}

#define DESC(n, field)                                                                  \
	(n) * sizeof(struct kdump_page_desc) + offsetof(struct kdump_page_desc, field), \
		sizeof(((struct kdump_page_desc *)0)->field)

static void test_bad_pages(void **state)
{
	static const struct {
		u64 off; /* from the descriptors on */
		size_t width;
		u64 value;
		const char *text;
	} t[] = {
		{ DESC(2, offset), 8000,
		  "pfn 0x8, descriptor 2: offset 8000 is before the page data, which begins at "
		  "24720\nnot sound: 1 problem" },
		{ DESC(4, offset), 1 << 20,
		  "pfn 0x8000, descriptor 4: file ends before the page: offset 1048576" },
		{ DESC(1, size), 3,
		  "pfn 0x6, descriptor 1: zlib: data does not end where the page "
		  "does\nnot sound: 1 problem" },
		{ DESC(3, size), 5000, "pfn 0x9, descriptor 3: stored size 5000" },
		{ DESC(3, flags), KDUMP_ZLIB, "pfn 0x9, descriptor 3: zlib: incorrect header" },
		{ DESC(0, flags), KDUMP_LZO | KDUMP_SNAPPY,
		  "pfn 0x5, descriptor 0: unsupported compression: flags 0x6\n"
		  "not sound: 1 problem" },
		{ DESC(0, flags), 0x80, "pfn 0x5, descriptor 0: unsupported compression" },
		{ DESC(0, flags), KDUMP_ZSTD, "pfn 0x5, descriptor 0: zstd: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct test_kdump k = make();
		struct verify_result r;
		struct lines l;

		test_patch(&k, k.descs + t[i].off, t[i].width, t[i].value);
		assert_int_equal(judge(k.buf, k.len, &r, &l), -EBADMSG);
		assert_int_equal(r.problems, 1);
		assert_int_equal(r.unsupported, 0);
		if (!strstr(l.text, t[i].text))
			fail_msg("\"%s\" is not in \"%s\"", t[i].text, l.text);
		test_kdump_free(&k);
	}
}

/* zlib's stream ends in a checksum of the page: a flipped bit of it cannot pass. */
static void test_zlib_checksum(void **state)
{
	struct test_kdump k = make();
	struct kdump_page_desc d;
	struct verify_result r;
	struct lines l;

	(void)state;
	memcpy(&d, k.buf + k.descs + 5 * sizeof(d), sizeof(d));
	for (u32 i = d.size - 4; i < d.size; i++) {
		k.buf[(size_t)d.offset + i] ^= 0x55;
		assert_int_equal(judge(k.buf, k.len, &r, &l), -EBADMSG);
		assert_non_null(
			strstr(l.text, "pfn 0x9c3f, descriptor 5: zlib: incorrect data check"));
		k.buf[(size_t)d.offset + i] ^= 0x55;
	}
	test_kdump_free(&k);
}

static void test_bitmap_not_subset(void **state)
{
	struct test_kdump k = make();
	struct verify_result r;
	struct lines l;

	(void)state;
	k.buf[k.bitmap1 + 1] &= (u8)~1; /* pfn 8 */
	assert_int_equal(judge(k.buf, k.len, &r, &l), -EBADMSG);
	assert_string_equal(l.text, "bitmaps: pfn 0x8 is in bitmap 2 (dumped), not in bitmap 1 "
				    "(RAM)\nnot sound: 1 problem");
	test_kdump_free(&k);
}

/* A machine died while a descriptor was written across the end of a disk block. */
static void test_torn(void **state)
{
	static const struct {
		bool offset_lost;
		u32 status;
		int rc;
		const char *said;
	} t[] = {
		{ false, 0, -EBADMSG, "descriptor 1: stored size 0" },
		{ true, 0, -EBADMSG, "descriptor 1: offset 0 is before the page data" },
		{ false, KDUMP_INCOMPLETE, -ENODATA,
		  "but incomplete: kdump, 1 of 6 pages missing" },
		{ true, KDUMP_INCOMPLETE, -ENODATA, "but incomplete: kdump, 1 of 6 pages missing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct test_kdump k = make();
		struct kdump_page_desc *d;
		struct verify_result r;
		struct lines l;

		d = (struct kdump_page_desc *)(void *)(k.buf + k.descs) + 1;
		if (t[i].offset_lost)
			d->offset = 0;
		else
			d->size = d->flags = 0;
		if (t[i].status)
			test_patch(&k, HEAD(status), t[i].status);
		assert_int_equal(judge(k.buf, k.len, &r, &l), t[i].rc);
		if (!strstr(l.text, t[i].said))
			fail_msg("case %zu: %s", i, l.text);
		test_kdump_free(&k);
	}
}

static void test_incomplete(void **state)
{
	struct test_kdump k = make();
	struct kdump_page_desc none = { 0 };
	struct verify_result r;
	struct lines l;

	(void)state;
	/* A page that is not there, and a file that ends in the last page. */
	memcpy(k.buf + k.descs, &none, sizeof(none));
	assert_int_equal(judge(k.buf, k.len - 1, &r, &l), -EBADMSG);
	assert_int_equal(r.problems, 1);
	assert_int_equal(r.unreadable, 1);
	assert_non_null(strstr(l.text, "pfn 0x9c3f, descriptor 5: file ends before the page"));
	/* The same is no problem in a file that says so. */
	test_patch(&k, HEAD(status), KDUMP_INCOMPLETE);
	assert_int_equal(judge(k.buf, k.len - 1, &r, &l), -ENODATA);
	assert_string_equal(l.text, "sound as far as it goes, but incomplete: kdump, 2 of 6 pages "
				    "missing");
	/* But what is there must still be right. */
	test_patch(&k, k.descs + DESC(1, flags), KDUMP_ZSTD);
	assert_int_equal(judge(k.buf, k.len - 1, &r, &l), -EBADMSG);
	assert_int_equal(r.problems, 1);
	/* Cut in the descriptors. */
	test_patch(&k, HEAD(status), 0);
	assert_int_equal(judge(k.buf, k.descs + 30, &r, &l), -EBADMSG);
	assert_non_null(strstr(l.text, "file ends in the page descriptors (24606 of 24720 bytes), "
				       "but is not marked incomplete\n"));
	/* what is past the end is not what the file says of a page */
	assert_int_equal(r.unreadable, 1);
	assert_non_null(strstr(l.text, "pfn 0x6, descriptor 1: page is not in the dump\n"));
	test_kdump_free(&k);
}

/* A whole file whose descriptors say that pages are not there: their memory could not be read. */
static void test_unreadable(void **state)
{
	struct test_kdump k = make();
	struct kdump_page_desc none = { 0 };
	struct verify_result r;
	struct lines l;

	(void)state;
	memcpy(k.buf + k.descs, &none, sizeof(none));
	assert_int_equal(judge(k.buf, k.len, &r, &l), 0);
	assert_string_equal(l.text, "sound: kdump, 6 pages; 1 page could not be read when the dump "
				    "was made");
	memcpy(k.buf + k.descs + 3 * sizeof(none), &none, sizeof(none));
	assert_int_equal(judge(k.buf, k.len, &r, &l), 0);
	assert_non_null(strstr(l.text, "; 2 pages could not be read"));
	test_kdump_free(&k);
}

/* Pages that no decompressor is built in for: all else is judged, and they are counted. */
static void test_unsupported(void **state)
{
	struct test_kdump k = make();
	struct verify_result r;
	struct lines l;

	(void)state;
	test_patch(&k, k.descs + DESC(1, flags), KDUMP_LZO);
	test_patch(&k, k.descs + DESC(3, flags), KDUMP_SNAPPY);
	assert_int_equal(judge(k.buf, k.len, &r, &l), -ENOTSUP);
	assert_string_equal(l.text, "sound as far as it can be read: kdump, 6 pages; 2 of 6 pages "
				    "not checked: unsupported compression (lzo or snappy)");
	test_patch(&k, k.descs + DESC(3, size), 5000);
	assert_int_equal(judge(k.buf, k.len, &r, &l), -EBADMSG);
	assert_string_equal(l.text, "pfn 0x9, descriptor 3: stored size 5000\n"
				    "not sound: 1 problem; 1 of 6 pages not checked: "
				    "unsupported compression (lzo or snappy)");
	test_kdump_free(&k);
}

/* The first part of a split dump. */
static void test_part(void **state)
{
	struct test_kdump k = make();
	struct core *core = NULL;
	struct verify_result r;
	struct test_file f;
	struct lines l;
	struct info in;

	(void)state;
	test_patch(&k, SUB(split), 1);
	test_patch(&k, SUB(end_pfn_64), 9);
	assert_int_equal(judge(k.buf, k.len, &r, &l), -ENODATA);
	assert_string_equal(l.text, "sound, but one part of a split dump: kdump, 3 pages");
	f = test_file_make(k.buf, k.len);
	assert_int_equal(core_open(&core, f.path, CORE_PARTIAL, NULL), 0);
	assert_int_equal(info_get(&in, core, NULL), 0);
	assert_string_equal(in.part, "pfn 0 to 0x9");
	assert_int_equal(in.pages_in_file, 3);
	assert_int_equal(in.pages_ram, 7);
	assert_false(in.complete);
	core_close(core);
	close(f.fd);
	test_kdump_free(&k);
}

static void test_flat_cut(void **state)
{
	struct test_kdump k = make();
	const struct test_flat_piece p[] = { { 0, k.data }, { k.data, k.len - k.data } };
	struct verify_result r;
	struct lines l;
	size_t size;
	u8 *flat = test_flatten(k.buf, p, 2, &size);

	(void)state;
	assert_int_equal(judge(flat, size - 16, &r, &l), -EBADMSG);
	assert_string_equal(l.text, "flattened stream ends early, but is not marked incomplete\n"
				    "not sound: 1 problem");
	free(flat);
	test_kdump_free(&k);
}

/* Of very many problems only the first are told, all are counted. */
static void test_bounded(void **state)
{
	struct test_page many[100];
	struct test_kdump k;
	struct verify_result r;
	struct lines l;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct test_page){ i, 0x80, 0 };
	k = test_kdump_make(MAX_PFN, many, ARRAY_SIZE(many), vmcoreinfo);
	assert_int_equal(judge(k.buf, k.len, &r, &l), -EBADMSG);
	assert_int_equal(l.n, VERIFY_LINES_MAX);
	assert_int_equal(r.problems, 100);
	assert_non_null(strstr(l.text, "\nnot sound: 100 problems, the first of them above"));
	test_kdump_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_bad_pages),
		cmocka_unit_test(test_zlib_checksum),
		cmocka_unit_test(test_bitmap_not_subset),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_unsupported),
		cmocka_unit_test(test_part),
		cmocka_unit_test(test_flat_cut),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
