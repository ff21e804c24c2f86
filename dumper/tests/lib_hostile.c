/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib_hostile.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../base/clock.h"
#include "../dump.h"
#include "../verify.h"

#define TIME_MS 10000		/* for one dump; under ASan most take 20 ms */
#define MEMORY_KIB (512u << 10) /* of the whole process, under ASan */

struct hostile hostile;

static const struct {
	unsigned level;
	enum dump_format format;
} kinds[] = { { 0, DUMP_KDUMP }, { 1, DUMP_KDUMP }, { 31, DUMP_KDUMP },
	      { 0, DUMP_ELF },	 { 1, DUMP_ELF },   { 31, DUMP_ELF } };

u64 hostile_random(u64 *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x * 0x2545f4914f6cdd1dull;
}

void hostile_start(const char *file, const char *more)
{
	memset(&hostile.g, 0, sizeof(hostile.g));
	golden_open(&hostile.g, &hostile.scratch, file, more);
	scratch_path(&hostile.scratch, hostile.vmcore, sizeof(hostile.vmcore), "vmcore");
}

/* Writes into every place that the hostile.vmcore's file has for a physical address, or reads. */
void hostile_poke(u64 pa, void *data, size_t len, bool write)
{
	int fd = open(hostile.vmcore, O_RDWR);
	Elf64_Ehdr eh;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &eh, sizeof(eh), 0), sizeof(eh));
	for (unsigned i = 0; i < eh.e_phnum; i++) {
		Elf64_Phdr ph;
		off_t at;

		assert_int_equal(pread(fd, &ph, sizeof(ph), (off_t)(eh.e_phoff + i * sizeof(ph))),
				 sizeof(ph));
		if (ph.p_type != PT_LOAD || pa < ph.p_paddr || pa - ph.p_paddr >= ph.p_filesz)
			continue;
		at = (off_t)(ph.p_offset + pa - ph.p_paddr);
		if (write)
			assert_int_equal(pwrite(fd, data, len, at), len);
		else
			assert_int_equal(pread(fd, data, len, at), len);
	}
	close(fd);
}

void hostile_poke64(u64 pa, u64 value)
{
	hostile_poke(pa, &value, 8, true);
}

void hostile_poke_random(u64 pa, size_t len, u64 *x)
{
	for (size_t at = 0; at < len; at += 8)
		hostile_poke64(pa + at, hostile_random(x));
}

static void told(void *arg, const char *line)
{
	/* notes are handed on as they are, broken ones too */
	if (strncmp(line, "notes:", 6) != 0)
		snprintf(arg, 200, "%s", line);
}

static void check_page(const char *what, struct window *dump, struct window *src, u64 pfn,
		       bool needed, bool zeros)
{
	u8 a[PAGE_SIZE], b[PAGE_SIZE], none[PAGE_SIZE] = { 0 };
	int rc = window_read(dump, pfn << PAGE_SHIFT, a, PAGE_SIZE, NULL);

	if (window_read(src, pfn << PAGE_SHIFT, b, PAGE_SIZE, NULL))
		return;
	if (rc && needed && !(zeros && !memcmp(b, none, PAGE_SIZE)))
		fail_msg("%s: pfn %#llx is lost", what, (unsigned long long)pfn);
	/* an ELF file has holes for what it leaves out */
	if (!rc && memcmp(a, b, PAGE_SIZE) && (needed || memcmp(a, none, PAGE_SIZE)))
		fail_msg("%s: pfn %#llx has other bytes", what, (unsigned long long)pfn);
}

static void check_pages(const char *what, const char *out, const struct core *core,
			const struct hostile_want *w, unsigned level, bool elf)
{
	struct source *s;
	struct window a, b;
	struct err e = { 0 };

	if (source_open(&s, out, 0, &e))
		fail_msg("%s: %s", what, e.msg);
	assert_int_equal(window_open(&a, s, PAGE_SIZE, NULL), 0);
	assert_int_equal(window_open(&b, core->src, PAGE_SIZE, NULL), 0);
	for (size_t i = 0; i < hostile.g.npages; i++) {
		const struct golden_page *p = &hostile.g.pages[i];
		bool doubt = p->pfn >= w->first && p->pfn <= w->last;

		check_page(what, &a, &b, p->pfn, p->in_file && (doubt || golden_wanted(p, level)),
			   elf && (level & 1));
	}
	window_close(&a);
	window_close(&b);
	source_close(s);
}

static void check_one(const char *what, const struct core *core, const struct hostile_want *w,
		      unsigned level, enum dump_format format)
{
	struct dump_opts o;
	struct dump_stats st;
	struct verify_result r;
	struct err e = { 0 };
	char out[256], line[200] = "";
	u64 begin = clock_ms();

	dump_opts_init(&o);
	o.level = level;
	o.format = format;
	o.threads = 1;
	scratch_path(&hostile.scratch, out, sizeof(out), "out");
	if (dump_run(core, out, &o, &st, &e) != DUMP_COMPLETE)
		fail_msg("%s: %s", what, e.msg);
	if (verify_run(&r, out, told, line) && line[0])
		fail_msg("%s: %s", what, line);
	check_pages(what, out, core, w, level, format == DUMP_ELF);
	if ((w->unknown != ANY && st.pages.unknown != w->unknown) ||
	    (w->no_memmap != ANY && st.pages.no_memmap != w->no_memmap))
		fail_msg("%s: %llu unknown, %llu without descriptor", what,
			 (unsigned long long)st.pages.unknown,
			 (unsigned long long)st.pages.no_memmap);
	if (w->reason && !strstr(st.reason, w->reason))
		fail_msg("%s: the reason is \"%s\"", what, st.reason);
	/* nothing is kept for want of understanding without a word of it */
	assert_true(!(st.pages.unknown + st.pages.no_memmap) || st.reason[0]);
	assert_true(clock_ms() - begin < TIME_MS && st.peak_rss_kib < MEMORY_KIB);
	unlink(out);
}

void hostile_check(const char *what, const struct hostile_want *w)
{
	struct core *core;
	struct err e = { 0 };

	if (core_open(&core, hostile.vmcore, 0, &e))
		fail_msg("%s: %s", what, e.msg);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		check_one(what, core, w, kinds[i].level, kinds[i].format);
	core_close(core);
}

u64 hostile_ram_pages(u64 first, u64 last)
{
	u64 n = 0;

	for (size_t i = 0; i < hostile.g.npages; i++)
		n += hostile.g.pages[i].pfn >= first && hostile.g.pages[i].pfn <= last;
	return n;
}

/* Nothing can be told: everything is there. */
struct hostile_want hostile_all_of(const char *reason)
{
	return (struct hostile_want){ 0, ANY, 0, hostile.g.npages, reason };
}

int hostile_clean(void **state)
{
	(void)state;
	scratch_unlink(&hostile.scratch, "out");
	return 0;
}

int hostile_setup(void **state)
{
	(void)state;
	scratch_make(&hostile.scratch);
	return 0;
}

int hostile_teardown(void **state)
{
	(void)state;
	scratch_rm(&hostile.scratch);
	return 0;
}
