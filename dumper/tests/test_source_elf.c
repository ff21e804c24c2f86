/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF vmcores that are cut, damaged or not what they should be: what a person is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../base/bits.h"
#include "../source.h"
#include "lib_core.h"
#include "lib_scratch.h"

static struct scratch scratch;

/* 64 KiB in two PT_LOADs: in the file at 0x1000 and 0x9000. */
#define BASE                         \
	"info OSRELEASE=test\n"      \
	"note CORE 1 336\n"          \
	"ram 0x100000 32K\n"         \
	"ram 0x200000 32K\n"         \
	"fill 0x100-0x107 seeds=1\n" \
	"fill 0x200-0x207 seeds=1\n"

static void write_core(const char *more, char *path, size_t cap)
{
	struct mkcore *mk = mkcore_make(BASE, more, ".");

	mkcore_write(mk, scratch_path(&scratch, path, cap, "vmcore"));
	mkcore_free(mk);
}

static void test_rejects(void **state)
{
	static const struct {
		const char *damage;
		int rc;
		const char *msg; /* all that stands after the path */
	} t[] = {
		{ "truncate 0", -EINVAL, "only 0 bytes: too short for a vmcore" },
		{ "truncate 3", -EINVAL, "only 3 bytes: too short for a vmcore" },
		{ "truncate 10", -EINVAL, "ELF header: the file ends within it, at byte 10" },
		{ "truncate 40", -EINVAL, "ELF header: the file ends within it, at byte 40" },
		{ "truncate 64", -EINVAL, "ELF header: 3 program headers at 64, file of 64 bytes" },
		{ "truncate 100", -EINVAL,
		  "ELF header: 3 program headers at 64, file of 100 bytes" },
		{ "truncate 180", -EINVAL,
		  "ELF header: 3 program headers at 64, file of 180 bytes" },
		{ "truncate 300", -EINVAL, "phdr 0: notes end early: read 68 of 396 bytes" },
		{ "truncate 0x5000", -EINVAL,
		  "phdr 1: truncated: ends at byte 36864, the file at 20480" },
		{ "truncate in-load 1", -EINVAL,
		  "phdr 2: truncated: ends at byte 69632, the file at 53248" },
		{ "poke 0 0x7e", -EINVAL,
		  "neither an ELF vmcore nor a kdump file: unknown first bytes" },
		{ "elf class=1", -ENOTSUP, "ELF header: not 64-bit little-endian" },
		{ "elf class=7", -EINVAL, "ELF header: neither 64-bit nor 32-bit" },
		{ "elf data=2", -ENOTSUP, "ELF header: not 64-bit little-endian" },
		{ "elf machine=183", -ENOTSUP, "ELF header: machine 183 is not x86_64 (62)" },
		{ "elf type=2", -EINVAL, "ELF header: type 2 is not a core file (4)" },
		{ "elf phnum=0", -EINVAL, "ELF header: no program headers" },
		{ "elf phnum=1", -EINVAL, "no PT_LOAD: the file describes no memory" },
		{ "elf phnum=60000", -EINVAL,
		  "ELF header: 60000 program headers at 64, file of 69632 bytes" },
		{ "elf phnum=0xffff", -EINVAL, "phdr 0: invalid data" },
		{ "phdr 0 filesz=0x100000", -EINVAL,
		  "phdr 0: notes end early: read 69400 of 1048576 bytes" },
		{ "phdr 0 filesz=0xffffffffffffffff", -EINVAL,
		  "phdr 0: notes of 18446744073709551615 bytes" },
		{ "phdr 0 filesz=0x4000001", -EINVAL, "phdr 0: notes of 67108865 bytes" },
		{ "phdr 0 offset=0xfffffffffffff000", -EINVAL,
		  "phdr 0: notes end early: read 0 of 396 bytes" },
		{ "phdr 0 offset=0x100000", -EINVAL,
		  "phdr 0: notes end early: read 0 of 396 bytes" },
		{ "phdr 1 offset=0x20000", -EINVAL,
		  "phdr 1: truncated: ends at byte 163840, the file at 69632" },
		{ "phdr 2 filesz=0x100000 memsz=0x100000", -EINVAL,
		  "phdr 2: truncated: ends at byte 1085440, the file at 69632" },
		{ "phdr 2 paddr=0xfffffffffffff000", -EINVAL,
		  "phdr 2: physical address 0xfffffffffffff000 + 0x8000 is beyond 52 bits" },
		{ "phdr 1 paddr=0x10000000000000", -EINVAL,
		  "phdr 1: physical address 0x10000000000000 + 0x8000 is beyond 52 bits" },
		{ "phdr 1 memsz=0xffffffffffffffff", -EINVAL,
		  "phdr 1: physical address 0x100000 + 0xffffffffffffffff is beyond 52 bits" },
		{ "phdr 1 offset=0xfffffffffffff000", -EINVAL,
		  "phdr 1: file offset 0xfffffffffffff000 wraps" },
		{ "phdr 1 type=4\nphdr 2 type=0", -EINVAL,
		  "no PT_LOAD: the file describes no memory" },
		{ "phdr 1 memsz=0\nphdr 2 memsz=0", -EINVAL,
		  "no PT_LOAD: the file describes no memory" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char path[256];
		struct source *s = NULL;
		struct err e = { 0 };
		int rc;

		write_core(t[i].damage, path, sizeof(path));
		rc = source_open(&s, path, 0, &e);
		assert_int_equal(rc, t[i].rc);
		assert_int_equal(e.code, t[i].rc);
		assert_null(s);
		if (strncmp(e.msg, path, strlen(path)) ||
		    strcmp(e.msg + strlen(path) + 2, t[i].msg))
			fail_msg("%s: %s, not %s", t[i].damage, e.msg, t[i].msg);
	}
}

static void test_no_file(void **state)
{
	struct source *s = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(source_open(&s, "/no/such/vmcore", 0, &e), -ENOENT);
	assert_string_equal(e.msg, "/no/such/vmcore: No such file or directory");
	assert_int_equal(source_open(&s, "/", 0, &e), -EINVAL);
	assert_string_equal(e.msg, "/: neither a file nor a block device");
	assert_null(s);
}

static u64 pages_held(struct source *s, u64 *ram_pages)
{
	u64 ram[16] = { 0 }, have[16] = { 0 };

	assert_int_equal(source_bits(s, 0, 1024, ram, have, NULL), 0);
	*ram_pages = bit_count(ram, 16);
	return bit_count(have, 16);
}

/* What is accepted all the same, and what is then there of 16 pages. */
static void test_accepts(void **state)
{
	static const struct {
		const char *damage;
		unsigned flags;
		bool incomplete;
		u64 ram, have;
	} t[] = {
		{ NULL, 0, false, 16, 16 },
		{ NULL, SOURCE_PARTIAL, false, 16, 16 },
		{ "elf flags=1", 0, true, 16, 16 },
		{ "elf phoff=end", 0, false, 16, 16 },
		{ "truncate in-load 1", SOURCE_PARTIAL, true, 16, 12 },
		{ "truncate in-load 0", SOURCE_PARTIAL, true, 16, 4 },
		/* in the middle of a page: what there is of it counts */
		{ "truncate 0x1801", SOURCE_PARTIAL, true, 16, 1 },
		{ "phdr 1 filesz=0", 0, false, 16, 8 },
		/* more in the file than in memory: what is no memory is not looked at */
		{ "phdr 1 memsz=0x1000", 0, false, 9, 9 },
		/* a segment of another kind, and one of no memory */
		{ "phdr 1 type=0x6474e551", 0, false, 8, 8 },
		{ "phdr 1 memsz=0", 0, false, 8, 8 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct source *s;
		struct err e = { 0 };
		char path[256];
		u64 ram, have;

		write_core(t[i].damage, path, sizeof(path));
		if (source_open(&s, path, t[i].flags, &e))
			fail_msg("%s: %s", t[i].damage, e.msg);
		have = pages_held(s, &ram);
		assert_int_equal(s->incomplete, t[i].incomplete);
		assert_int_equal(ram, t[i].ram);
		assert_int_equal(have, t[i].have);
		source_close(s);
	}
}

/* What window_get() says of addresses within and outside. */
static void test_window(void **state)
{
	static const struct {
		u64 pa;
		int rc;
		size_t got; /* of 0x2000 asked for */
		const char *msg;
	} t[] = {
		{ 0x100000, 0, 0x2000, "" },
		{ 0x107fff, 0, 1, "" },
		{ 0x203800, 0, 0x2000, "" },
		{ 0x203ff8, 0, 0x2000, "" },
		{ 0, -ENXIO, 0, "physical address 0 is not in " },
		{ 0xfffff, -ENXIO, 0, "physical address 0xfffff is not in " },
		{ 0x108000, -ENXIO, 0, "physical address 0x108000 is not in " },
		{ 0x206000, -ENODATA, 0, "physical address 0x206000 is not in " },
		{ 0x208000, -ENXIO, 0, "physical address 0x208000 is not in " },
		{ ~0ull, -ENXIO, 0, "physical address 0xffffffffffffffff is not in " },
	};
	struct source *s;
	struct window w;
	struct err e = { 0 };
	char path[256];
	u8 buf[16];

	(void)state;
	write_core("phdr 2 filesz=0x6000", path, sizeof(path));
	assert_int_equal(source_open(&s, path, 0, &e), 0);
	assert_int_equal(window_open(&w, s, 64 << 10, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const u8 *p;
		size_t got = 0;

		e = (struct err){ 0 };
		assert_int_equal(window_get(&w, t[i].pa, 0x2000, &p, &got, &e), t[i].rc);
		assert_int_equal(got, t[i].got);
		assert_int_equal(strncmp(e.msg, t[i].msg, strlen(t[i].msg)), 0);
	}
	assert_int_equal(window_read(&w, 0x205ff8, buf, 8, &e), 0);
	assert_int_equal(window_read(&w, 0x205ff8, buf, 16, &e), -ENODATA);
	window_close(&w);
	source_close(s);
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
		cmocka_unit_test(test_rejects),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_window),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
