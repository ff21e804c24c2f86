/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dump made with four threads is the dump made with one: the same pages, the same bytes, the
 * same counts. Where the bytes lie in a kdump file is another matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../base/bits.h"
#include "../dump.h"
#include "lib_golden.h"

#define MANY 4
#define WORDS 512 /* of a bitmap, compared at once */

static struct scratch scratch;

/* linux-6.1.txt with 64 MiB more: blocks enough for every thread to be at work in each round. */
static const char larger[] = "ram 0x1000000 64M\n"
			     "fill 0x1000-0x1fff seeds=1\n"
			     "fill 0x2000-0x2fff seeds=9000\n"
			     "fill 0x3000-0x33ff word=0x1122334455667788\n"
			     "expect kernel 0x1000-0x4fff\n"
			     "page 0x1100-0x12ff mapping=anon\n"
			     "page 0x1900-0x19ff flags=lru mapping=file\n"
			     "page 0x2500-0x26ff mapping=anon\n"
			     "page 0x2c00-0x2cff flags=slab\n"
			     "page 0x4000 type=buddy private=10\n"
			     "expect user 0x1100-0x12ff 0x2500-0x26ff\n"
			     "expect cache 0x1900-0x19ff\n"
			     "expect free 0x4000-0x43ff\n";

static void make_dump(const struct golden *g, const struct dump_opts *asked, unsigned threads,
		      const char *name, struct dump_stats *st)
{
	struct dump_opts o = *asked;
	struct err e = { 0 };
	char out[256];

	o.threads = threads;
	scratch_path(&scratch, out, sizeof(out), name);
	if (dump_run(g->core, out, &o, st, &e) != DUMP_COMPLETE)
		fail_msg("%s: %u threads: %s", g->name, threads, e.msg);
	assert_int_equal(st->threads, threads);
}

static struct source *open_dump(const char *name)
{
	struct source *s = NULL;
	struct err e = { 0 };
	char path[256];

	if (source_open(&s, scratch_path(&scratch, path, sizeof(path), name), 0, &e))
		fail_msg("%s", e.msg);
	return s;
}

/* The pages [pfn, pfn + 64 * WORDS) of both. */
static void compare_chunk(const char *what, struct window *one, struct window *many, u64 pfn)
{
	u64 ram[2][WORDS] = { { 0 } }, have[2][WORDS] = { { 0 } };
	u8 a[PAGE_SIZE], b[PAGE_SIZE];

	assert_int_equal(source_bits(one->src, pfn, 64 * WORDS, ram[0], have[0], NULL), 0);
	assert_int_equal(source_bits(many->src, pfn, 64 * WORDS, ram[1], have[1], NULL), 0);
	assert_memory_equal(ram[0], ram[1], sizeof(ram[0]));
	assert_memory_equal(have[0], have[1], sizeof(have[0]));
	for (size_t i = bit_next(have[0], 64 * WORDS, 0, true); i < 64 * WORDS;
	     i = bit_next(have[0], 64 * WORDS, i + 1, true)) {
		struct err e = { 0 };

		if (window_read(one, (pfn + i) * PAGE_SIZE, a, PAGE_SIZE, &e) ||
		    window_read(many, (pfn + i) * PAGE_SIZE, b, PAGE_SIZE, &e))
			fail_msg("%s: pfn %#llx: %s", what, (unsigned long long)(pfn + i), e.msg);
		if (memcmp(a, b, PAGE_SIZE) != 0)
			fail_msg("%s: pfn %#llx differs", what, (unsigned long long)(pfn + i));
	}
}

static void compare_files(const char *what)
{
	struct source *one = open_dump("one"), *many = open_dump("many");
	struct window w1, w4;

	assert_int_equal(one->max_pfn, many->max_pfn);
	assert_int_equal(window_open(&w1, one, PAGE_SIZE, NULL), 0);
	assert_int_equal(window_open(&w4, many, PAGE_SIZE, NULL), 0);
	for (u64 pfn = 0; pfn < one->max_pfn; pfn += 64 * WORDS)
		compare_chunk(what, &w1, &w4, pfn);
	window_close(&w1);
	window_close(&w4);
	source_close(one);
	source_close(many);
}

static void compare(const struct golden *g, const struct dump_opts *o)
{
	struct dump_stats one, many;
	char what[96];

	snprintf(what, sizeof(what), "%s: %s%s -d %u", g->name,
		 o->format == DUMP_ELF ? "ELF" : compress_name(o->compress),
		 o->flattened ? " -F" : "", o->level);
	make_dump(g, o, 1, "one", &one);
	make_dump(g, o, MANY, "many", &many);
	compare_files(what);
	/* each thread stores a constant page once for itself */
	one.pages.duplicate = many.pages.duplicate = 0;
	assert_memory_equal(&one.pages, &many.pages, sizeof(one.pages));
	assert_int_equal(one.level_used, many.level_used);
	scratch_unlink(&scratch, "one");
	scratch_unlink(&scratch, "many");
}

static void compare_all(const char *file, const char *more)
{
	static const struct {
		enum dump_format format;
		enum compress_kind compress;
		bool flattened;
		unsigned level;
	} t[] = {
		{ DUMP_KDUMP, COMPRESS_ZSTD, false, 0 }, { DUMP_KDUMP, COMPRESS_ZSTD, false, 31 },
		{ DUMP_KDUMP, COMPRESS_ZLIB, false, 8 }, { DUMP_KDUMP, COMPRESS_NONE, true, 17 },
		{ DUMP_ELF, COMPRESS_NONE, false, 0 },	 { DUMP_ELF, COMPRESS_NONE, false, 31 },
		{ DUMP_ELF, COMPRESS_NONE, true, 31 },
	};
	struct golden g = { 0 };

	golden_open(&g, &scratch, file, more);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct dump_opts o;

		dump_opts_init(&o);
		o.format = t[i].format;
		o.compress = t[i].compress;
		o.flattened = t[i].flattened;
		o.level = t[i].level;
		o.verify = VERIFY_FULL;
		/* once as PID 1 does it */
		o.direct = o.sync = i == 1;
		compare(&g, &o);
	}
	golden_close(&g, &scratch);
}

static void compare_golden(const char *file, unsigned number)
{
	(void)number;
	compare_all(file, NULL);
}

static void test_goldens(void **state)
{
	(void)state;
	golden_each(compare_golden);
}

static void test_larger(void **state)
{
	(void)state;
	compare_all("linux-6.1.txt", larger);
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goldens),
		cmocka_unit_test(test_larger),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
