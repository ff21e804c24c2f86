/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sink that damages what it writes, and says nothing: the dump is read back before it is called
 * whole, and what is wrong with it is found, told, and left as an incomplete dump. */
#include <elf.h>
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

#include "../dump.h"
#include "../kdump_file.h"
#include "../source_kdump.h"
#include "../verify.h"
#include "lib_faultsink.h"
#include "lib_golden.h"
#include "lib_kdump.h"

#define ALWAYS 1, 1000

static struct scratch scratch;
static struct golden golden;

/* Where things lie in the kdump file; index of a descriptor whose page is compressed. */
static struct layout {
	u64 ram, dumped, descs, page;
	u64 last;      /* page data that comes last */
	u64 free_bits; /* a byte of bitmap 1 whose pages are all RAM, and none dumped */
	u64 first;     /* descriptor whose page is compressed */
} layout;

static struct dump_opts make_opts(enum dump_format format, enum verify_depth depth)
{
	struct dump_opts o;

	dump_opts_init(&o);
	o.format = format;
	o.verify = depth;
	o.threads = 1;
	return o;
}

static enum dump_result dump(const struct dump_opts *o, struct fault *f, struct dump_stats *st,
			     struct err *e)
{
	struct sink *inner;
	char out[256];

	scratch_path(&scratch, out, sizeof(out), "out");
	*e = (struct err){ 0 };
	assert_int_equal(o->flattened ? sink_flat_open(&inner, out, e)
				      : sink_file_open(&inner, out, false, e),
			 0);
	return dump_run_sink(golden.core, fault_sink_open(inner, f), o, st, e);
}

static void learn_layout(void)
{
	struct dump_opts o = make_opts(DUMP_KDUMP, VERIFY_FULL);
	u64 ram[KDUMP_CHUNK_WORDS], dumped[KDUMP_CHUNK_WORDS];
	struct kdump_page_desc d;
	struct fault none = { 0 };
	const struct kdump_file *k;
	struct dump_stats st;
	struct source *s;
	struct err e;
	char out[256];

	assert_int_equal(dump(&o, &none, &st, &e), DUMP_COMPLETE);
	assert_int_equal(source_open(&s, scratch_path(&scratch, out, sizeof(out), "out"), 0, &e),
			 0);
	k = source_kdump_file(s);
	assert_non_null(k);
	assert_int_equal(kdump_file_bits(k, KDUMP_RAM, 0, KDUMP_CHUNK_PAGES, ram, &e), 0);
	assert_int_equal(kdump_file_bits(k, KDUMP_DUMPED, 0, KDUMP_CHUNK_PAGES, dumped, &e), 0);
	layout = (struct layout){ .ram = k->bitmap[0], .dumped = k->bitmap[1], .descs = k->descs };
	while (((u8 *)ram)[layout.free_bits] != 0xff || ((u8 *)dumped)[layout.free_bits])
		assert_true(++layout.free_bits < sizeof(ram));
	/* the zero page shares its descriptor's offset with others: it is the first stored */
	do {
		assert_true(layout.first < k->npages);
		assert_int_equal(kdump_file_descs(k, layout.first++, 1, &d, &e), 0);
	} while (d.flags != KDUMP_ZSTD || (u64)d.offset == align_up(k->data, PAGE_SIZE));
	layout.first--;
	layout.page = (u64)d.offset;
	for (u64 i = 0; i < k->npages; i++) {
		assert_int_equal(kdump_file_descs(k, i, 1, &d, &e), 0);
		layout.last = MAX(layout.last, (u64)d.offset);
	}
	source_close(s);
	unlink(out);
}

static u64 desc_byte(size_t field_byte)
{
	return layout.descs + layout.first * sizeof(struct kdump_page_desc) + field_byte;
}

/* The dump is not renamed, opens or not as said, and says that it is incomplete. */
static void check_left(const char *what, enum dump_result result, const struct dump_opts *o)
{
	char path[256], names[256];
	struct source *s = NULL;

	scratch_list(&scratch, names, sizeof(names));
	if (strcmp(names, "out-incomplete vmcore") != 0)
		fail_msg("%s: left: %s", what, names);
	scratch_path(&scratch, path, sizeof(path), "out-incomplete");
	assert_int_equal(source_open(&s, path, SOURCE_PARTIAL, NULL) == 0,
			 result == DUMP_INCOMPLETE);
	if (s && !s->incomplete)
		fail_msg("%s: does not say that it is incomplete", what);
	if (s)
		assert_int_equal(s->flattened, o->flattened);
	source_close(s);
	unlink(path);
}

struct place {
	const char *what;
	u64 off;
	unsigned from, to;
	bool lost;
	enum verify_depth depth; /* that finds it */
	const char *msg;
};

static void check_place(const struct place *p, const struct dump_opts *asked,
			enum dump_result result)
{
	for (enum verify_depth depth = VERIFY_NONE; depth <= VERIFY_FULL; depth++) {
		struct dump_opts o = *asked;
		struct fault f = { .damage = p->off,
				   .damage_from = p->from,
				   .damage_to = p->to,
				   .lost = p->lost };
		bool found = depth >= p->depth;
		struct dump_stats st;
		struct err e;

		o.verify = depth;
		if (dump(&o, &f, &st, &e) != (found ? result : DUMP_COMPLETE))
			fail_msg("%s, %s: %s", p->what, verify_depth_name(depth), e.msg);
		assert_true(f.holds >= p->from);
		assert_int_equal(st.verified, found		     ? DUMP_VERIFY_FAILED
					      : depth == VERIFY_NONE ? DUMP_NOT_VERIFIED
								     : DUMP_VERIFIED);
		if (!found) {
			scratch_unlink(&scratch, "out");
			continue;
		}
		assert_int_equal(e.code, -EBADMSG);
		if (strncmp(e.msg, "verify: ", 8) != 0 || !strstr(e.msg, p->msg) ||
		    strncmp(st.reason, e.msg, sizeof(st.reason) - 1) != 0)
			fail_msg("%s, %s: \"%s\"", p->what, verify_depth_name(depth), e.msg);
		check_left(p->what, result, &o);
	}
}

#define SUB_OFF(field) (PAGE_SIZE + offsetof(struct kdump_sub_header, field))

static void test_kdump(void **state)
{
	const u64 notes = PAGE_SIZE + sizeof(struct kdump_sub_header);
	const struct place t[] = {
		/* the first header only: it is written once more, with the mark that it failed */
		{ "signature", 0, 1, 1, false, VERIFY_STRUCTURE, "unknown first bytes" },
		{ "machine", 12 + 4 * 65, ALWAYS, false, VERIFY_STRUCTURE,
		  "header: utsname machine" },
		{ "mark", offsetof(struct kdump_header, status), 2, 2, true, VERIFY_STRUCTURE,
		  "it says that it is incomplete" },
		{ "dump level", SUB_OFF(dump_level), ALWAYS, false, VERIFY_STRUCTURE,
		  "sub header: dump_level" },
		{ "notes", notes, ALWAYS, false, VERIFY_STRUCTURE, "notes: " },
		{ "bitmap 1", layout.ram + 0x78 / 8, ALWAYS, false, VERIFY_STRUCTURE,
		  "bitmaps: pfn 0x78 is in bitmap 2 (dumped), not in bitmap 1 (RAM), and 7 more" },
		{ "bitmap 1, not dumped", layout.ram + layout.free_bits, ALWAYS, false,
		  VERIFY_STRUCTURE, "pages of RAM in the file, 176 when" },
		{ "bitmap 1, lost", layout.ram, ALWAYS, true, VERIFY_STRUCTURE,
		  "bitmaps: pfn 0 is in bitmap 2" },
		{ "bitmap 2", layout.dumped + layout.free_bits, ALWAYS, false, VERIFY_STRUCTURE,
		  "" },
		{ "bitmap 2, lost", layout.dumped, ALWAYS, true, VERIFY_STRUCTURE,
		  "verify: bitmap 2 has 0 pages, 132 were dumped" },
		{ "offset", desc_byte(4), ALWAYS, false, VERIFY_STRUCTURE,
		  ": file ends before the page: offset " },
		{ "offset, sign", desc_byte(7), ALWAYS, false, VERIFY_STRUCTURE,
		  " is before the page data, which begins at " },
		{ "size", desc_byte(9), ALWAYS, false, VERIFY_STRUCTURE, ": stored size 65" },
		{ "flags", desc_byte(13), ALWAYS, false, VERIFY_STRUCTURE,
		  ": unsupported compression: flags 0xff" },
		{ "descriptor, lost", desc_byte(0), ALWAYS, true, VERIFY_STRUCTURE,
		  " page descriptors, 132 were written" },
		{ "page", layout.page, ALWAYS, false, VERIFY_FULL, ": zstd: " },
		{ "page, lost", layout.page, ALWAYS, true, VERIFY_FULL, ": zstd: " },
		{ "last page, lost", layout.last, ALWAYS, true, VERIFY_STRUCTURE,
		  "file ends before" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct dump_opts o = make_opts(DUMP_KDUMP, VERIFY_NONE);

		check_place(&t[i], &o, DUMP_INCOMPLETE);
	}
}

/* Every header that is written is damaged: there is no way to open it, but it is kept. */
static void test_never_opens(void **state)
{
	const struct place p = { "signature",	       0, ALWAYS, false, VERIFY_STRUCTURE,
				 "unknown first bytes" };
	struct dump_opts o = make_opts(DUMP_KDUMP, VERIFY_NONE);

	(void)state;
	check_place(&p, &o, DUMP_FAILED);
}

static void test_flattened(void **state)
{
	const struct place t[] = {
		{ "offset", desc_byte(4), ALWAYS, false, VERIFY_STRUCTURE, ": file ends before" },
		{ "descriptor, lost", desc_byte(0), ALWAYS, true, VERIFY_STRUCTURE,
		  " page descriptors, 132 were written" },
		{ "page", layout.page, ALWAYS, false, VERIFY_FULL, ": zstd: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct dump_opts o = make_opts(DUMP_KDUMP, VERIFY_NONE);

		o.flattened = true;
		check_place(&t[i], &o, DUMP_INCOMPLETE);
	}
}

#define PHDR(n, field) (sizeof(Elf64_Ehdr) + (n) * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, field))

static void test_elf(void **state)
{
	static const struct place t[] = {
		{ "mark", 0, 2, 2, true, VERIFY_STRUCTURE, "it says that it is incomplete" },
		{ "signature", 0, 2, 2, false, VERIFY_STRUCTURE, "unknown first bytes" },
		{ "machine", offsetof(Elf64_Ehdr, e_machine), 2, 2, false, VERIFY_STRUCTURE,
		  "is not x86_64" },
		{ "offset", PHDR(1, p_offset) + 5, ALWAYS, false, VERIFY_STRUCTURE, "phdr 1: " },
		{ "size in file", PHDR(1, p_filesz) + 4, ALWAYS, false, VERIFY_STRUCTURE,
		  "phdr 1: " },
		{ "size", PHDR(1, p_memsz) + 2, ALWAYS, false, VERIFY_STRUCTURE,
		  " pages of RAM in the file, " },
		{ "type", PHDR(0, p_type), ALWAYS, false, VERIFY_STRUCTURE,
		  "notes: 0 bytes are not the " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct dump_opts o = make_opts(DUMP_ELF, VERIFY_NONE);

		check_place(&t[i], &o, DUMP_INCOMPLETE);
	}
}

/* Asked to stop when all is written: the dump is whole, for all that is known, and says so. */
static void test_stopped(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct dump_opts o = make_opts(i & 1 ? DUMP_ELF : DUMP_KDUMP, VERIFY_FULL);
		struct dump_progress progress = { 0 };
		struct fault f = { .cancel = &progress.cancel };
		struct dump_stats st;
		struct err e;

		o.progress = &progress;
		o.flattened = i & 2;
		assert_int_equal(dump(&o, &f, &st, &e), DUMP_COMPLETE);
		assert_int_equal(st.verified, DUMP_VERIFY_STOPPED);
		assert_non_null(strstr(st.reason, "not verified: stopped on request"));
		scratch_unlink(&scratch, "out");
	}
}

static int clean(void **state)
{
	(void)state;
	scratch_unlink(&scratch, "out");
	scratch_unlink(&scratch, "out-incomplete");
	return 0;
}

static int setup(void **state)
{
	(void)state;
	scratch_make(&scratch);
	golden_open(&golden, &scratch, "small.txt", NULL);
	learn_layout();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	golden_close(&golden, &scratch);
	scratch_rm(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_kdump, clean),
		cmocka_unit_test_teardown(test_never_opens, clean),
		cmocka_unit_test_teardown(test_flattened, clean),
		cmocka_unit_test_teardown(test_elf, clean),
		cmocka_unit_test_teardown(test_stopped, clean),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
