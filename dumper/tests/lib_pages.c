/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib_pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct test_page pages[] = {
	{ 0, 0, 'a' },
	{ 1, KDUMP_ZLIB, 'b' },
	{ 2, KDUMP_ZSTD, 'c' },
	{ 3, TEST_EXCLUDED, 0 },
	{ 63, KDUMP_ZSTD, 'd' },
	{ 64, KDUMP_ZLIB, 'e' },
	{ 102, TEST_MISSING, 0 },
	{ 32767, 0, 'f' },
	{ 32768, KDUMP_ZSTD, 'g' },
	{ 65535, KDUMP_ZLIB, 'h' },
	{ 70000, KDUMP_ZSTD, 'i' },
};
const size_t pages_count = ARRAY_SIZE(pages);
const char pages_vmcoreinfo[] = "OSRELEASE=6.1.0-test\nCRASHTIME=1700000000\n";

struct test_kdump pages_make(void)
{
	return test_kdump_make(PAGES_MAX_PFN, pages, pages_count, pages_vmcoreinfo);
}

bool pages_holds(const struct test_page *p)
{
	return p->how == 0 || p->how == KDUMP_ZLIB || p->how == KDUMP_ZSTD;
}

void pages_check_msg(const struct err *e, const char *msg)
{
	if (!strstr(e->msg, msg))
		fail_msg("\"%s\" is not in \"%s\"", msg, e->msg);
}

struct source *pages_open(const struct test_file *f, unsigned flags)
{
	struct source *s = NULL;
	struct err e = { 0 };

	if (source_open(&s, f->path, flags, &e))
		fail_msg("%s", e.msg);
	return s;
}

void pages_check(struct source *s)
{
	struct window w;
	u8 want[PAGE_SIZE], got[PAGE_SIZE];

	assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
	for (size_t i = pages_count; i-- > 0;) {
		if (!pages_holds(&pages[i]))
			continue;
		test_page_bytes(want, pages[i].pfn, pages[i].fill);
		assert_int_equal(window_read(&w, pages[i].pfn * PAGE_SIZE, got, PAGE_SIZE, NULL),
				 0);
		assert_memory_equal(got, want, PAGE_SIZE);
	}
	window_close(&w);
}
