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

/* The dead kernel's utsname, or what the vmcoreinfo tells of it. */
static void fill_uts(char uts[KDUMP_UTS_FIELDS][KDUMP_UTS_LEN], const struct core *core)
{
	struct kmem *km = malloc(sizeof(*km));
	u64 va, off;

	if (km && core->vi && vmcoreinfo_symbol(core->vi, "init_uts_ns", &va) == 0 &&
	    vmcoreinfo_offset(core->vi, "uts_namespace.name", &off) == 0 &&
	    kmem_open(km, core, NULL) == 0) {
		kmem_read(km, va + off, uts, (size_t)KDUMP_UTS_FIELDS * KDUMP_UTS_LEN, NULL);
		kmem_close(km);
	}
	free(km);
	for (size_t i = 0; i < KDUMP_UTS_FIELDS; i++)
		uts[i][KDUMP_UTS_LEN - 1] = '\0';
	/* crash matches the release with its vmlinux and insists on the machine */
	if (core->ki.release[0])
		snprintf(uts[KDUMP_UTS_RELEASE], KDUMP_UTS_LEN, "%.64s", core->ki.release);
	if (strcmp(uts[KDUMP_UTS_MACHINE], "x86_64") != 0)
		snprintf(uts[KDUMP_UTS_MACHINE], KDUMP_UTS_LEN, "x86_64");
	if (!uts[KDUMP_UTS_SYSNAME][0])
		snprintf(uts[KDUMP_UTS_SYSNAME], KDUMP_UTS_LEN, "Linux");
}

static u64 crash_time(const struct core *core)
{
	char text[32];

	if (!core->vi || vmcoreinfo_string(core->vi, "CRASHTIME", text, sizeof(text)))
		return 0;
	return strtoull(text, NULL, 10);
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
