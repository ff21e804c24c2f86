/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib_kdump.h"
#include "lib_verify.h"

static const char vmcoreinfo[] = "OSRELEASE=6.1.0-test\nBUILD-ID=0123abcd\nCRASHTIME=1700000000\n";

/* An ELF vmcore: a note, and two pages of memory at 1 MiB. */
struct test_elf {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	Elf64_Nhdr nh;
	char name[12], text[64];
	u8 data[2 * 4096];
};

static struct test_elf elf_make(void)
{
	struct test_elf t = {
		.eh = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				     EV_CURRENT },
			.e_type = ET_CORE,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_phoff = offsetof(struct test_elf, ph),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2 },
		.ph = { { .p_type = PT_NOTE,
			  .p_offset = offsetof(struct test_elf, nh),
			  .p_filesz = sizeof(Elf64_Nhdr) + 12 + 64 },
			{ .p_type = PT_LOAD,
			  .p_offset = offsetof(struct test_elf, data),
			  .p_paddr = 1 << 20,
			  .p_filesz = 2 * 4096,
			  .p_memsz = 2 * 4096 } },
		.nh = { 11, 64, 0 },
		.name = "VMCOREINFO",
	};

	strncpy(t.text, vmcoreinfo, sizeof(t.text));
	return t;
}

static void test_elf(void **state)
{
	static const struct {
		size_t off, width;
		u64 value;
		size_t cut;
		int rc;
		const char *msg;
	} t[] = {
#define ELF(field) offsetof(struct test_elf, field), sizeof(((struct test_elf *)0)->field)
		{ ELF(eh.e_flags), 0, 0, 0, "sound: elf, 2 pages" },
		{ ELF(eh.e_flags), 0, 4096, -EBADMSG,
		  "phdr 1: 8192 bytes at 264 are past the end" },
		{ ELF(eh.e_flags), 1, 4096, -ENODATA, "but incomplete: elf, 1 of 2 pages missing" },
		{ ELF(ph[1].p_memsz), 4096, 0, -EBADMSG,
		  "phdr 1: 8192 bytes in the file for 4096 of memory" },
		{ ELF(ph[1].p_type), PT_NULL, 0, -EBADMSG, "no PT_LOAD" },
		{ ELF(ph[0].p_type), PT_NULL, 0, -EBADMSG,
		  "0 PT_NOTE, one is to be the first of 2" },
		{ ELF(ph[0].p_filesz), 1 << 16, 0, -EBADMSG,
		  "phdr 0: 65536 bytes at 176 are past the end of the file (8456 bytes)" },
		{ ELF(nh.n_descsz), 65, 0, -EBADMSG, "notes: " },
		{ ELF(eh.e_machine), EM_AARCH64, 0, -EBADMSG, "is not x86_64" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct test_elf elf = elf_make();
		struct verify_result r;
		struct lines l;

		memcpy((u8 *)&elf + t[i].off, &t[i].value, t[i].width);
		assert_int_equal(judge(&elf, sizeof(elf) - t[i].cut, &r, &l), t[i].rc);
		if (!strstr(l.text, t[i].msg))
			fail_msg("\"%s\" is not in \"%s\"", t[i].msg, l.text);
	}
}

/* The same file in a flattened stream, whole and cut. */
static void test_elf_flat(void **state)
{
	const struct test_flat_piece p[] = { { 4096, sizeof(struct test_elf) - 4096 },
					     { 0, 4096 } };
	struct test_elf elf = elf_make();
	struct verify_result r;
	struct lines l;
	size_t size;
	u8 *flat = test_flatten((u8 *)&elf, p, 2, &size);

	(void)state;
	assert_int_equal(judge(flat, size, &r, &l), 0);
	assert_string_equal(l.text, "sound: elf-flattened, 2 pages");
	assert_int_equal(judge(flat, size - 16, &r, &l), -EBADMSG);
	assert_string_equal(l.text, "flattened stream ends early, but is not marked incomplete\n"
				    "not sound: 1 problem");
	free(flat);
	elf.eh.e_flags = 1;
	flat = test_flatten((u8 *)&elf, p, 2, &size);
	assert_int_equal(judge(flat, size - 16, &r, &l), -ENODATA);
	assert_string_equal(l.text, "sound as far as it goes, but incomplete: elf-flattened, 0 of "
				    "2 pages missing, and those never written, which read as "
				    "zeros");
	free(flat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf),
		cmocka_unit_test(test_elf_flat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
