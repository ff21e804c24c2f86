/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kdump_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "notes.h"

void kdump_layout_make(struct kdump_layout *l, u64 max_pfn, size_t notes_len)
{
	u64 sub = sizeof(struct kdump_sub_header) + notes_len;

	l->sub_hdr_blocks = (u32)(align_up(sub, PAGE_SIZE) / PAGE_SIZE);
	l->bitmap_bytes = align_up(max_pfn, 8 * PAGE_SIZE) / 8;
	l->bitmap1 = (1 + (u64)l->sub_hdr_blocks) * PAGE_SIZE;
	l->bitmap2 = l->bitmap1 + l->bitmap_bytes;
	l->descs = l->bitmap2 + l->bitmap_bytes;
}

/* Reads utsname at va; false when what is there is none. */
static bool read_uts(struct kmem *km, u64 va, char uts[KDUMP_UTS_FIELDS][KDUMP_UTS_LEN])
{
	char text[KDUMP_UTS_FIELDS * KDUMP_UTS_LEN];

	if (kmem_read(km, va, text, sizeof(text), NULL) || memcmp(text, "Linux", 6) != 0)
		return false;
	memcpy(uts, text, sizeof(text));
	return true;
}

static void find_uts(struct kmem *km, const struct vmcoreinfo *vi,
		     char uts[KDUMP_UTS_FIELDS][KDUMP_UTS_LEN])
{
	/* Kernels before 5.11 do not tell the offset of the name: it came after a reference count,
	 * and later before it (9a56493f6942). */
	static const u64 usual[] = { 4, 0 };
	u64 va, off;

	if (vmcoreinfo_symbol(vi, "init_uts_ns", &va))
		return;
	if (vmcoreinfo_offset(vi, "uts_namespace.name", &off) == 0 && read_uts(km, va + off, uts))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		if (read_uts(km, va + usual[i], uts))
			return;
	}
}

void kdump_header_uts(char uts[KDUMP_UTS_FIELDS][KDUMP_UTS_LEN], const struct core *core)
{
	struct kmem *km = malloc(sizeof(*km));

	if (km && core->vi && kmem_open(km, core, NULL) == 0) {
		find_uts(km, core->vi, uts);
		kmem_close(km);
	}
	free(km);
	for (size_t i = 0; i < KDUMP_UTS_FIELDS; i++)
		uts[i][KDUMP_UTS_LEN - 1] = '\0';
}

/* The dead kernel's utsname, or what the vmcoreinfo tells of it. */
static void fill_uts(char uts[KDUMP_UTS_FIELDS][KDUMP_UTS_LEN], const struct core *core)
{
	kdump_header_uts(uts, core);
	/* crash matches the release with its vmlinux and insists on the machine */
	if (core->ki.release[0])
		snprintf(uts[KDUMP_UTS_RELEASE], KDUMP_UTS_LEN, "%.64s", core->ki.release);
	if (strcmp(uts[KDUMP_UTS_MACHINE], "x86_64") != 0)
		snprintf(uts[KDUMP_UTS_MACHINE], KDUMP_UTS_LEN, "x86_64");
	if (!uts[KDUMP_UTS_SYSNAME][0])
		snprintf(uts[KDUMP_UTS_SYSNAME], KDUMP_UTS_LEN, "Linux");
	/* libkdumpfile takes an empty version for a header it does not know */
	if (!uts[KDUMP_UTS_VERSION][0])
		snprintf(uts[KDUMP_UTS_VERSION], KDUMP_UTS_LEN, "unknown");
}

static u64 crash_time(const struct core *core)
{
	u64 v;

	return core->vi && vmcoreinfo_decimal(core->vi, "CRASHTIME", &v) == 0 ? v : 0;
}

void kdump_header_make(struct kdump_header *h, struct kdump_sub_header *sh, const struct core *core,
		       const struct kdump_layout *l, unsigned level, u32 status)
{
	const struct source *s = core->src;
	struct note n;

	memset(h, 0, sizeof(*h));
	memset(sh, 0, sizeof(*sh));
	memcpy(h->signature, KDUMP_SIGNATURE, KDUMP_SIGNATURE_LEN);
	h->version = KDUMP_VERSION;
	fill_uts(h->uts, core);
	h->time_s = (s64)crash_time(core);
	h->status = status;
	h->block_size = (s32)PAGE_SIZE;
	h->sub_hdr_size = (s32)l->sub_hdr_blocks;
	h->bitmap_blocks = (u32)(2 * l->bitmap_bytes / PAGE_SIZE);
	h->max_mapnr = s->max_pfn > UINT32_MAX ? UINT32_MAX : (u32)s->max_pfn;
	h->nr_cpus = (s32)MAX(notes_count_prstatus(s->notes, s->notes_len), 1);

	sh->phys_base = core->xlat.phys_base;
	sh->dump_level = (s32)level;
	sh->end_pfn = sh->end_pfn_64 = 0;
	sh->max_mapnr_64 = s->max_pfn;
	if (s->notes_len) {
		sh->notes_off = (s64)(PAGE_SIZE + sizeof(*sh));
		sh->notes_size = s->notes_len;
	}
	if (notes_find(s->notes, s->notes_len, "VMCOREINFO", &n, NULL) > 0) {
		sh->vmcoreinfo_off = sh->notes_off + (s64)n.desc_off;
		sh->vmcoreinfo_size = n.desc_len;
	}
}
