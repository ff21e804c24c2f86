/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "elf_fmt.h"
#include "verify_int.h"

#include <errno.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>

#include "info.h"

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

static void verify_phdrs(struct verify *v, Elf *elf, u64 size)
{
	size_t n = 0, notes = 0, loads = 0;
	bool note_first = false;
	GElf_Ehdr eh;

	if (!gelf_getehdr(elf, &eh) || elf_getphdrnum(elf, &n)) {
		verify_problem(v, "ELF header: %s", elf_errmsg(-1));
		return;
	}
	v->r->incomplete = eh.e_flags & ELF_FLAG_INCOMPLETE;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph)) {
			verify_problem(v, "phdr %zu: %s", i, elf_errmsg(-1));
			return;
		}
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

void verify_elf(struct verify *v, struct source *s)
{
	struct err e = { 0 };
	struct fileview view;
	u64 ram, held;
	Elf *elf;

	elf_version(EV_CURRENT);
	if (fileview_plain(&view, s->fd, &e)) {
		verify_problem(v, "%s", e.msg);
		return;
	}
	elf = elf_begin(s->fd, ELF_C_READ, NULL);
	if (!elf) {
		verify_problem(v, "ELF header: %s", elf_errmsg(-1));
		return;
	}
	verify_phdrs(v, elf, view.size);
	elf_end(elf);
	/* Segments may overlap: pages are counted once. */
	if (info_pages(s, &ram, &held, &e))
		verify_problem(v, "%s", e.msg);
	else
		v->r->pages = held + v->r->missing;
}
