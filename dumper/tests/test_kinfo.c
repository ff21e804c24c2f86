/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../kinfo.h"
#include "lib_core.h"
#include "lib_scratch.h"

/* kinfo of a golden kernel's VMCOREINFO with more lines of text. */
static int kinfo_of(struct kinfo *ki, const char *kernel, const char *more, struct err *e)
{
	char dir[256], *text = calloc(1, 65536);
	struct vmcoreinfo *vi;
	struct mkcore *mk;
	const char *line;
	int rc;

	scratch_beside(__FILE__, "golden", dir, sizeof(dir));
	mk = mkcore_load(dir, kernel, more);
	for (size_t i = 0; (line = mkcore_info_line(mk, i)); i++) {
		strcat(text, line);
		strcat(text, "\n");
	}
	mkcore_free(mk);
	assert_int_equal(vmcoreinfo_open(&vi, text, strlen(text), e), 0);
	free(text);
	rc = kinfo_init(ki, vi, e);
	vmcoreinfo_free(vi);
	return rc;
}

static void expect_type(const struct kinfo_ptype *t, u32 mask, u32 want)
{
	assert_int_equal(t->mask, mask);
	assert_int_equal(t->want, want);
}

static void test_old_kernel(void **state)
{
	struct kinfo ki;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(kinfo_of(&ki, "kernel-6.1.txt", NULL, &e), 0);
	assert_true(ki.classify);
	assert_string_equal(ki.release, "6.1.0-test");
	assert_int_equal(ki.page.size, 64);
	assert_int_equal(ki.page.compound, 8);
	assert_int_equal(ki.page.dtor, 16);
	assert_int_equal(ki.hugetlb_dtor, 2);
	assert_int_equal(ki.flag_slab, 1 << 9);
	assert_int_equal(ki.flag_hugetlb, 0);
	expect_type(&ki.buddy, 0xf0000080, 0xf0000000);
	expect_type(&ki.offline, 0xf0000100, 0xf0000000);
	/* what there is not matches nothing */
	expect_type(&ki.slab, 0, 1);
	expect_type(&ki.hugetlb, 0, 1);
	assert_int_equal(ki.max_orders, 11);
	assert_int_equal(ki.block_order, 10);
	assert_int_equal(ki.section_bits, 27);
	assert_int_equal(ki.physmem_bits, 46);
}

static void test_new_kernel(void **state)
{
	struct kinfo ki;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(kinfo_of(&ki, "kernel-6.12.txt",
				  "drop OFFSET(page.compound_head)\n"
				  "info OFFSET(page.compound_info)=16\n",
				  &e),
			 0);
	assert_int_equal(ki.page.compound, 16);
	assert_int_equal(ki.page.dtor, KINFO_ABSENT);
	assert_int_equal(ki.flag_slab, 0);
	expect_type(&ki.buddy, 0xff000000, 0xf0000000);
	expect_type(&ki.offline, 0xff000000, 0xf1000000);
	expect_type(&ki.hugetlb, 0xff000000, 0xf4000000);
	expect_type(&ki.slab, 0xff000000, 0xf5000000);
	expect_type(&ki.unaccepted, 0xff000000, 0xf7000000);
}

static void test_variants(void **state)
{
	static const struct {
		const char *more;
		int rc;
		const char *msg;
		u32 block_order;
		u16 dtor, refcount;
	} t[] = {
		{ "drop OFFSET(page._refcount)\ninfo OFFSET(page._count)=60", 0, "", 10, 16, 60 },
		{ "drop OFFSET(page._refcount)", 0, "", 10, 16, KINFO_ABSENT },
		{ "drop OFFSET(page.compound_dtor)\ninfo OFFSET(folio._folio_dtor)=80", 0, "", 10,
		  16, 52 },
		{ "drop OFFSET(page.compound_dtor)", 0, "", 10, KINFO_ABSENT, 52 },
		{ "drop OFFSET(page.compound_dtor)\ninfo OFFSET(folio._folio_dtor)=40", -EINVAL,
		  "VMCOREINFO: folio._folio_dtor is in page[0]", 0, 0, 0 },
		{ "drop OFFSET(page.compound_dtor)\ninfo OFFSET(folio._folio_dtor)=128", -EINVAL,
		  "VMCOREINFO: OFFSET(folio._folio_dtor)=128 is not within 128 bytes", 0, 0, 0 },
		{ "info OFFSET(page.compound_dtor)=64", -EINVAL,
		  "VMCOREINFO: OFFSET(page.compound_dtor)=64 is not within 64 bytes", 0, 0, 0 },
		/* blocks are as large as the largest free area, and not larger than a section */
		{ "info LENGTH(zone.free_area)=9", 0, "", 10, 16, 52 },
		{ "info LENGTH(zone.free_area)=14", 0, "", 13, 16, 52 },
		{ "info LENGTH(zone.free_area)=32", 0, "", 15, 16, 52 },
		{ "info LENGTH(zone.free_area)=33", -EINVAL,
		  "VMCOREINFO: no believable LENGTH(zone.free_area)", 0, 0, 0 },
		{ "info PAGESIZE=16384", -ENOTSUP, "VMCOREINFO: PAGESIZE=16384 is not 4096", 0, 0,
		  0 },
		{ "info SIZE(mem_section)=12", -EINVAL,
		  "VMCOREINFO: mem_section: 2048 roots, 12 bytes each", 0, 0, 0 },
		{ "info OFFSET(mem_section.section_mem_map)=9", -EINVAL,
		  "VMCOREINFO: mem_section: 2048 roots, 16 bytes each", 0, 0, 0 },
		/* numbers that would make every page free, poisoned or of user space */
		{ "info OFFSET(page.mapping)=0", -EINVAL,
		  "VMCOREINFO: fields of struct page overlap", 0, 0, 0 },
		{ "info OFFSET(page.mapping)=25", -EINVAL,
		  "VMCOREINFO: fields of struct page overlap", 0, 0, 0 },
		{ "info OFFSET(page._mapcount)=0", -EINVAL,
		  "VMCOREINFO: fields of struct page overlap", 0, 0, 0 },
		{ "info OFFSET(page._refcount)=48", -EINVAL,
		  "VMCOREINFO: fields of struct page overlap", 0, 0, 0 },
		{ "info OFFSET(page.compound_dtor)=0", -EINVAL,
		  "VMCOREINFO: the compound destructor lies over flags", 0, 0, 0 },
		{ "info NUMBER(PG_lru)=0", -EINVAL,
		  "VMCOREINFO: NUMBER(PG_lru)=0 is another flag's", 0, 0, 0 },
		{ "info NUMBER(PG_slab)=4", -EINVAL,
		  "VMCOREINFO: NUMBER(PG_slab)=4 is another flag's", 0, 0, 0 },
		{ "info NUMBER(PG_head_mask)=0", -EINVAL,
		  "VMCOREINFO: NUMBER(PG_head_mask)=0 is no flag", 0, 0, 0 },
		{ "info NUMBER(PG_head_mask)=-1", -EINVAL,
		  "VMCOREINFO: NUMBER(PG_head_mask)=0xffffffffffffffff is no flag", 0, 0, 0 },
		{ "info NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=0", -EINVAL,
		  "VMCOREINFO: NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=0 is no page type", 0, 0, 0 },
		{ "info NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-1", -EINVAL,
		  "VMCOREINFO: NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-1 is no page type", 0, 0, 0 },
		{ "info NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=2147483647", -EINVAL,
		  "VMCOREINFO: NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=2147483647 is no page type", 0, 0,
		  0 },
		{ "info NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-129", -EINVAL,
		  "VMCOREINFO: NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-129 is another type's", 0, 0,
		  0 },
		{ "info NUMBER(PG_slab)=-1", -EINVAL, "VMCOREINFO: NUMBER(PG_slab) is no bit", 0, 0,
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct kinfo ki;
		struct err e = { 0 };
		int rc = kinfo_of(&ki, "kernel-6.1.txt", t[i].more, &e);

		if (rc != t[i].rc || strcmp(e.msg, t[i].msg))
			fail_msg("%s: %d %s", t[i].more, rc, e.msg);
		assert_int_equal(ki.classify, rc == 0);
		assert_string_equal(ki.release, "6.1.0-test");
		if (rc)
			continue;
		assert_int_equal(ki.block_order, t[i].block_order);
		assert_int_equal(ki.page.dtor, t[i].dtor);
		assert_int_equal(ki.page.refcount, t[i].refcount);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_old_kernel),
					    cmocka_unit_test(test_new_kernel),
					    cmocka_unit_test(test_variants) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
