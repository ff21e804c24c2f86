/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "elf_fmt.h"
#include "verify_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "elf_file.h"
#include "info.h"
#include "source_elf.h"

#define VERIFY_READ_BYTES ((size_t)256 << 10)

static void verify_phdr(struct verify *v, size_t i, const GElf_Phdr *ph, u64 size)
{
	u64 left = ph->p_offset < size ? size - ph->p_offset : 0;

	if (ph->p_type == PT_LOAD) {
		if (ph->p_filesz > ph->p_memsz)
			verify_problem(v,
				       "phdr %zu: %" PRIu64 " bytes in the file for %" PRIu64
				       " of memory",
				       i, ph->p_filesz, ph->p_memsz);
		if (ph->p_paddr > UINT64_MAX - ph->p_memsz)
			verify_problem(v, "phdr %zu: memory at %#" PRIx64 " wraps", i, ph->p_paddr);
	}
	if (ph->p_filesz <= left)
		return;
	if (v->r->incomplete && ph->p_type == PT_LOAD)
		v->r->missing += (ph->p_filesz - left + PAGE_SIZE - 1) / PAGE_SIZE;
	else
		verify_problem(v,
			       "phdr %zu: %" PRIu64 " bytes at %" PRIu64
			       " are past the end of the file (%" PRIu64 " bytes)",
			       i, ph->p_filesz, ph->p_offset, size);
}

static void verify_phdrs(struct verify *v, const struct elf_file *file, u64 size)
{
	size_t n = 0, notes = 0, loads = 0;
	bool note_first = false;
	struct err e = { 0 };
	GElf_Ehdr eh;

	if (!gelf_getehdr(file->elf, &eh) || elf_getphdrnum(file->elf, &n)) {
		verify_problem(v, "ELF header: %s", elf_errmsg(-1));
		return;
	}
	v->r->incomplete = eh.e_flags & ELF_FLAG_INCOMPLETE;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;
		int rc = elf_file_phdr(file, i, &ph, &e);

		if (rc == -ENOMEM)
			verify_unended(v, rc);
		else if (rc)
			verify_problem(v, "%s", e.msg);
		if (rc)
			return;
		notes += ph.p_type == PT_NOTE;
		loads += ph.p_type == PT_LOAD;
		if (i == 0)
			note_first = ph.p_type == PT_NOTE;
		verify_phdr(v, i, &ph, size);
	}
	/* What crash insists on. */
	if (notes != 1 || !note_first)
		verify_problem(v, "ELF header: %zu PT_NOTE, one is to be the first of %zu phdrs",
			       notes, n);
	if (!loads)
		verify_problem(v, "ELF header: no PT_LOAD among %zu phdrs", n);
}

/* Reads the file once from its beginning to its end, wherever its segments lie. */
static void verify_bytes(struct verify *v, const struct fileview *view)
{
	_cleanup_free_ u8 *buf = malloc(VERIFY_READ_BYTES);

	if (!buf) {
		verify_unended(v, -ENOMEM);
		return;
	}
	for (u64 at = 0; at < view->size && verify_pulse(v, at, view->size);) {
		size_t want = MIN(VERIFY_READ_BYTES, view->size - at);
		ssize_t got = fileview_pread(view, buf, want, at);

		if (got == (ssize_t)want) {
			at += want;
			continue;
		}
		if (got < 0)
			verify_problem(v, "read at byte %" PRIu64 ": %s", at, strerror((int)-got));
		else if (!view->cut)
			verify_problem(v, "byte %" PRIu64 ": the file ends early", at + got);
		/* the page in the way is passed over */
		at = align_up(at + MAX(got, 0) + 1, PAGE_SIZE);
	}
}

void verify_elf(struct verify *v, struct source *s)
{
	const struct fileview *view = source_elf_view(s);
	struct err e = { 0 };
	struct elf_file file;
	u64 ram, held;
	int rc;

	rc = elf_file_open(&file, view, &e);
	if (rc == -ENOMEM)
		verify_unended(v, rc);
	else if (rc)
		verify_problem(v, "%s", e.msg);
	if (rc)
		return;
	verify_phdrs(v, &file, view->size);
	elf_file_close(&file);
	verify_cut(v, view, v->r->incomplete);
	if (v->ask.depth == VERIFY_FULL)
		verify_bytes(v, view);
	/* Segments may overlap: pages are counted once. */
	if (info_pages(s, &ram, &held, &e)) {
		verify_problem(v, "%s", e.msg);
	} else {
		v->r->ram = ram;
		v->r->pages = held + v->r->missing;
	}
	v->r->incomplete |= view->cut;
	v->r->hides_missing = v->r->incomplete;
}
