/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../core.h"
#include "lib_core.h"
#include "lib_scratch.h"

static struct scratch scratch;

#define BASE                                           \
	"info SYMBOL(init_top_pgt)=ffffffff80010000\n" \
	"ram 0 256K\n"                                 \
	"ram 0x40000000 64K\n"                         \
	"tables 0x10000 64K\n"

#define FOUR                                        \
	"map 0xffffffff80000000 0 2M 2M\n"          \
	"map 0xffff888000000000 0x40000000 1G 1G\n" \
	"map 0xffffc90000000000 0x5000 4K\n"        \
	"map 0xffffc90000001000 0x3000 8K\n"

static const struct xlat_case {
	const char *text;
	u64 va;
	int rc;
	u64 pa, contig;
	const char *msg;
} cases[] = {
	{ FOUR, 0xffffffff80000000, 0, 0, 0x200000, "" },
	{ FOUR, 0xffffffff801fffff, 0, 0x1fffff, 1, "" },
	{ FOUR, 0xffffffff80200000, -EFAULT, 0, 0, "0xffffffff80200000 is not mapped" },
	{ FOUR, 0xffff888000001234, 0, 0x40001234, 0x3fffedcc, "" },
	{ FOUR, 0xffffc90000000010, 0, 0x5010, 0xff0, "" },
	{ FOUR, 0xffffc90000001000, 0, 0x3000, 0x1000, "" },
	{ FOUR, 0xffffc90000002fff, 0, 0x4fff, 1, "" },
	{ FOUR, 0xffffc90000003000, -EFAULT, 0, 0, "0xffffc90000003000 is not mapped" },
	{ FOUR, 0, -EFAULT, 0, 0, "0 is not a kernel address" },
	{ FOUR, 0x7fffffffffff, -EFAULT, 0, 0, "0x7fffffffffff is not a kernel address" },
	{ FOUR, 0xff11000000000000, -EFAULT, 0, 0, "0xff11000000000000 is not a kernel address" },
	/* PAT is bit 12 of a large leaf: no part of the address */
	{ "map 0xffffffff80000000 0 2M 2M\n"
	  "word 0x12000 0x2011e3\n",
	  0xffffffff80000123, 0, 0x200123, 0x1ffedd, "" },
	/* encrypted memory */
	{ "info NUMBER(sme_mask)=0x800000000000\n" FOUR, 0xffffc90000000010, 0, 0x5010, 0xff0, "" },
	{ "info NUMBER(sme_mask)=140737488355328\n" FOUR, 0xffff888000000000, 0, 0x40000000,
	  0x40000000, "" },
	/* five levels */
	{ "info NUMBER(pgtable_l5_enabled)=1\nmap 0xff11000000000000 0x40000000 1G 1G\n",
	  0xff11000000005000, 0, 0x40005000, 0x3fffb000, "" },
	{ "info NUMBER(pgtable_l5_enabled)=1\nmap 0xffd4000000000000 0x3000 4K\n",
	  0xffd4000000000008, 0, 0x3008, 0xff8, "" },
	{ "info NUMBER(pgtable_l5_enabled)=1\nmap 0xffd4000000000000 0x3000 4K\n",
	  0xfeff000000000000, -EFAULT, 0, 0, "0xfeff000000000000 is not a kernel address" },
	/* a table that is its own: the walk ends at the fourth level, in the table's page */
	{ "word 0x10ff8 0x10063", 0xfffffffffffff010, 0, 0x10010, 0xff0, "" },
	/* the leaf bit at the root means nothing */
	{ FOUR "word 0x10ff8 0x110e3", 0xffffffff80000000, 0, 0, 0x200000, "" },
	/* tables outside of memory */
	{ "word 0x10ff8 0x90063", 0xffffffff80000000, -ENXIO, 0, 0,
	  "translate 0xffffffff80000000: page table of level 3: physical address 0x90000 is not "
	  "in " },
	{ "word 0x10ff8 0xffffffffff063", 0xffffffff80000000, -ENXIO, 0, 0,
	  "translate 0xffffffff80000000: page table of level 3: physical address 0xffffffffff000 "
	  "is not in " },
	/* half of a table page is there */
	{ "ram 0x50000 2K\nword 0x10ff8 0x50063", 0xffffffff80000000, -ENXIO, 0, 0,
	  "translate 0xffffffff80000000: page table of level 3: physical address 0x50800 is not "
	  "in " },
};

static void test_walk(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct xlat_case *c = &cases[i];
		struct mkcore *mk = mkcore_make(BASE, c->text, ".");
		struct xlat_cache *cache = malloc(sizeof(*cache));
		struct core *core;
		struct window w;
		struct xlat x;
		struct err e = { 0 };
		char path[256];
		u64 pa = 0, contig = 0;

		mkcore_write(mk, scratch_path(&scratch, path, sizeof(path), "vmcore"));
		mkcore_free(mk);
		assert_int_equal(core_open(&core, path, 0, &e), 0);
		assert_int_equal(xlat_init(&x, core->vi, &e), 0);
		assert_int_equal(window_open(&w, core->src, 64 << 10, &e), 0);
		xlat_cache_init(cache);
		/* twice: the second time from the cache */
		for (unsigned k = 0; k < 2; k++) {
			int rc = xlat_va(&x, cache, &w, c->va, &pa, &contig, &e);

			if (rc != c->rc || pa != c->pa || contig != c->contig ||
			    strncmp(e.msg, c->msg, strlen(c->msg)))
				fail_msg("case %zu: %d %#llx %#llx %s", i, rc,
					 (unsigned long long)pa, (unsigned long long)contig, e.msg);
		}
		window_close(&w);
		core_close(core);
		free(cache);
	}
}

static void test_init(void **state)
{
	static const struct {
		const char *info;
		int rc;
		u64 root;
		unsigned levels;
		const char *msg;
	} t[] = {
		{ "SYMBOL(init_top_pgt)=ffffffff82000000\n", 0, 0x2000000, 4, "" },
		{ "SYMBOL(swapper_pg_dir)=ffffffff82000000\n", 0, 0x2000000, 4, "" },
		{ "SYMBOL(init_top_pgt)=ffffffff82000000\nNUMBER(phys_base)=-4096\n", 0, 0x1fff000,
		  4, "" },
		{ "SYMBOL(init_top_pgt)=ffffffff82000000\nNUMBER(phys_base)=0x1000000\n"
		  "NUMBER(pgtable_l5_enabled)=1\n",
		  0, 0x3000000, 5, "" },
		{ "A=B\n", -ENOENT, 0, 0, "VMCOREINFO: no SYMBOL(init_top_pgt)" },
		{ "SYMBOL(init_top_pgt)=82000000\n", -EINVAL, 0, 4,
		  "VMCOREINFO: page tables at 0x102000000: not believable" },
		{ "SYMBOL(init_top_pgt)=ffffffff80000000\n", -EINVAL, 0, 4,
		  "VMCOREINFO: page tables at 0: not believable" },
		{ "SYMBOL(init_top_pgt)=ffffffff82000800\n", -EINVAL, 0, 4,
		  "VMCOREINFO: page tables at 0x2000800: not believable" },
		{ "SYMBOL(init_top_pgt)=ffffffff82000000\nNUMBER(phys_base)=-1099511627776\n",
		  -EINVAL, 0, 4, "VMCOREINFO: page tables at 0xffffff0002000000: not believable" },
		{ "SYMBOL(init_top_pgt)=ffffffff82000000\nNUMBER(phys_base)=x\n", -EINVAL, 0, 0,
		  "VMCOREINFO: NUMBER(phys_base) is no number" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct vmcoreinfo *vi;
		struct err e = { 0 };
		struct xlat x;

		assert_int_equal(vmcoreinfo_open(&vi, t[i].info, strlen(t[i].info), &e), 0);
		assert_int_equal(xlat_init(&x, vi, &e), t[i].rc);
		assert_int_equal(x.root_pa, t[i].root);
		assert_int_equal(x.levels, t[i].levels);
		assert_string_equal(e.msg, t[i].msg);
		vmcoreinfo_free(vi);
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
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_walk),
					    cmocka_unit_test(test_init) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
