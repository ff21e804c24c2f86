/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that changes between the two passes: a device that still writes, or memory that fails. */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../classify.h"
#include "../dump.h"
#include "../sink.h"
#include "lib_core.h"
#include "lib_scratch.h"
#include "lib_threads.h"

#define STRUCT_PAGE(pfn) (0x40000 + 64ull * (pfn)) /* in golden/small.txt */
#define MAPPING 24

/* One 64-bit word of memory that gets another value. */
struct change {
	u64 pa, value;
};

/* A file sink that changes the vmcore when it is told the size: after pass 1, before pass 2. */
struct hook {
	struct sink_ops ops;
	int (*set_size)(struct sink *s, u64 size, struct err *e);
	const char *vmcore;
	const struct change *changes;
	size_t n;
};

static struct hook hook;

static void apply(const struct hook *h)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
	int fd = open(h->vmcore, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &eh, sizeof(eh), 0), sizeof(eh));
	for (unsigned i = 0; i < eh.e_phnum; i++) {
		assert_int_equal(pread(fd, &ph, sizeof(ph), (off_t)(eh.e_phoff + i * sizeof(ph))),
				 sizeof(ph));
		for (size_t k = 0; ph.p_type == PT_LOAD && k < h->n; k++) {
			const struct change *c = &h->changes[k];

			if (c->pa >= ph.p_paddr && c->pa - ph.p_paddr < ph.p_filesz)
				assert_int_equal(pwrite(fd, &c->value, 8,
							(off_t)(ph.p_offset + c->pa - ph.p_paddr)),
						 8);
		}
	}
	close(fd);
}

static int hooked_set_size(struct sink *s, u64 size, struct err *e)
{
	apply(&hook);
	return hook.set_size(s, size, e);
}

static void open_hooked(struct sink **sink, const char *out, const char *vmcore,
			const struct change *changes, size_t n)
{
	assert_int_equal(sink_file_open(sink, out, false, NULL), 0);
	hook = (struct hook){ *(*sink)->ops, (*sink)->ops->set_size, vmcore, changes, n };
	hook.ops.set_size = hooked_set_size;
	(*sink)->ops = &hook.ops;
}

/* Pages of the dump whose bytes are neither missing (in an ELF dump: zeros) nor those of the same
 * page of the vmcore. */
static unsigned wrong_pages(const char *out, const char *vmcore, bool elf)
{
	struct core *a, *b;
	struct window wa, wb;
	unsigned wrong = 0;

	assert_int_equal(core_open(&a, out, 0, NULL), 0);
	assert_int_equal(core_open(&b, vmcore, 0, NULL), 0);
	assert_int_equal(window_open(&wa, a->src, PAGE_SIZE, NULL), 0);
	assert_int_equal(window_open(&wb, b->src, PAGE_SIZE, NULL), 0);
	for (u64 pfn = 0; pfn < b->src->max_pfn; pfn++) {
		u8 pa[4096], pb[4096];

		if (window_read(&wa, pfn * PAGE_SIZE, pa, PAGE_SIZE, NULL))
			continue;
		assert_int_equal(window_read(&wb, pfn * PAGE_SIZE, pb, PAGE_SIZE, NULL), 0);
		if (elf && !pa[0] && !memcmp(pa, pa + 1, PAGE_SIZE - 1))
			continue;
		wrong += memcmp(pa, pb, PAGE_SIZE) != 0;
	}
	window_close(&wa);
	window_close(&wb);
	core_close(a);
	core_close(b);
	return wrong;
}

static void test_changes(void **state)
{
	static const struct change swapped[] = {
		{ STRUCT_PAGE(0x70) + MAPPING, 0 }, /* was a user page */
		{ STRUCT_PAGE(0x78) + MAPPING, 1 }, /* was not */
	};
	static const struct change fewer[] = { { STRUCT_PAGE(0x78) + MAPPING, 1 } };
	static const struct change no_longer_zero[] = { { 0x9a008, 77 } };
	static const struct {
		enum dump_format format;
		const struct change *changes;
		size_t n;
		u64 unreadable, dumped;
	} t[] = {
		/* the machine is one block: all of its 0xa4 pages are given up */
		{ DUMP_KDUMP, swapped, 2, 0xa4, 0 },
		{ DUMP_KDUMP, fewer, 1, 0xa4, 0 },
		{ DUMP_KDUMP, no_longer_zero, 1, 0, 0xa4 },
		/* pass 1 left it out as zero: it has no place any more, and is counted */
		{ DUMP_ELF, no_longer_zero, 1, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct scratch scratch;
		char dir[256], vmcore[256], out[256];
		struct mkcore *mk;
		struct core *core;
		struct sink *sink;
		struct dump_opts o;
		struct dump_stats st;
		struct err e = { 0 };

		scratch_make(&scratch);
		scratch_beside(__FILE__, "golden", dir, sizeof(dir));
		scratch_path(&scratch, vmcore, sizeof(vmcore), "vmcore");
		scratch_path(&scratch, out, sizeof(out), "out");
		mk = mkcore_load(dir, "small.txt", NULL);
		mkcore_write(mk, vmcore);
		mkcore_free(mk);
		assert_int_equal(core_open(&core, vmcore, 0, &e), 0);
		dump_opts_init(&o);
		o.level = LEVEL_USER | LEVEL_ZERO;
		o.format = t[i].format;
		o.threads = test_threads(2);
		open_hooked(&sink, out, vmcore, t[i].changes, t[i].n);
		assert_int_equal(dump_run_sink(core, sink, &o, &st, &e), DUMP_COMPLETE);
		core_close(core);
		assert_int_equal(st.pages.unreadable, t[i].unreadable);
		if (t[i].format == DUMP_KDUMP)
			assert_int_equal(st.pages.dumped, t[i].dumped);
		assert_int_equal(wrong_pages(out, vmcore, t[i].format == DUMP_ELF), 0);
		scratch_rm(&scratch);
	}
}

/* A source that changes the vmcore when a block's RAM is asked for the at-th time: 1 is pass 1,
 * then each round of pass 2. */
static struct {
	struct source_ops ops;
	const struct source_ops *real;
	unsigned calls, at;
} rounds;

static int hooked_bits(struct source *s, u64 pfn, size_t n, u64 *ram, u64 *have, struct err *e)
{
	if (++rounds.calls == rounds.at)
		apply(&hook);
	return rounds.real->bits(s, pfn, n, ram, have, e);
}

/* Whatever changes between the rounds: a page is in the dump, or counted as not. */
static void test_rounds(void **state)
{
	static const struct change changes[] = {
		{ STRUCT_PAGE(0x78) + MAPPING, 1 }, /* a user page from now on */
		{ STRUCT_PAGE(0x64), 0 },	    /* cache, which becomes kernel: another round */
	};

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct scratch scratch;
		char dir[256], vmcore[256], out[256];
		struct mkcore *mk;
		struct core *core;
		struct dump_opts o;
		struct dump_stats st;

		scratch_make(&scratch);
		scratch_beside(__FILE__, "golden", dir, sizeof(dir));
		scratch_path(&scratch, vmcore, sizeof(vmcore), "vmcore");
		scratch_path(&scratch, out, sizeof(out), "out");
		mk = mkcore_load(dir, "small.txt", NULL);
		mkcore_write(mk, vmcore);
		mkcore_free(mk);
		assert_int_equal(core_open(&core, vmcore, 0, NULL), 0);
		hook = (struct hook){ .vmcore = vmcore, .changes = &changes[i / 4], .n = 1 };
		rounds.real = core->src->ops;
		rounds.ops = *rounds.real;
		rounds.ops.bits = hooked_bits;
		rounds.calls = 0;
		rounds.at = i % 4 + 2;
		core->src->ops = &rounds.ops;
		dump_opts_init(&o);
		o.level = LEVEL_USER | LEVEL_ZERO;
		o.threads = 1;
		assert_int_equal(dump_run(core, out, &o, &st, NULL), DUMP_COMPLETE);
		core->src->ops = rounds.real;
		core_close(core);
		assert_int_equal(st.pages.dumped + st.pages.unreadable, 0xa4);
		assert_true(rounds.calls >= rounds.at && st.pages.unreadable > 0);
		/* the page of the change itself may have been written before */
		assert_in_range(wrong_pages(out, vmcore, false), 0, 1);
		scratch_rm(&scratch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_rounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
