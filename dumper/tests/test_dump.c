/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump_run() on kernels that cannot be understood, or lie: what it says, what it leaves behind, and
 * that everything is still dumped where everything was asked for. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../base/json.h"
#include "../dump.h"
#include "lib_golden.h"
#include "lib_threads.h"

#define RAM_PAGES 0xb0 /* of small.txt */

static struct scratch scratch;

/* small.txt with what is wrong, and the reason given for not classifying. */
static const struct lie {
	const char *text;
	const char *msg;
} lies[] = {
	{ "no-vmcoreinfo", "no VMCOREINFO note" },
	{ "phdr 0 filesz=0", "no VMCOREINFO note" },
	{ "phdr 0 filesz=60", "ELF note at 0: 336 bytes of data, 40 left" },
	{ "note X 5 16 namesz=0xffffffff", "name of 4294967295 bytes" },
	{ "note X 5 16 namesz=0xfffffffd", "name of 4294967293 bytes" },
	{ "note X 5 16 descsz=0xffffffff", "4294967295 bytes of data" },
	/* what the kernel does not tell */
	{ "forget SYMBOL(init_top_pgt)", "VMCOREINFO: no SYMBOL(init_top_pgt)" },
	{ "forget SYMBOL(mem_section)", "VMCOREINFO: no mem_section" },
	{ "forget LENGTH(mem_section)", "VMCOREINFO: no mem_section" },
	{ "forget SIZE(mem_section)", "VMCOREINFO: no mem_section" },
	{ "forget OFFSET(mem_section.section_mem_map)", "VMCOREINFO: no mem_section" },
	{ "forget SIZE(page)", "VMCOREINFO: no SIZE(page)" },
	{ "forget OFFSET(page.flags)", "VMCOREINFO: no OFFSET(page.flags)" },
	{ "forget OFFSET(page.mapping)", "VMCOREINFO: no OFFSET(page.mapping)" },
	{ "forget OFFSET(page._mapcount)", "VMCOREINFO: no OFFSET(page._mapcount)" },
	{ "forget OFFSET(page.private)", "VMCOREINFO: no OFFSET(page.private)" },
	{ "forget OFFSET(page.compound_head)", "VMCOREINFO: no OFFSET(page.compound_head)" },
	{ "forget LENGTH(zone.free_area)", "VMCOREINFO: no believable LENGTH(zone.free_area)" },
	{ "forget NUMBER(PG_lru)", "VMCOREINFO: NUMBER(PG_lru) is missing" },
	{ "forget NUMBER(PG_private)", "VMCOREINFO: NUMBER(PG_private) is missing" },
	{ "forget NUMBER(PG_head_mask)", "VMCOREINFO: NUMBER(PG_head_mask) is missing" },
	{ "forget NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)",
	  "VMCOREINFO: NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE) is missing" },
	{ "forget NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)",
	  "VMCOREINFO: neither NUMBER(PG_slab) nor NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)" },
	/* what cannot be true */
	{ "lie SIZE(page)=7", "VMCOREINFO: SIZE(page)=7 is not believable" },
	{ "lie OFFSET(page.flags)=60", "VMCOREINFO: OFFSET(page.flags)=60 is not within 64 bytes" },
	{ "lie OFFSET(page.mapping)=18446744073709551615",
	  "VMCOREINFO: OFFSET(page.mapping)=18446744073709551615 is not within 64 bytes" },
	{ "lie NUMBER(PG_lru)=64", "VMCOREINFO: NUMBER(PG_lru) is no bit" },
	{ "lie NUMBER(PG_lru)=garbage", "VMCOREINFO: NUMBER(PG_lru) is no bit" },
	{ "lie NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=99999999999",
	  "VMCOREINFO: NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE) is not 32 bits" },
	{ "lie PAGESIZE=65536", "VMCOREINFO: PAGESIZE=65536 is not 4096" },
	{ "lie LENGTH(zone.free_area)=4000000000",
	  "VMCOREINFO: no believable LENGTH(zone.free_area)" },
	{ "lie LENGTH(mem_section)=0", "VMCOREINFO: mem_section: 0 roots, 16 bytes each" },
	{ "lie SIZE(mem_section)=4096", "VMCOREINFO: mem_section: 16 roots, 4096 bytes each" },
	{ "lie NUMBER(SECTION_SIZE_BITS)=60", "VMCOREINFO: sections of 2^60 in 2^36 bytes" },
	{ "lie NUMBER(MAX_PHYSMEM_BITS)=63", "VMCOREINFO: sections of 2^24 in 2^63 bytes" },
	{ "lie NUMBER(phys_base)=junk", "VMCOREINFO: NUMBER(phys_base) is no number" },
	{ "lie NUMBER(phys_base)=0x7fffffffffffffff",
	  "VMCOREINFO: page tables at 0x800000000000ffff: not believable" },
	{ "lie SYMBOL(init_top_pgt)=ffffffff80010008",
	  "VMCOREINFO: page tables at 0x10008: not believable" },
	/* page tables that lead outside, to themselves, or nowhere */
	{ "lie SYMBOL(init_top_pgt)=ffffffffb0010000",
	  "page tables at 0x30010000 do not map themselves: translate 0xffffffffb0010000" },
	{ "word 0x10ff8 0xfffffffffff063",
	  "page tables at 0x10000 do not map themselves: translate 0xffffffff80010000" },
	{ "word 0x10ff8 0x10063", "page tables at 0x10000 do not map themselves: 0xffff" },
	{ "word 0x10ff8 0",
	  "page tables at 0x10000 do not map themselves: 0xffffffff80010000 is not mapped" },
	{ "lie NUMBER(pgtable_l5_enabled)=1", "page tables at 0x10000 do not map themselves" },
	{ "lie NUMBER(pgtable_l5_enabled)=2",
	  "VMCOREINFO: NUMBER(pgtable_l5_enabled)=2 is neither 0 nor 1" },
	/* a section table that is none */
	{ "lie SYMBOL(mem_section)=0", "mem_section: 0 is not a kernel address" },
	{ "lie SYMBOL(mem_section)=ffffffff80900000",
	  "mem_section: read 0xffffffff80900000: physical address 0x900000 is not in " },
	{ "word 0x20000 0", "mem_section: 0 is not a kernel address" },
	{ "word 0x20000 0xffffffff90000000",
	  "mem_section: read 0xffffffff90000000: physical address 0x10000000 is not in " },
	{ "word 0x10ea0 0",
	  "mem_section at 0xffffffff80020000: no section's memory map is mapped" },
};

static struct core *open_golden(const char *file, const char *more)
{
	struct mkcore *mk;
	struct core *core;
	struct err e = { 0 };
	char dir[256], path[256];

	scratch_beside(__FILE__, "golden", dir, sizeof(dir));
	mk = mkcore_load(dir, file, more);
	mkcore_write(mk, scratch_path(&scratch, path, sizeof(path), "vmcore"));
	mkcore_free(mk);
	if (core_open(&core, path, 0, &e))
		fail_msg("%s: %s", more, e.msg);
	return core;
}

static struct core *open_core(const char *more)
{
	return open_golden("small.txt", more);
}

static enum dump_result dump_as(const struct core *core, enum dump_format format, unsigned level,
				struct dump_stats *st, struct err *e)
{
	struct dump_opts o;
	char out[256];

	dump_opts_init(&o);
	o.level = level;
	o.threads = test_threads(2);
	o.format = format;
	*e = (struct err){ 0 };
	return dump_run(core, scratch_path(&scratch, out, sizeof(out), "out"), &o, st, e);
}

static enum dump_result dump(const struct core *core, unsigned level, struct dump_stats *st,
			     struct err *e)
{
	return dump_as(core, DUMP_KDUMP, level, st, e);
}

static void expect_files(const char *want)
{
	char names[256];

	scratch_list(&scratch, names, sizeof(names));
	assert_string_equal(names, want);
}

static void test_lies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		const struct lie *l = &lies[i];
		struct core *core = open_core(l->text);
		struct dump_stats st;
		struct err e;

		/* whatever the notes are, the file that has them is sound */
		if (dump_as(core, DUMP_ELF, 0, &st, &e) != DUMP_COMPLETE)
			fail_msg("ELF: %s: %s", l->text, e.msg);
		scratch_unlink(&scratch, "out");
		/* without classes: all of it */
		if (dump(core, 1, &st, &e) != DUMP_COMPLETE)
			fail_msg("%s: %s", l->text, e.msg);
		assert_int_equal(st.pages.dumped, RAM_PAGES);
		assert_int_equal(st.pages.no_memmap, RAM_PAGES);
		expect_files("out vmcore");
		scratch_unlink(&scratch, "out");
		assert_int_equal(dump(core, 31, &st, &e), DUMP_COMPLETE);
		assert_int_equal(st.pages.dumped, RAM_PAGES);
		assert_int_equal(st.level_used, 1); /* and it says why */
		assert_non_null(strstr(st.reason, "everything is dumped: pages cannot be "));
		if (!strstr(st.reason, l->msg))
			fail_msg("%s: %s", l->text, st.reason);
		scratch_unlink(&scratch, "out");
		core_close(core);
	}
}

/* What is not needed may be missing; what is then not known is kept. */
static void test_optional(void **state)
{
	static const struct {
		const char *text;
		u64 dumped, unknown;
	} t[] = {
		{ NULL, 0x84, 0 },
		{ "forget OSRELEASE", 0x84, 0 },
		{ "forget PAGESIZE", 0x84, 0 },
		{ "forget OFFSET(page._refcount)", 0x84, 0 },
		{ "forget OFFSET(page.lru)", 0x84, 0 },
		{ "forget NUMBER(PG_swapcache)", 0x84, 0 },
		{ "forget NUMBER(PG_swapbacked)", 0x84, 0 },
		{ "forget NUMBER(PG_hwpoison)", 0x85, 0 },
		{ "forget NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", 0x85, 0 },
		{ "forget NUMBER(phys_base)", 0x84, 0 },
		{ "forget NUMBER(pgtable_l5_enabled)", 0x84, 0 },
		{ "info no equals sign", 0x84, 0 },
		{ "info =\ninfo ==", 0x84, 0 },
		/* a free area of an absurd size, or not where it could be; 20 pages that would
		 * be left out have descriptors beside its first one, and are kept as well */
		{ "page 0x50 type=buddy private=11", 0xa8, 21 },
		{ "page 0x50 type=buddy private=0xffffffffffffffff", 0xa8, 21 },
		{ "page 0x50 type=buddy private=5", 0xa8, 21 },
		/* a tail within a free area; a mask of 16 pages leads it to the first page: no head
		 */
		{ "page 0x5f compound=0xfffffffffffffc01", 0xa8, 22 },
		/* 6 more that are kept */
		{ "page 0xa2 compound=0xfffffffffffffc01", 0x8a, 7 },
		{ "page 0xa2 compound=0xdead000000000101", 0x8a, 7 },
		{ "page 0xa2 compound=0xffffffffffffffff", 0x8a, 7 },
		{ "page 0xa2 compound=1", 0x8a, 7 },
		{ "page 0xa2 compound=0xffffea0000100001", 0x8a, 7 },
		{ "tail 0xa2-0xa3 of 0xa4", 0x8a, 8 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct core *core = open_core(t[i].text);
		struct dump_stats st;
		struct err e;

		if (dump(core, 31, &st, &e) != DUMP_COMPLETE)
			fail_msg("%s: %s", t[i].text, e.msg);
		if (st.pages.dumped != t[i].dumped || st.pages.unknown != t[i].unknown)
			fail_msg("%s: %#llx dumped, %llu unknown", t[i].text,
				 (unsigned long long)st.pages.dumped,
				 (unsigned long long)st.pages.unknown);
		scratch_unlink(&scratch, "out");
		core_close(core);
	}
}

static void test_names_taken(void **state)
{
	static const char *const taken[] = { "out", "out-incomplete" };
	struct core *core = open_core(NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		struct dump_stats st;
		struct err e;
		char path[256], was[2] = { 0 };
		int fd = open(scratch_path(&scratch, path, sizeof(path), taken[i]),
			      O_RDWR | O_CREAT, 0600);

		assert_int_equal(write(fd, "x", 1), 1);
		assert_int_equal(dump(core, 31, &st, &e), DUMP_FAILED);
		assert_int_equal(e.code, -EEXIST);
		assert_memory_equal(e.msg, path, strlen(path));
		assert_string_equal(e.msg + strlen(path), " exists: it is never overwritten");
		assert_int_equal(pread(fd, was, 2, 0), 1);
		assert_string_equal(was, "x");
		close(fd);
		unlink(path);
		expect_files("vmcore");
	}
	core_close(core);
}

/* The other side asks to stop: what is there opens, and says that it is not all. */
static void test_cancel(void **state)
{
	struct core *core = open_core(NULL);
	struct dump_progress progress = { 0 };
	struct dump_opts o;
	struct dump_stats st;
	struct err e = { 0 };
	char out[256];

	(void)state;
	dump_opts_init(&o);
	o.threads = test_threads(2);
	o.progress = &progress;
	progress.cancel = 1;
	scratch_path(&scratch, out, sizeof(out), "out");
	assert_int_equal(dump_run(core, out, &o, &st, &e), DUMP_FAILED);
	assert_int_equal(e.code, -ECANCELED);
	assert_string_equal(e.msg, "pass 1: stopped on request");
	expect_files("vmcore");
	progress.cancel = 0;
	assert_int_equal(dump_run(core, out, &o, &st, &e), DUMP_COMPLETE);
	assert_int_equal(progress.phase, DUMP_PHASE_DONE);
	assert_int_equal(progress.pages_done, progress.pages_total);
	assert_int_equal(progress.pages_total, st.pages.dumped);
	scratch_unlink(&scratch, "out");
	core_close(core);
}

static void test_stats_json(void **state)
{
	struct core *core = open_core(NULL);
	struct dump_stats st;
	struct json j;
	struct err e;

	(void)state;
	assert_int_equal(dump(core, 31, &st, &e), DUMP_COMPLETE);
	st.s_classify = st.s_write = st.s_verify = st.s_total = 0.5;
	st.peak_rss_kib = st.bytes_written = 1;
	json_init(&j);
	dump_stats_json(&st, NULL, &j);
	assert_int_equal(json_end(&j), 0);
	for (char *p = j.buf; *p; p++) {
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	}
	assert_non_null(strstr(j.buf, "\"status\": \"complete\""));
	assert_non_null(strstr(j.buf, "\"format\": \"kdump\""));
	assert_non_null(strstr(j.buf, "\"compression\": \"zstd\""));
	assert_non_null(strstr(j.buf, "\"ram\": 176"));
	assert_non_null(strstr(j.buf, "\"dumped\": 132"));
	assert_non_null(strstr(j.buf, "\"hwpoison\": 1"));
	assert_non_null(strstr(j.buf, "\"classify\": 0.500"));
	assert_non_null(strstr(j.buf, "\"verify\": 0.500"));
	assert_non_null(strstr(j.buf, "\"depth\": \"structure\""));
	assert_non_null(strstr(j.buf, "\"result\": \"sound\""));
	json_deinit(&j);
	scratch_unlink(&scratch, "out");
	core_close(core);
}

/* A test that failed may have left a file: it must not fail the next one. */
static int clean(void **state)
{
	(void)state;
	scratch_unlink(&scratch, "out");
	return 0;
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

/* An ELF dump of a kdump file, which tells no virtual addresses: they are those of the direct
 * mapping, where the kernel's tables say where that begins. */
static void check_addresses(const char *golden, u64 direct_va)
{
	struct dump_opts o;
	struct dump_stats st;
	struct core *core = open_golden(golden, NULL);
	char kdump[256], elf[256];

	dump_opts_init(&o);
	scratch_path(&scratch, kdump, sizeof(kdump), "first");
	assert_int_equal(dump_run(core, kdump, &o, &st, NULL), DUMP_COMPLETE);
	core_close(core);
	assert_int_equal(core_open(&core, kdump, 0, NULL), 0);
	o.format = DUMP_ELF;
	scratch_path(&scratch, elf, sizeof(elf), "out");
	assert_int_equal(dump_run(core, elf, &o, &st, NULL), DUMP_COMPLETE);
	core_close(core);
	assert_int_equal(core_open(&core, elf, 0, NULL), 0);
	assert_true(core->src->nmaps > 0);
	for (size_t i = 0; i < core->src->nmaps; i++) {
		const struct source_map *m = &core->src->maps[i];

		assert_int_equal(m->va, direct_va ? direct_va + m->pa : 0);
	}
	core_close(core);
	unlink(kdump);
	unlink(elf);
}

static void test_addresses(void **state)
{
	(void)state;
	check_addresses("section-pointer.txt", 0xffff888000000000);
	check_addresses("small.txt", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_lies, clean),
		cmocka_unit_test_teardown(test_optional, clean),
		cmocka_unit_test_teardown(test_names_taken, clean),
		cmocka_unit_test_teardown(test_cancel, clean),
		cmocka_unit_test_teardown(test_stats_json, clean),
		cmocka_unit_test_teardown(test_addresses, clean),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
