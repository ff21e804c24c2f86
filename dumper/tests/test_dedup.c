/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../dedup.h"
#include "../dump.h"
#include "lib_core.h"
#include "lib_scratch.h"

static struct scratch scratch;

static void test_table(void **state)
{
	struct dedup *d = dedup_open(1 << 20);
	u64 page[PAGE_SIZE / 8] = { 0 }, found = 0;
	struct dedup_page p;

	(void)state;
	assert_non_null(d);
	for (u64 i = 0; i < 20000; i++) {
		u64 hash;

		page[i % ARRAY_SIZE(page)] += i;
		hash = dedup_hash((const u8 *)page);
		assert_false(dedup_find(d, hash, &p));
		dedup_add(d, hash, &(struct dedup_page){ i, i << 20, 1 + (u32)i % 4096, 0x20 });
		assert_true(dedup_find(d, hash, &p));
		assert_int_equal(p.pfn, i);
		assert_int_equal(p.offset, i << 20);
		assert_int_equal(p.size, 1 + i % 4096);
		assert_int_equal(p.flags, 0x20);
	}
	/* the table forgets some, and gives no other page for them but by chance */
	memset(page, 0, sizeof(page));
	for (u64 i = 0; i < 20000; i++) {
		page[i % ARRAY_SIZE(page)] += i;
		if (dedup_find(d, dedup_hash((const u8 *)page), &p)) {
			assert_int_equal(p.pfn, i);
			found++;
		}
	}
	assert_in_range(found, 10000, 19999);
	dedup_close(d);
}

static void test_equal(void **state)
{
	static u64 a[PAGE_SIZE / 8], b[PAGE_SIZE / 8];

	(void)state;
	assert_true(dedup_equal((u8 *)a, (u8 *)b));
	for (size_t i = 0; i < PAGE_SIZE; i++) {
		((u8 *)b)[i] ^= 0x80;
		assert_false(dedup_equal((u8 *)a, (u8 *)b));
		assert_int_not_equal(dedup_hash((u8 *)a), dedup_hash((u8 *)b));
		((u8 *)b)[i] ^= 0x80;
	}
}

/* Two contents that take turns over more pages than a write buffer holds, and one page of its own
 * at the end. */
static void test_dump(void **state)
{
	char dir[256], vmcore[256], out[256];
	struct mkcore *mk;
	struct core *core;
	struct window w;

	(void)state;
	scratch_beside(__FILE__, "golden", dir, sizeof(dir));
	mk = mkcore_load(dir, "small.txt",
			 "ram 0x100000 8M\n"
			 "fill 0x100-0x4ff seed=7\n"
			 "fill 0x500-0x8fe seed=8\n"
			 "fill 0x8ff seed=9\n");
	mkcore_write(mk, scratch_path(&scratch, vmcore, sizeof(vmcore), "vmcore"));
	for (unsigned threads = 1; threads <= 3; threads++) {
		struct dump_stats st;
		struct dump_opts o;

		dump_opts_init(&o);
		o.level = 0;
		o.threads = threads;
		assert_int_equal(core_open(&core, vmcore, 0, NULL), 0);
		scratch_path(&scratch, out, sizeof(out), "out");
		assert_int_equal(dump_run(core, out, &o, &st, NULL), DUMP_COMPLETE);
		core_close(core);
		/* each thread may fill a buffer with each before it is known */
		assert_in_range(st.pages.duplicate, 2047 - threads * 2 * 256, 2047 + 0xb0);
		assert_in_range(st.bytes_written, 4096, (threads * 512 + 300) * PAGE_SIZE);
		assert_int_equal(core_open(&core, out, 0, NULL), 0);
		assert_int_equal(window_open(&w, core->src, PAGE_SIZE, NULL), 0);
		for (u64 pfn = 0x100; pfn <= 0x8ff; pfn++) {
			u8 want[PAGE_SIZE], got[PAGE_SIZE];
			bool in_file;

			assert_true(mkcore_page(mk, pfn, want, &in_file));
			assert_int_equal(window_read(&w, pfn * PAGE_SIZE, got, PAGE_SIZE, NULL), 0);
			assert_memory_equal(got, want, PAGE_SIZE);
		}
		window_close(&w);
		core_close(core);
		unlink(out);
	}
	mkcore_free(mk);
	unlink(vmcore);
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
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_dump),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
