/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps vmcores that are described in golden/ and compares what can be read from each dump, page by
 * page, with what the text says should be there. */
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

#include "../base/bits.h"
#include "../dump.h"
#include "../fileview.h"
#include "lib_golden.h"
#include "lib_scratch.h"
#include "lib_threads.h"

struct config {
	unsigned level;
	enum dump_format format;
	enum compress_kind compress;
	unsigned threads;
	bool flattened;
};

static struct scratch scratch;
static const u8 zeros[PAGE_SIZE];
static bool in_lines(const struct mkcore_expect *x, size_t n, unsigned level, u64 pfn, bool *said)
{
	bool in = false;

	for (size_t i = 0; i < n; i++) {
		*said |= x[i].level == level;
		in |= x[i].level == level && pfn >= x[i].first && pfn <= x[i].last;
	}
	return in;
}

/* The "kept" lines must be what the classes come to: two ways of saying the same. */
static void check_kept_lines(const struct golden *g)
{
	size_t n;
	const struct mkcore_expect *x = mkcore_kepts(g->mk, &n);

	assert_true(n > 0);
	for (unsigned level = 0; level <= 31; level++) {
		for (size_t i = 0; i < g->npages; i++) {
			const struct golden_page *p = &g->pages[i];
			bool said = false, in = in_lines(x, n, level, p->pfn, &said);

			if (said && in != golden_kept(p, level))
				fail_msg("%s: kept %u: pfn %#llx is %sin it", g->name, level,
					 (unsigned long long)p->pfn, in ? "" : "not ");
		}
	}
}

static u64 count_left_out(const struct golden *g, const char *class, unsigned level)
{
	const struct class_rule *rule = golden_rule(class);
	u64 n = 0;

	for (size_t i = 0; i < g->npages; i++)
		n += g->pages[i].rule == rule;
	return rule->left_out_by && !(rule->left_out_by & level) ? 0 : n;
}

static void check_stats(const struct golden *g, const struct config *c, const struct dump_stats *st)
{
	unsigned level = c->level;
	u64 kept = 0, zero = 0, not_there = 0;

	for (size_t i = 0; i < g->npages; i++) {
		const struct golden_page *p = &g->pages[i];

		kept += golden_kept(p, level);
		zero += golden_kept(p, level) && p->zero && (level & 1);
		not_there += golden_wanted(p, level) && !p->in_file;
	}
	assert_int_equal(st->pages.ram, g->npages);
	assert_int_equal(st->pages.zero, zero);
	assert_int_equal(st->pages.dumped, c->format == DUMP_ELF ? kept - zero : kept);
	assert_int_equal(st->pages.unreadable, not_there);
	assert_int_equal(st->pages.free, count_left_out(g, "free", level));
	assert_int_equal(st->pages.cache, count_left_out(g, "cache", level));
	assert_int_equal(st->pages.cache_private, count_left_out(g, "cache_private", level));
	assert_int_equal(st->pages.user, count_left_out(g, "user", level));
	assert_int_equal(st->pages.hwpoison, count_left_out(g, "hwpoison", level));
	assert_int_equal(st->pages.offline, count_left_out(g, "offline", level));
	assert_int_equal(st->pages.unknown, count_left_out(g, "unknown", level));
	assert_int_equal(st->pages.no_memmap, count_left_out(g, "no_memmap", level));
}

static void describe(const struct config *c, char *buf, size_t cap)
{
	snprintf(buf, cap, "%s -d %u %s -j %u%s", c->format == DUMP_ELF ? "ELF" : "kdump", c->level,
		 compress_name(c->compress), c->threads, c->flattened ? " -F" : "");
}

static void check_page(const struct golden *g, const char *what, const struct golden_page *p,
		       struct window *w, bool kept, bool have, bool holes)
{
	unsigned long long pfn = p->pfn;
	const u8 *bytes;
	size_t got;
	struct err e = { 0 };
	int rc = window_get(w, p->pfn << PAGE_SHIFT, PAGE_SIZE, &bytes, &got, &e);

	if (kept != have && !(holes && have))
		fail_msg("%s: %s: pfn %#llx (%s) is %sin the dump", g->name, what, pfn,
			 p->rule->class, have ? "" : "not ");
	if (!have) {
		assert_int_equal(rc, -ENODATA);
		return;
	}
	if (rc || got != PAGE_SIZE)
		fail_msg("%s: %s: pfn %#llx: %s", g->name, what, pfn, e.msg);
	/* a hole in an ELF file is a page that was left out, and reads as zeros */
	if (memcmp(bytes, kept && p->bytes ? p->bytes : zeros, PAGE_SIZE) != 0)
		fail_msg("%s: %s: pfn %#llx: bytes differ", g->name, what, pfn);
}

static void check_pages(const struct golden *g, const struct config *c, struct source *s,
			const u64 *ram, const u64 *have)
{
	bool drops_zero = c->format == DUMP_ELF && (c->level & 1);
	bool holes = c->format == DUMP_ELF && !c->flattened;
	char what[80];
	struct window w;
	struct err e = { 0 };

	describe(c, what, sizeof(what));
	assert_int_equal(window_open(&w, s, 64 << 10, &e), 0);
	assert_int_equal(bit_count(ram, align_up(g->max_pfn, 64) / 64), g->npages);
	for (size_t i = 0; i < g->npages; i++) {
		const struct golden_page *p = &g->pages[i];

		assert_true(bit_test(ram, p->pfn));
		check_page(g, what, p, &w, golden_kept(p, c->level) && !(drops_zero && p->zero),
			   bit_test(have, p->pfn), holes);
	}
	window_close(&w);
}

static void check_dump(const struct golden *g, const struct config *c, const char *path)
{
	size_t words = align_up(g->max_pfn, 64) / 64;
	u64 *ram = calloc(words, 8), *have = calloc(words, 8);
	struct source *s;
	struct err e = { 0 };

	if (source_open(&s, path, 0, &e))
		fail_msg("%s: %s", g->name, e.msg);
	assert_false(s->incomplete);
	assert_int_equal(s->notes_len, g->core->src->notes_len);
	assert_memory_equal(s->notes, g->core->src->notes, s->notes_len);
	assert_int_equal(s->max_pfn, g->max_pfn);
	if (c->format == DUMP_KDUMP)
		assert_int_equal(s->excluded_level, c->level);
	assert_int_equal(source_bits(s, 0, words * 64, ram, have, &e), 0);
	check_pages(g, c, s, ram, have);
	source_close(s);
	free(ram);
	free(have);
}

/* A flattened ELF file is read by no one as it is: makes the file it stands for. */
static void rearrange(const char *from, const char *to)
{
	struct fileview v;
	struct err e = { 0 };
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	u8 buf[16384];

	if (fileview_flat(&v, in, false, &e))
		fail_msg("%s", e.msg);
	for (u64 at = 0; at < v.size; at += sizeof(buf)) {
		ssize_t n = fileview_pread(&v, buf, sizeof(buf), at);

		assert_true(n > 0);
		assert_int_equal(pwrite(out, buf, (size_t)n, (off_t)at), n);
	}
	fileview_deinit(&v);
	close(in);
	close(out);
}

static void run_config(const struct golden *g, const struct config *c)
{
	struct dump_opts o;
	struct dump_stats st;
	struct err e = { 0 };
	char out[256], plain[256], what[80];

	describe(c, what, sizeof(what));
	scratch_path(&scratch, out, sizeof(out), "out");
	scratch_path(&scratch, plain, sizeof(plain), "plain");
	dump_opts_init(&o);
	o.level = c->level;
	o.format = c->format;
	o.compress = c->compress;
	o.threads = test_threads(c->threads);
	o.flattened = c->flattened;
	o.verify = VERIFY_FULL;
	if (dump_run(g->core, out, &o, &st, &e) != DUMP_COMPLETE)
		fail_msg("%s: %s: %s", g->name, what, e.msg);
	check_stats(g, c, &st);
	if (c->flattened && c->format == DUMP_ELF) {
		rearrange(out, plain);
		check_dump(g, c, plain);
		unlink(plain);
	} else {
		check_dump(g, c, out);
	}
	unlink(out);
}

/* All levels in both formats; the compression, the number of threads and the stream take turns, so
 * that each level meets each of them in one golden or another. */
static void run_golden(const char *file, unsigned turn)
{
	struct golden g = { 0 };

	golden_open(&g, &scratch, file, NULL);
	check_kept_lines(&g);
	for (unsigned level = 0; level <= 31; level++) {
		unsigned t = level + turn;

		run_config(&g,
			   &(struct config){ level, DUMP_KDUMP, t % 3, 1 + t % 2, t / 2 % 3 == 0 });
		run_config(&g, &(struct config){ level, DUMP_ELF, COMPRESS_ZSTD, 1 + t % 2,
						 t / 2 % 2 == 0 });
	}
	golden_close(&g, &scratch);
}

static void test_goldens(void **state)
{
	(void)state;
	golden_each(run_golden);
}

/* Every combination there is, of one small machine. */
static void test_all_configs(void **state)
{
	struct golden g = { 0 };

	(void)state;
	golden_open(&g, &scratch, "small.txt", NULL);
	for (unsigned i = 0; i < 32 * 2 * 3 * 2 * 2; i++)
		run_config(&g, &(struct config){ i % 32, i / 32 % 2, i / 64 % 3, 1 + i / 192 % 2,
						 i / 384 % 2 });
	golden_close(&g, &scratch);
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
		cmocka_unit_test(test_all_configs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
