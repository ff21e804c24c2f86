/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dump from memory that was damaged: always whole and sound, with every page that the undamaged
 * kernel would have kept and every page whose descriptor was damaged, as the vmcore has them. */
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
#include "lib_golden.h"

#define ANY (~(u64)0)
#define TIME_MS 10000		/* for one dump; under ASan most take 20 ms */
#define MEMORY_KIB (512u << 10) /* of the whole process, under ASan */
#define TABLES 0x200000		/* of machine.txt: page tables */
#define ROOTS 0x210000		/* the roots of the section table; a page of sections follows */
#define SECTIONS (ROOTS + 0x4000)
#define STRUCT_PAGE(pfn) (0x400000 + 64ull * (pfn))
#define GROUP 64

static struct scratch scratch;
static struct golden g;
static char vmcore[256];

static const struct {
	unsigned level;
	enum dump_format format;
} kinds[] = { { 0, DUMP_KDUMP }, { 1, DUMP_KDUMP }, { 31, DUMP_KDUMP },
	      { 0, DUMP_ELF },	 { 1, DUMP_ELF },   { 31, DUMP_ELF } };

static u64 next_random(u64 *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x * 0x2545f4914f6cdd1dull;
}

static void start(const char *file, const char *more)
{
	memset(&g, 0, sizeof(g));
	golden_open(&g, &scratch, file, more);
	scratch_path(&scratch, vmcore, sizeof(vmcore), "vmcore");
}

/* Writes into every place that the vmcore's file has for a physical address, or reads. */
static void poke(u64 pa, void *data, size_t len, bool write)
{
	int fd = open(vmcore, O_RDWR);
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

static void poke64(u64 pa, u64 value)
{
	poke(pa, &value, 8, true);
}

static void poke_random(u64 pa, size_t len, u64 *x)
{
	for (size_t at = 0; at < len; at += 8)
		poke64(pa + at, next_random(x));
}

struct want {
	u64 first, last;	/* pages of RAM whose class is not known: kept, whatever it was */
	u64 unknown, no_memmap; /* counted; ANY: not computable */
	const char *reason;	/* a part of it, or NULL */
};

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
			const struct want *w, unsigned level, bool elf)
{
	struct source *s;
	struct window a, b;
	struct err e = { 0 };

	if (source_open(&s, out, 0, &e))
		fail_msg("%s: %s", what, e.msg);
	assert_int_equal(window_open(&a, s, PAGE_SIZE, NULL), 0);
	assert_int_equal(window_open(&b, core->src, PAGE_SIZE, NULL), 0);
	for (size_t i = 0; i < g.npages; i++) {
		const struct golden_page *p = &g.pages[i];
		bool doubt = p->pfn >= w->first && p->pfn <= w->last;

		check_page(what, &a, &b, p->pfn, p->in_file && (doubt || golden_wanted(p, level)),
			   elf && (level & 1));
	}
	window_close(&a);
	window_close(&b);
	source_close(s);
}

static void check_one(const char *what, const struct core *core, const struct want *w,
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
	scratch_path(&scratch, out, sizeof(out), "out");
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

static void check(const char *what, const struct want *w)
{
	struct core *core;
	struct err e = { 0 };

	if (core_open(&core, vmcore, 0, &e))
		fail_msg("%s: %s", what, e.msg);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		check_one(what, core, w, kinds[i].level, kinds[i].format);
	core_close(core);
}

static u64 ram_pages(u64 first, u64 last)
{
	u64 n = 0;

	for (size_t i = 0; i < g.npages; i++)
		n += g.pages[i].pfn >= first && g.pages[i].pfn <= last;
	return n;
}

/* Nothing can be told: everything is there. */
static struct want all_of(const char *reason)
{
	return (struct want){ 0, ANY, 0, g.npages, reason };
}

/* The place of a note's bytes in the file. */
static off_t find_note(size_t *len)
{
	static u8 head[1 << 20];
	int fd = open(vmcore, O_RDONLY);
	ssize_t n = pread(fd, head, sizeof(head), 0);
	u8 *p = memmem(head, (size_t)n, "VMCOREINFO", 11);
	u32 size;

	close(fd);
	assert_non_null(p);
	memcpy(&size, p - 8, 4);
	*len = size;
	return p + 12 - head;
}

static void write_at(off_t at, const void *data, size_t len)
{
	int fd = open(vmcore, O_WRONLY);

	assert_int_equal(pwrite(fd, data, len, at), len);
	close(fd);
}

static void test_vmcoreinfo_random(void **state)
{
	u64 x = 1;

	(void)state;
	for (unsigned seed = 0; seed < 24; seed++) {
		char text[8192];
		struct want w;
		size_t len;
		off_t at;

		start("small.txt", NULL);
		at = find_note(&len);
		assert_true(len < sizeof(text));
		for (size_t i = 0; i < len; i++) {
			u8 c = (u8)next_random(&x);

			/* bytes; letters in lines; the same with an equals sign now and then */
			text[i] = (char)(seed % 3 ? (c < 8 ? '\n' : 'A' + c % 26) : c);
			if (seed % 3 == 2 && c > 250)
				text[i] = '=';
		}
		write_at(at, text, len);
		w = all_of("everything is dumped: pages cannot be classified: VMCOREINFO: no ");
		check("random VMCOREINFO", &w);
		golden_close(&g, &scratch);
	}
}

static void test_keys_missing(void **state)
{
	static const char *const files[] = { "linux-6.1.txt", "linux-6.12.txt", "linux-7.1.txt" };

	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(files); f++) {
		bool more = true;

		for (size_t i = 0; more; i++) {
			struct want w = { ANY, ANY, ANY, ANY, NULL };
			char what[160] = "forget ";
			const char *key;

			start(files[f], NULL);
			key = mkcore_info_line(g.mk, i);
			if (key)
				snprintf(what, sizeof(what), "forget %.*s", (int)strcspn(key, "="),
					 key);
			more = key;
			if (more) {
				struct mkcore *mk;
				char dir[256];

				scratch_beside(__FILE__, "golden", dir, sizeof(dir));
				mk = mkcore_load(dir, files[f], what);
				mkcore_write(mk, vmcore);
				mkcore_free(mk);
				check(what, &w);
			}
			golden_close(&g, &scratch);
		}
	}
}

/* Each number becomes another; in the second round the key comes twice, the lie first. */
static void check_absurd(const char *key, const char *value, bool twice)
{
	struct want w = { ANY, ANY, ANY, ANY, NULL };
	char what[200], dir[256], line[64];
	struct mkcore *mk;
	size_t len;

	snprintf(what, sizeof(what), "lie %s=%s", key, value);
	scratch_beside(__FILE__, "golden", dir, sizeof(dir));
	mk = mkcore_load(dir, "small.txt", twice ? NULL : what);
	mkcore_write(mk, vmcore);
	mkcore_free(mk);
	if (twice) {
		static u8 head[1 << 20];
		int fd = open(vmcore, O_RDWR);
		ssize_t n = pread(fd, head, sizeof(head), 0);
		u8 *p = memmem(head, (size_t)n, "BUILD-ID=", 9);

		/* the line takes the place of one of 49 bytes that nothing needs */
		assert_non_null(p);
		len = (size_t)snprintf(line, sizeof(line), "%s=%s\n", key, value);
		if (len < 47) {
			memset(line + len, 'X', 49 - len);
			line[len + 1] = '=';
			assert_int_equal(pwrite(fd, line, 49, p - head), 49);
		}
		close(fd);
	}
	check(what, &w);
}

static void test_keys_absurd(void **state)
{
	static const char *const values[] = {
		"0", "-1", "9223372036854775808", "18446744073709551615", "junk", ""
	};
	char keys[64][80];
	size_t n = 0;

	(void)state;
	start("small.txt", NULL);
	for (const char *line; (line = mkcore_info_line(g.mk, n)); n++)
		snprintf(keys[n], sizeof(keys[n]), "%.*s", (int)strcspn(line, "="), line);
	for (size_t i = 0; i < n; i++) {
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			check_absurd(keys[i], values[v], false);
			check_absurd(keys[i], values[v], true);
		}
	}
	golden_close(&g, &scratch);
}

enum table_damage { TO_SELF, TO_ROOT, TO_NOWHERE, RANDOM, PRESENT, NOT_PRESENT, DAMAGES };

static u64 damaged_entry(enum table_damage d, u64 entry, u64 table, u64 *x)
{
	switch (d) {
	case TO_SELF:
		return table | 0x63;
	case TO_ROOT:
		return TABLES | 0x63;
	case TO_NOWHERE:
		return 0x000ffffffffff063;
	case RANDOM:
		return next_random(x);
	case PRESENT:
		return entry ^ (next_random(x) & 1);
	default:
		return entry & ~(u64)1;
	}
}

/* Every table of the walk, of four levels and five, damaged in every way. */
static void test_page_tables(void **state)
{
	static const char *const files[] = { "linux-6.12.txt", "five-levels.txt" };
	u64 x = 7;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(files) * 6 * DAMAGES; i++) {
		struct want w = { ANY, ANY, ANY, ANY, NULL };
		u64 table = TABLES + i / DAMAGES % 6 * PAGE_SIZE, entries[512];
		enum table_damage d = i % DAMAGES;
		char what[64];

		start(files[i / DAMAGES / 6], NULL);
		poke(table, entries, sizeof(entries), false);
		for (size_t k = 0; k < 512; k++)
			entries[k] = entries[k] || d == RANDOM
					     ? damaged_entry(d, entries[k], table, &x)
					     : 0;
		poke(table, entries, sizeof(entries), true);
		snprintf(what, sizeof(what), "table %#llx, damage %u", (unsigned long long)table,
			 d);
		check(what, &w);
		golden_close(&g, &scratch);
	}
}

/* The section table's roots, or its sections. */
static void test_sections(void **state)
{
	static const struct {
		u64 pa, value; /* ANY: random bytes, a page of them */
		const char *reason;
	} t[] = {
		{ ROOTS, ANY, "mem_section" },
		{ SECTIONS, ANY, "mem_section" },
		{ ROOTS, 0, "mem_section" },
		/* the root is the array of roots, or lies outside */
		{ ROOTS, 0xffffffff80210000, "mem_section" },
		{ ROOTS, 0xffffffffffffff00, "mem_section" },
		{ SECTIONS, 0, "no section's memory map is mapped" },
		{ SECTIONS, 0xffffea0000000000, "no section's memory map is mapped" }, /* no map */
		{ SECTIONS, 0x1f, "no section's memory map is mapped" },
		{ SECTIONS, 0xffffffffffffffff, "no section's memory map is mapped" },
	};
	u64 x = 3;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct want w;
		char what[64];

		start("linux-6.12.txt", NULL);
		if (t[i].value == ANY)
			poke_random(t[i].pa, PAGE_SIZE, &x);
		else
			poke64(t[i].pa, t[i].value);
		w = all_of(t[i].reason);
		snprintf(what, sizeof(what), "sections %zu", i);
		check(what, &w);
		golden_close(&g, &scratch);
	}
}

/* Two sections of section-flat.txt whose memory maps are one, in whole or in part: neither is
 * believed. */
static void test_sections_overlap(void **state)
{
	static const u64 va[] = { 0xffffc90000100000, 0xffffc90000101000, 0xffffc900000ff000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(va); i++) {
		struct want w;

		start("section-flat.txt", NULL);
		w = all_of("pages are kept that have no descriptor");
		/* section 2, of 4096 pages of 56 bytes */
		poke64(0x210000 + 2 * 32 + 8, (va[i] - 2 * 4096 * 56) | 0x1f);
		check("overlap", &w);
		golden_close(&g, &scratch);
	}
}

/* Clears the page table entry that leads to pa. */
static void unmap(u64 pa)
{
	unsigned found = 0;

	for (u64 at = TABLES; at < TABLES + 0x10000; at += 8) {
		u64 entry = 0;

		poke(at, &entry, 8, false);
		if ((entry & 1) && (entry & 0x000ffffffffff000) == pa && at < 0x210000) {
			poke64(at, 0);
			found++;
		}
	}
	assert_true(found > 0);
}

static void test_unmapped(void **state)
{
	struct want w;
	u64 first, last;

	(void)state;
	/* all of it: a leaf of 2 MiB */
	start("linux-6.12.txt", NULL);
	unmap(0x400000);
	w = all_of("no section's memory map is mapped");
	check("all unmapped", &w);
	golden_close(&g, &scratch);
	/* one page of it, whose records begin before it and end behind it */
	start("section-flat.txt", NULL);
	unmap(0x340000 + PAGE_SIZE);
	first = 0x2000 + PAGE_SIZE / 56;
	last = 0x2000 + (2 * PAGE_SIZE - 1) / 56;
	w = (struct want){ first, last, 0, 0x20 + ram_pages(first, last), /* 0x20 never had any */
			   "pages are kept that have no descriptor" };
	check("one page unmapped", &w);
	golden_close(&g, &scratch);
	/* one section of two */
	start("section-flat.txt", NULL);
	for (u64 pa = 0x340000; pa < 0x340000 + 4096 * 56; pa += PAGE_SIZE)
		unmap(pa);
	w = (struct want){ 0x2000, 0x2fff, 0, 0x20 + ram_pages(0x2000, 0x2fff), NULL };
	check("one section unmapped", &w);
	golden_close(&g, &scratch);
}

/* Pages that the golden itself has as unknown, outside of [first, last]. */
static u64 unknown_outside(u64 first, u64 last)
{
	u64 n = 0;

	for (size_t i = 0; i < g.npages; i++)
		n += (g.pages[i].pfn < first || g.pages[i].pfn > last) &&
		     strcmp(g.pages[i].rule->class, "unknown") == 0;
	return n;
}

/* Random bytes for whole groups of 64 descriptors: all are kept and counted, poisoned, free or of
 * user space as they may look. */
static void test_pages_random(void **state)
{
	static const char *const files[] = { "linux-6.1.txt", "linux-6.12.txt", "linux-7.1.txt" };
	static const struct {
		u64 first, last;
	} ranges[] = { { 0, 0xbff }, { 0x600, 0x67f }, { 0x680, 0x6bf }, { 0x100, 0x17f } };
	u64 x = 11;

	(void)state;
	for (unsigned i = 0; i < 8 * ARRAY_SIZE(ranges) * ARRAY_SIZE(files); i++) {
		u64 first = ranges[i % ARRAY_SIZE(ranges)].first;
		u64 last = ranges[i % ARRAY_SIZE(ranges)].last;
		const char *file = files[i / ARRAY_SIZE(ranges) % ARRAY_SIZE(files)];
		struct want w;
		char what[80];

		start(file, NULL);
		for (u64 pfn = first; pfn <= last; pfn += GROUP)
			poke_random(STRUCT_PAGE(pfn), GROUP * 64, &x);
		w = (struct want){ first, last,
				   ram_pages(first, last) + unknown_outside(first, last), 0,
				   "descriptors make no sense" };
		snprintf(what, sizeof(what), "%s: random %#llx, turn %u", file,
			 (unsigned long long)first, i);
		check(what, &w);
		golden_close(&g, &scratch);
	}
}

enum field_damage { HUGE_ORDER, ODD_ORDER, CYCLE, TO_TAIL, MASKS, ANYWHERE, TYPES, FIELD_DAMAGES };

/* One field of the descriptor of pfn. */
static void damage_field(enum field_damage d, u64 pfn, u64 *x)
{
	u64 pa = STRUCT_PAGE(pfn), va = 0xffffea0000000000, r = next_random(x);
	u32 buddy = 0xf0000000, type = (u32)r;

	switch (d) {
	case HUGE_ORDER:
	case ODD_ORDER: /* a free area that would reach over pages in use */
		poke(pa + 48, &buddy, 4, true);
		poke64(pa + 40, d == HUGE_ORDER ? r : 3 + r % 7);
		return;
	case CYCLE: /* 64 tails, each of the next one */
		poke64(pa + 8, (va + (pfn - pfn % 64 + (pfn + 1) % 64) * 64) | 1);
		return;
	case TO_TAIL:
		poke64(pa + 8, (va + (pfn - 1) * 64) | 1);
		return;
	case MASKS: /* turns its own address into some other's */
		poke64(pa + 8, ~(u64)0 << r % 64 | 1);
		return;
	case ANYWHERE:
		poke64(pa + 8, r | 1);
		return;
	default:
		poke(pa + 48, &type, 4, true);
	}
}

static void test_pages_fields(void **state)
{
	u64 x = 5;

	(void)state;
	for (unsigned i = 0; i < 4 * FIELD_DAMAGES; i++) {
		struct want w = { 0x600, 0x6ff, ANY, 0, "descriptors make no sense" };
		char what[64];

		start("linux-6.12.txt", NULL);
		for (u64 pfn = 0x600; pfn <= 0x6ff; pfn++)
			damage_field(i % FIELD_DAMAGES, pfn, &x);
		snprintf(what, sizeof(what), "field damage %u, turn %u", i % FIELD_DAMAGES, i);
		check(what, &w);
		golden_close(&g, &scratch);
	}
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_vmcoreinfo_random, clean),
		cmocka_unit_test_teardown(test_keys_missing, clean),
		cmocka_unit_test_teardown(test_keys_absurd, clean),
		cmocka_unit_test_teardown(test_page_tables, clean),
		cmocka_unit_test_teardown(test_sections, clean),
		cmocka_unit_test_teardown(test_sections_overlap, clean),
		cmocka_unit_test_teardown(test_unmapped, clean),
		cmocka_unit_test_teardown(test_pages_random, clean),
		cmocka_unit_test_teardown(test_pages_fields, clean),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
