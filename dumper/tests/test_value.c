/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pages are wanted first, and that they are written first. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "../block.h"
#include "../dump.h"
#include "../kdump_fmt.h"
#include "../value.h"
#include "lib_core.h"
#include "lib_hostile.h"
#include "lib_scratch.h"

/* 2 MiB of RAM. A stack is mapped page by page, and the first of two tasks' slabs is found from the
 * image by what its beginning points at: pointers are to 0x70040, the stack's is the fourth word.
 */
static const char machine[] =
	"include kernel-6.12.txt\n"
	"info NUMBER(SECTION_SIZE_BITS)=24\n"
	"info NUMBER(MAX_PHYSMEM_BITS)=36\n"
	"info LENGTH(mem_section)=16\n"
	"info SYMBOL(init_top_pgt)=ffffffff80010000\n"
	"info SYMBOL(mem_section)=ffff888000030000\n"
	"info SYMBOL(init_uts_ns)=ffffffff80034000\n"
	"ram 0 0x200000\n"
	"load 0 0x200000 va=0xffff888000000000\n"
	"load 0x34000 0x3000 va=0xffffffff80034000\n"
	"tables 0x10000 128K\n"
	"vmemmap 0xffffea0000000000\n"
	"map 0xffffffff80000000 0 2M 2M\n"
	"map 0xffff888000000000 0 2M 2M\n"
	"map 0xffffc90000004000 0x60000 16K 4K\n"
	"memmap 0 0x40000 bytes=0x8000\n"
	"sections pointer-roots 0xffff888000030000 0x30000\n"
	"note CORE 1 336\n"
	"fill 0x70-0x1ff seeds=1\n"
	"page 0x10 flags=0x1000\n"
	"page 0x34-0x35 flags=0x1000\n"
	"page 0x98 flags=0x1000,private\n"
	"head 0x70 order=3 type=slab mapping=0xffff888000050100\n"
	"head 0x78 order=3 type=slab mapping=0xffff888000050100\n"
	"page 0x88 type=slab mapping=0xffff888000050300\n"
	"page 0x90 type=slab mapping=0xffff888000050200\n"
	"page 0xa0 mapping=anon\n"
	"page 0xa4 flags=lru mapping=file\n"
	"page 0xa8 type=buddy private=0\n"
	"word 0x35000 0xffff888000070040\n"
	"word 0x35010 0xffff888000092002\n" /* a radix tree's node, in a slab */
	"word 0x92000 0x10000\n"	    /* of one slot used */
	"page 0x92 type=slab mapping=0xffff888000050200\n"
	"word 0x60000 0x57ac6e9d\n"
	"word 0x70058 0xffffc90000004000\n"
	/* both of what the task points at are in one cache */
	"word 0x70100 0xffff888000088000 0xffff888000088040\n";

static struct scratch scratch;

static void make_machine(char *vmcore, size_t size)
{
	char dir[256];
	struct mkcore *mk;

	scratch_beside(__FILE__, "golden", dir, sizeof(dir));
	scratch_path(&scratch, vmcore, size, "vmcore");
	mk = mkcore_make(machine, NULL, dir);
	mkcore_write(mk, vmcore);
	mkcore_free(mk);
}

static void open_machine(struct core **core)
{
	struct err e = { 0 };
	char vmcore[256];

	make_machine(vmcore, sizeof(vmcore));
	if (core_open(core, vmcore, 0, &e))
		fail_msg("%s", e.msg);
}

static void test_classes(void **state)
{
	static const struct {
		u64 pfn;
		const char *class;
	} t[] = {
		{ 0x10, "vital" }, /* page tables */
		{ 0x12, "vital" },  { 0x34, "image" },	{ 0x36, "kernel" },
		{ 0x40, "memmap" }, { 0x60, "vital" },	{ 0x63, "vital" }, /* a stack */
		{ 0x64, "kernel" }, { 0x70, "vital" },			   /* tasks */
		{ 0x77, "vital" },  { 0x78, "vital" }, /* no pointer leads there */
		{ 0x7f, "vital" },  { 0x88, "vital" }, /* what belongs to a task */
		{ 0x90, "slab" },   { 0x92, "vital" }, /* and of the same cache a tree's node */
		{ 0x98, "vital" },  { 0x99, "kernel" }, { 0xa0, "user" },
		{ 0xa4, "cache" },  { 0xa8, "free" },
	};
	struct core *core;
	struct memmap mm;
	struct value *v;
	struct block_view bv;
	u64 ram[1024 / 64] = { 0 };
	u8 cls[1024];

	(void)state;
	open_machine(&core);
	assert_true(core->direct_va == 0xffff888000000000);
	assert_int_equal(memmap_init(&mm, core, core->src->max_pfn, NULL), 0);
	v = value_open(core, &mm);
	assert_non_null(v);
	assert_int_equal(block_view_open(&bv, core, &mm, v, 1024, NULL), 0);
	memset(ram, 0xff, 0x200 / 8);
	block_classify(&bv, 0, ram, cls);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		if (strcmp(page_class_table[cls[t[i].pfn]].name, t[i].class))
			fail_msg("%#llx: %s, not %s", (unsigned long long)t[i].pfn,
				 page_class_table[cls[t[i].pfn]].name, t[i].class);
	}
	block_view_close(&bv);
	value_close(v);
	memmap_deinit(&mm);
	core_close(core);
}

static void test_image(void **state)
{
	static struct value v = { .image_pfn = 0x1000 };

	(void)state;
	bit_set(v.text, 1);
	bit_set(v.text, 2);
	bit_set(v.called, 0);
	bit_set(v.called, 2);
	assert_int_equal(value_image_class(&v, 0x1000), PC_IMAGE);
	assert_int_equal(value_image_class(&v, 0x1001), PC_TEXT);
	assert_int_equal(value_image_class(&v, 0x1002), PC_CALLED);
	assert_int_equal(value_image_class(&v, 0xfff), PC_IMAGE);
	assert_int_equal(value_image_class(&v, 0x1000 + VALUE_IMAGE_PAGES), PC_IMAGE);
}

static void limit_file(u64 bytes, struct rlimit *before)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, before), 0);
	limit = *before;
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* One thread takes places in the file as it comes to the pages. What is wanted is first where the
 * file might not have room for all RAM. */
static void test_order(void **state)
{
	static const u64 pfns[] = { 0x70, 0x35, 0x99, 0x90, 0x40, 0xa0, 0xa4, 0xa8 };
	struct kdump_header h;
	struct dump_opts o;
	struct dump_stats st;
	struct rlimit limit;
	struct core *core;
	s64 before = 0;
	char out[256];
	int fd;

	(void)state;
	open_machine(&core);
	scratch_path(&scratch, out, sizeof(out), "out");
	dump_opts_init(&o);
	o.level = 0;
	o.threads = 1;
	limit_file(0x200000, &limit);
	assert_int_equal(dump_run(core, out, &o, &st, NULL), DUMP_COMPLETE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(st.pages.dumped, 0x200);
	core_close(core);
	fd = open(out, O_RDONLY);
	assert_int_equal(pread(fd, &h, sizeof(h), 0), sizeof(h));
	for (size_t i = 0; i < ARRAY_SIZE(pfns); i++) {
		struct kdump_page_desc d;
		u64 descs = (1 + (u64)h.sub_hdr_size + h.bitmap_blocks) * PAGE_SIZE;

		assert_int_equal(pread(fd, &d, sizeof(d), (off_t)(descs + pfns[i] * sizeof(d))),
				 sizeof(d));
		if (d.offset <= before)
			fail_msg("%#llx comes too early", (unsigned long long)pfns[i]);
		before = d.offset;
	}
	close(fd);
}

/* No buffer of page data fits whole: its beginning is there, and nothing points at the rest. */
static void test_cut(void **state)
{
	const u64 first = 0x70, last = 0x1ff;
	struct rlimit limit;
	struct dump_opts o;
	struct dump_stats st;
	struct core *core;
	struct source *s;
	struct window w;
	char out[256];
	u8 page[PAGE_SIZE];
	u64 there = 0;

	(void)state;
	open_machine(&core);
	scratch_path(&scratch, out, sizeof(out), "cut");
	dump_opts_init(&o);
	o.level = 0;
	o.threads = 1;
	o.compress = COMPRESS_NONE;
	limit_file(0x100000, &limit);
	assert_int_equal(dump_run(core, out, &o, &st, NULL), DUMP_INCOMPLETE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	core_close(core);
	strcat(out, "-incomplete");
	assert_int_equal(source_open(&s, out, SOURCE_PARTIAL, NULL), 0);
	assert_int_equal(window_open(&w, s, PAGE_SIZE, NULL), 0);
	assert_int_equal(window_read(&w, first * PAGE_SIZE, page, PAGE_SIZE, NULL), 0);
	assert_int_equal(window_read(&w, last * PAGE_SIZE, page, PAGE_SIZE, NULL), -ENODATA);
	for (u64 pfn = 0; pfn < 0x200; pfn++)
		there += window_read(&w, pfn * PAGE_SIZE, page, PAGE_SIZE, NULL) == 0;
	assert_int_equal(there, st.pages.dumped);
	window_close(&w);
	source_close(s);
}

/* What the pointers of a damaged kernel may be: anything, and what looks as if it were good. */
static u64 damaged_word(u64 *x)
{
	u64 r = hostile_random(x), low = hostile_random(x) % 0x200000;

	switch (r % 8) {
	case 0:
		return 0xffff888000000000 + low; /* the direct mapping */
	case 1:
		return (0xffff888000000000 + low) | 2; /* a radix tree's node */
	case 2:
		return 0xffffc90000000000 + low; /* a stack */
	case 3:
		return 0xffffffff80000000 + low; /* the image */
	case 4:
		return (low & ~(u64)0xfff) | 0x63; /* an entry of a page table */
	case 5:
		return (low & ~(u64)0xfff) | 0xe3; /* of a large page */
	case 6:
		return 0x57ac6e9d; /* a stack's end */
	default:
		return hostile_random(x);
	}
}

/* What is found from damaged memory is bounded, and every page of RAM still has a class. Returns
 * whether the memory map was found: else nothing is looked for. */
static bool survey_damaged(const char *vmcore)
{
	struct core *core;
	struct memmap mm;
	struct value *v;
	struct block_view bv;
	u64 ram[1024 / 64];
	u8 cls[1024];

	assert_int_equal(core_open(&core, vmcore, 0, NULL), 0);
	if (memmap_init(&mm, core, core->src->max_pfn, NULL)) {
		memmap_deinit(&mm);
		core_close(core);
		return false;
	}
	v = value_open(core, &mm);
	assert_non_null(v);
	assert_in_range(v->ncaches, 0, VALUE_CACHES);
	assert_int_equal(block_view_open(&bv, core, &mm, v, 1024, NULL), 0);
	memset(ram, 0, sizeof(ram));
	for (size_t i = 0; i < 0x200; i++)
		bit_set(ram, i);
	block_classify(&bv, 0, ram, cls);
	for (size_t i = 0; i < 0x200; i++)
		assert_in_range(cls[i], PC_HOLE + 1, PC_COUNT - 1);
	/* damage to pointers never leaves out what was not left out before */
	assert_int_equal(page_class_table[cls[0x99]].level_mask, 0);
	block_view_close(&bv);
	value_close(v);
	memmap_deinit(&mm);
	core_close(core);
	return true;
}

static void test_hostile(void **state)
{
	/* page tables, the image, a stack, tasks, what they point at, a tree's node */
	static const u64 pages[] = { 0x10, 0x11, 0x12, 0x13, 0x34, 0x35, 0x36, 0x60,
				     0x61, 0x62, 0x63, 0x70, 0x71, 0x78, 0x88, 0x92 };
	u64 x = 20;
	int surveyed = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		make_machine(hostile.vmcore, sizeof(hostile.vmcore));
		for (int i = 0; i < 1 << round % 10; i++) {
			u64 page = pages[hostile_random(&x) % ARRAY_SIZE(pages)];

			hostile_poke64(page * PAGE_SIZE + hostile_random(&x) % 512 * 8,
				       damaged_word(&x));
		}
		surveyed += survey_damaged(hostile.vmcore);
	}
	assert_in_range(surveyed, 150, 299);
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
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_classes),
					    cmocka_unit_test(test_image),
					    cmocka_unit_test(test_order),
					    cmocka_unit_test(test_cut),
					    cmocka_unit_test(test_hostile) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
