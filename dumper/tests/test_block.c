/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../base/bits.h"
#include "../block.h"
#include "../dump.h"
#include "lib_golden.h"
#include "lib_threads.h"

static struct scratch scratch;

/* Whether all of the pages that struct pages [first, first + n) are of are left out at a level: by
 * what the text says, where a page that it does not name is no RAM. */
static bool all_left_out(const struct golden *g, u64 first, u64 n, unsigned level)
{
	for (size_t i = 0; i < g->npages; i++) {
		const struct golden_page *p = &g->pages[i];

		if (p->pfn >= first && p->pfn < first + n && golden_wanted(p, level))
			return false;
	}
	return true;
}

/* -e: exactly those pages of the memory map go that describe nothing in the dump. */
static void test_exclude_vmemmap(void **state)
{
	static const unsigned levels[] = { 0, 1, 2, 8, 16, 24, 31 };
	struct golden g = { 0 };

	(void)state;
	golden_open(&g, &scratch, "linux-6.12.txt", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		u64 ram[0x900 / 64] = { 0 }, have[0x900 / 64] = { 0 }, gone = 0;
		struct dump_opts o;
		struct dump_stats st;
		struct source *s;
		struct err e = { 0 };
		char out[256];

		dump_opts_init(&o);
		o.level = levels[i];
		o.exclude_vmemmap = true;
		o.threads = test_threads(2);
		scratch_path(&scratch, out, sizeof(out), "out");
		assert_int_equal(dump_run(g.core, out, &o, &st, &e), DUMP_COMPLETE);
		assert_int_equal(source_open(&s, out, 0, &e), 0);
		assert_int_equal(source_bits(s, 0, 0x900, ram, have, &e), 0);
		for (size_t k = 0; k < g.npages; k++) {
			const struct golden_page *p = &g.pages[k];
			/* 64 struct pages a page, the first of them at 0x400 */
			bool drop = p->rule == golden_rule("memmap") &&
				    all_left_out(&g, (p->pfn - 0x400) * 64, 64, levels[i]);

			gone += drop;
			if (bit_test(have, p->pfn) != (golden_kept(p, levels[i]) && !drop))
				fail_msg("-e -d %u: pfn %#llx", levels[i],
					 (unsigned long long)p->pfn);
		}
		assert_int_equal(st.pages.vmemmap_excluded, gone);
		/* the section reaches far past RAM: much of its memory map goes */
		assert_true(gone > 400);
		source_close(s);
		scratch_unlink(&scratch, "out");
	}
	golden_close(&g, &scratch);
}

/* Heads in other blocks, before and after, sound and not. */
static void test_far_heads(void **state)
{
	static const struct {
		const char *text;
		const char *class; /* of 0x800, whose block begins there */
	} t[] = {
		/* a compound page with a block's first page in it is larger than a block */
		{ "head 0 order=4 mapping=anon\ntail 0x800 of 0", "user" },
		{ "head 0 order=4 flags=lru mapping=file\ntail 0x800 of 0", "cache" },
		{ "head 0 order=1 type=hugetlb\ntail 0x800 of 0", "user" },
		{ "head 0 order=4 flags=hwpoison\ntail 0x800 of 0", "hwpoison" },
		{ "head 0 order=4\npage 0x800 flags=hwpoison compound=0xffffea0000000001",
		  "hwpoison" },
		/* no head, a tail itself, behind it, and outside of the memory map */
		{ "tail 0x800 of 0", "unknown" },
		{ "page 0x800 flags=hwpoison compound=0xffffea0000000001", "unknown" },
		{ "head 0 order=4\ntail 0x800 of 1", "unknown" },
		{ "tail 0x800 of 0x801", "unknown" },
		{ "head 0x810 order=4 mapping=anon\ntail 0x800 of 0x810", "unknown" },
		{ "page 0x800 compound=0xffffea0001000001", "unknown" },
		{ "page 0x800 compound=0xffffea0000000009", "unknown" },
		/* farther from its head than that is aligned */
		{ "head 0x7f0 order=4 mapping=anon\ntail 0x800 of 0x7f0", "unknown" },
		{ "head 0x400 order=4 mapping=anon\ntail 0x800 of 0x400", "unknown" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct golden g = { 0 };
		struct block_view bv;
		struct memmap m;
		struct err e = { 0 };
		u64 ram[1024 / 64];
		u8 cls[1024];
		char more[512];

		memset(ram, 0xff, sizeof(ram));
		/* the golden has a free area there */
		snprintf(more, sizeof(more), "page 0x800-0x8ff mapcount=0xffffffff\n%s", t[i].text);
		golden_open(&g, &scratch, "linux-6.12.txt", more);
		assert_int_equal(memmap_init(&m, g.core, g.max_pfn, &e), 0);
		assert_int_equal(block_view_open(&bv, g.core, &m, NULL, 1024, &e), 0);
		/* twice, as the two passes do */
		for (unsigned k = 0; k < 2; k++) {
			block_classify(&bv, 0x800, ram, cls);
			if (strcmp(page_class_table[cls[0]].name, t[i].class))
				fail_msg("%s: %s, not %s", t[i].text, page_class_table[cls[0]].name,
					 t[i].class);
		}
		block_view_close(&bv);
		memmap_deinit(&m);
		golden_close(&g, &scratch);
	}
}

static int setup(void **state)
{
	(void)state;
	scratch_make(&scratch);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_rm(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_exclude_vmemmap),
					    cmocka_unit_test(test_far_heads) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
