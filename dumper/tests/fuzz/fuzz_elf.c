/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF vmcores: headers, notes, the ranges of memory. The input is the file. */
#include <unistd.h>

#include "../../info.h"
#include "../../notes.h"
#include "fuzz.h"

#define ELF_RAM_MAX ((u64)1 << 40) /* bytes */

/* The iterator stays in the notes, goes on, and agrees with the search. */
static void elf_check_notes(const struct source *s)
{
	struct notes_iter it;
	struct note n, found;
	unsigned prstatus = 0;
	bool seen = false;
	int rc;

	notes_begin(&it, s->notes, s->notes_len);
	for (;;) {
		size_t before = it.off;

		rc = notes_next(&it, &n, NULL);
		if (rc <= 0)
			break;
		FUZZ_CHECK(it.off > before);
		FUZZ_CHECK(n.desc_off <= s->notes_len && n.desc_len <= s->notes_len - n.desc_off);
		FUZZ_CHECK(!n.desc_len || n.desc == s->notes + n.desc_off);
		FUZZ_CHECK(n.name_len <= s->notes_len);
		prstatus += n.type == NOTE_NT_PRSTATUS && note_is(&n, "CORE");
		if (!seen && note_is(&n, "VMCOREINFO")) {
			seen = true;
			FUZZ_CHECK(notes_find(s->notes, s->notes_len, "VMCOREINFO", &found, NULL) ==
				   1);
			FUZZ_CHECK(found.desc_off == n.desc_off && found.desc_len == n.desc_len);
		}
	}
	FUZZ_CHECK(notes_count_prstatus(s->notes, s->notes_len) == prstatus);
}

/* However far apart memory lies, its pages are counted in no time. */
static void elf_check_count(struct source *s)
{
	u64 total = 0, ram = 0, in_file = 0;

	for (size_t i = 0; i < s->nmaps; i++)
		total += MIN(s->maps[i].size, ELF_RAM_MAX);
	/* so much memory takes long, as it does to dump it */
	if (total >= ELF_RAM_MAX)
		return;
	FUZZ_CHECK(info_pages(s, &ram, &in_file, NULL) == 0);
	FUZZ_CHECK(in_file <= ram && ram <= total / PAGE_SIZE + 2 * s->nmaps);
}

static bool elf_open(const char *path, unsigned flags)
{
	struct err e = { 0 };
	struct core *core;

	if (core_open(&core, path, flags, &e)) {
		FUZZ_CHECK(e.code < 0 && e.msg[0]);
		return false;
	}
	FUZZ_CHECK(core->vi || core->why.code < 0);
	FUZZ_CHECK(!core->ki.classify || core->vi);
	elf_check_notes(core->src);
	fuzz_check_source(core->src);
	elf_check_count(core->src);
	core_close(core);
	return true;
}

int FUZZ_TARGET(elf)(const uint8_t *data, size_t size)
{
	struct fuzz_file f;
	bool whole;

	/* other formats have targets of their own */
	if (size < 4 || data[0] != 0x7f)
		return 0;
	fuzz_file_make(&f, data, size);
	whole = elf_open(f.path, 0);
	/* who is content with less gets at least as much */
	FUZZ_CHECK(elf_open(f.path, SOURCE_PARTIAL) || !whole);
	close(f.fd);
	return 0;
}
