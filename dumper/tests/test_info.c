/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "../info.h"
#include "lib_kdump.h"

static const struct test_page pages[] = {
	{ 5, 0, 'a' },
	{ 6, KDUMP_ZLIB, 'b' },
	{ 7, TEST_EXCLUDED, 0 },
	{ 8, KDUMP_ZSTD, 'c' },
	{ 9, KDUMP_ZSTD, 'd' },
	{ 32768, KDUMP_ZSTD, 'e' },
	{ 39999, KDUMP_ZLIB, 'f' },
};
static const char vmcoreinfo[] = "OSRELEASE=6.1.0-test\nBUILD-ID=0123abcd\nCRASHTIME=1700000000\n";

/* A dump that lacks its last byte. */
static void test_info(void **state)
{
	struct test_kdump k = test_kdump_make(40000, pages, ARRAY_SIZE(pages), vmcoreinfo);
	struct test_file f;
	struct core *core = NULL;
	struct info in;

	(void)state;
	f = test_file_make(k.buf, k.len - 1);
	assert_int_equal(core_open(&core, f.path, CORE_PARTIAL, NULL), 0);
	assert_int_equal(info_get(&in, core, NULL), 0);
	assert_string_equal(in.format, "kdump");
	assert_string_equal(in.release, "6.1.0-test");
	assert_string_equal(in.build_id, "0123abcd");
	assert_string_equal(in.crash_time, "2023-11-14 22:13:20 UTC");
	assert_string_equal(in.compression, "none, zlib, zstd");
	assert_true(in.has_level);
	assert_int_equal(in.level, 31);
	assert_int_equal(in.pages_ram, 7);
	assert_int_equal(in.pages_in_file, 5);
	assert_false(in.complete);
	assert_int_equal(in.unreadable, 0);
	assert_string_equal(in.panic, "");
	assert_string_not_equal(in.problem, "");
	core_close(core);
	close(f.fd);
	test_kdump_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
