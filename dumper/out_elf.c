/* SPDX-License-Identifier: GPL-2.0-or-later */
/* out_elf.c - the ELF format: notes, then each segment's pages at a place known after pass 1, so
 * that threads write without asking each other. Pages left out are holes, or the part of a segment
 * past p_filesz; readers see zeros there. */
#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "classify.h"
#include "elf_fmt.h"
#include "elf_plan.h"
#include "out.h"

struct out_elf {
	struct out out;
	struct elf_plan plan;
	pthread_mutex_t lock;
	Elf64_Ehdr ehdr;
};

struct out_worker {
	struct out_elf *oe;
	struct out_counts counts;
};

static struct out_elf *elf_of(struct out *o)
{
	return (struct out_elf *)o;
}

static int elf_begin_plan(struct out *o, struct err *e)
{
	struct out_elf *oe = elf_of(o);

	(void)e;
	elf_plan_deinit(&oe->plan);
	/* where holes cannot be written there must be none within a segment */
	elf_plan_init(&oe->plan, o->sink->holes ? ELF_GAP_PAGES : 1);
	return 0;
}

static int elf_plan_chunk(struct out *o, u64 pfn, const u64 *ram, const u64 *keep, struct err *e)
{
	struct out_elf *oe = elf_of(o);
	int rc;

	pthread_mutex_lock(&oe->lock);
	rc = elf_plan_add(&oe->plan, pfn, CHUNK_PAGES, ram, keep);
	pthread_mutex_unlock(&oe->lock);
	return rc ? err_sys(e, rc, "segments of the ELF dump") : 0;
}

/* The direct mapping's address of a segment, from the source's own headers, or from the kernel's
 * tables where the source (a kdump file) has none; 0: not known. */
static u64 direct_va(const struct core *core, u64 pa)
{
	const struct source *s = core->src;

	if (s->nmaps == 0)
		return core->direct_va ? core->direct_va + pa : 0;
	for (size_t i = 0; i < s->nmaps; i++) {
		const struct source_map *m = &s->maps[i];

		if (m->va < XLAT_KERNEL_TEXT && pa >= m->pa && pa - m->pa < m->size)
			return m->va + (pa - m->pa);
	}
	return 0;
}

static Elf64_Phdr load_header(u64 va, u64 pa, u64 off, u64 file, u64 mem)
{
	return (Elf64_Phdr){ .p_type = PT_LOAD,
			     .p_flags = PF_R | PF_W | PF_X,
			     .p_offset = off,
			     .p_vaddr = va,
			     .p_paddr = pa,
			     .p_filesz = file,
			     .p_memsz = mem };
}

/* The kernel's text mapping shows RAM a second time: headers that point at the same bytes of the
 * file. Returns how many there are; ph may be NULL to count. */
static size_t alias_headers(const struct out_elf *oe, Elf64_Phdr *ph)
{
	const struct source *s = oe->out.core->src;
	size_t n = 0;

	for (size_t i = 0; i < s->nmaps; i++) {
		const struct source_map *m = &s->maps[i];

		for (size_t k = 0; m->va >= XLAT_KERNEL_TEXT && k < oe->plan.n; k++) {
			const struct elf_seg *g = &oe->plan.segs[k];
			u64 pa = g->pfn * PAGE_SIZE, from = MAX(pa, m->pa);
			u64 to = MIN(pa + g->mem * PAGE_SIZE, m->pa + m->size);
			u64 skip = from - pa, file = g->file * PAGE_SIZE;

			if (from >= to)
				continue;
			file = file > skip ? MIN(file - skip, to - from) : 0;
			if (ph)
				ph[n] = load_header(m->va + (from - m->pa), from, g->off + skip,
						    file, to - from);
			n++;
		}
	}
	return n;
}

static void fill_ehdr(struct out_elf *oe, size_t phnum)
{
	Elf64_Ehdr *eh = &oe->ehdr;

	memset(eh, 0, sizeof(*eh));
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_ident[EI_VERSION] = EV_CURRENT;
	eh->e_type = ET_CORE;
	eh->e_machine = EM_X86_64;
	eh->e_version = EV_CURRENT;
	eh->e_phoff = sizeof(*eh);
	eh->e_ehsize = sizeof(*eh);
	eh->e_phentsize = sizeof(Elf64_Phdr);
	eh->e_phnum = (Elf64_Half)phnum;
}

static int write_ehdr(struct out_elf *oe, u32 flags, struct err *e)
{
	oe->ehdr.e_flags = flags;
	return sink_pwrite(oe->out.sink, &oe->ehdr, sizeof(oe->ehdr), 0, e);
}

static int write_phdrs(struct out_elf *oe, size_t phnum, struct err *e)
{
	const struct source *s = oe->out.core->src;
	Elf64_Phdr *ph = calloc(phnum, sizeof(*ph));
	u64 notes_off = sizeof(Elf64_Ehdr) + phnum * sizeof(*ph);
	size_t n = 1;
	int rc;

	if (!ph)
		return err_sys(e, -ENOMEM, "%zu program headers", phnum);
	ph[0] = (Elf64_Phdr){ .p_type = PT_NOTE,
			      .p_offset = notes_off,
			      .p_filesz = s->notes_len,
			      .p_memsz = s->notes_len,
			      .p_align = 4 };
	n += alias_headers(oe, ph + n);
	for (size_t i = 0; i < oe->plan.n; i++) {
		const struct elf_seg *g = &oe->plan.segs[i];
		u64 pa = g->pfn * PAGE_SIZE;

		ph[n++] = load_header(direct_va(oe->out.core, pa), pa, g->off, g->file * PAGE_SIZE,
				      g->mem * PAGE_SIZE);
	}
	rc = sink_pwrite(oe->out.sink, ph, phnum * sizeof(*ph), sizeof(Elf64_Ehdr), e);
	free(ph);
	if (rc == 0 && s->notes_len)
		rc = sink_pwrite(oe->out.sink, s->notes, s->notes_len, notes_off, e);
	return rc;
}

static int elf_prepare(struct out *o, u64 kept, struct err *e)
{
	struct out_elf *oe = elf_of(o);
	u64 data, end;
	size_t phnum;
	int rc;

	(void)kept;
	elf_plan_join(&oe->plan);
	phnum = 1 + oe->plan.n + alias_headers(oe, NULL);
	/* a gap that had to grow leaves holes in segments, which a stream cannot have */
	if (phnum >= PN_XNUM || (!o->sink->holes && oe->plan.gap > 1))
		return err_set(e, -E2BIG, "ELF: %zu segments are too many", phnum);
	data = sizeof(Elf64_Ehdr) + phnum * sizeof(Elf64_Phdr) + o->core->src->notes_len;
	data = align_up(data, PAGE_SIZE);
	end = elf_plan_settle(&oe->plan, data);
	rc = o->sink->ops->set_size(o->sink, end, e);
	if (rc == 0)
		rc = o->sink->ops->zero(o->sink, 0, sizeof(Elf64_Ehdr), false, e);
	fill_ehdr(oe, phnum);
	if (rc == 0)
		rc = write_phdrs(oe, phnum, e);
	if (rc == 0 && !o->sink->once)
		rc = write_ehdr(oe, ELF_FLAG_INCOMPLETE, e);
	atomic_store(&o->sink->end, end);
	return rc;
}

static int elf_worker_open(struct out *o, struct out_worker **out, struct err *e)
{
	struct out_worker *w = calloc(1, sizeof(*w));

	if (!w)
		return err_sys(e, -ENOMEM, "worker");
	w->oe = elf_of(o);
	*out = w;
	return 0;
}

static bool is_zero(const u8 *page)
{
	u64 word;

	return page_is_constant(page, &word) && word == 0;
}

/* Where a page lies in the file, or 0: it was left out. */
static u64 page_place(const struct out_elf *oe, u64 pfn)
{
	const struct elf_seg *g = elf_plan_find(&oe->plan, pfn);

	return g && pfn - g->pfn < g->file ? g->off + (pfn - g->pfn) * PAGE_SIZE : 0;
}

static int write_run(struct out_worker *w, u64 off, const u8 *data, size_t n, struct err *e)
{
	int rc = n ? sink_pwrite(w->oe->out.sink, data, n * PAGE_SIZE, off, e) : 0;

	if (rc == 0)
		w->counts.pages += n;
	return rc;
}

/* Zero pages have been left out by pass 1 and may have no place; elsewhere they stay holes where
 * there can be holes. */
static int elf_pages(struct out_worker *w, const struct out_run *r, struct err *e)
{
	const u8 *data = r->data;
	const struct out *o = &w->oe->out;
	size_t n = r->n, run = 0; /* pages before i that wait to be written */
	u64 run_off = 0;
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		u64 off = page_place(w->oe, r->pfn + i);
		bool zero = is_zero(data + i * PAGE_SIZE);

		if (off && !(zero && o->sink->holes)) {
			if (run && off == run_off + run * PAGE_SIZE) {
				run++;
				continue;
			}
			rc = write_run(w, run_off, data + (i - run) * PAGE_SIZE, run, e);
			run_off = off;
			run = 1;
			continue;
		}
		if (!off && !zero)
			w->counts.unplaced++; /* zero in pass 1, and now it is not */
		if (off && !(o->level & LEVEL_ZERO))
			w->counts.pages++;
		rc = write_run(w, run_off, data + (i - run) * PAGE_SIZE, run, e);
		run = 0;
	}
	return rc ? rc : write_run(w, run_off, data + (n - run) * PAGE_SIZE, run, e);
}

static int elf_worker_flush(struct out_worker *w, struct err *e)
{
	(void)w;
	(void)e;
	return 0;
}

static void elf_worker_close(struct out_worker *w, struct out_counts *counts)
{
	counts->pages += w->counts.pages;
	counts->unplaced += w->counts.unplaced;
	free(w);
}

static int elf_finish(struct out *o, bool complete, struct err *e)
{
	int rc = 0;

	/* data before the mark that says it is all there; that it is not waits for nothing */
	if (o->opts->sync && complete)
		rc = o->sink->ops->sync(o->sink, e);
	if (rc == 0)
		rc = write_ehdr(elf_of(o), complete ? 0 : ELF_FLAG_INCOMPLETE, e);
	if (rc == 0 && o->opts->sync)
		rc = o->sink->ops->sync(o->sink, e);
	if (rc && complete && !o->sink->once)
		write_ehdr(elf_of(o), ELF_FLAG_INCOMPLETE, NULL);
	return rc;
}

static void elf_close(struct out *o)
{
	struct out_elf *oe = elf_of(o);

	elf_plan_deinit(&oe->plan);
	pthread_mutex_destroy(&oe->lock);
	free(oe);
}

static const struct out_ops elf_ops = {
	.name = "elf",
	.drops_zero = true,
	.begin = elf_begin_plan,
	.plan = elf_plan_chunk,
	.prepare = elf_prepare,
	.worker_open = elf_worker_open,
	.pages = elf_pages,
	.worker_flush = elf_worker_flush,
	.worker_close = elf_worker_close,
	.finish = elf_finish,
	.close = elf_close,
};

int out_elf_open(struct out **out, const struct core *core, const struct dump_opts *opts,
		 struct sink *sink, struct err *e)
{
	struct out_elf *oe = calloc(1, sizeof(*oe));

	if (!oe)
		return err_sys(e, -ENOMEM, "ELF dump");
	oe->out = (struct out){ &elf_ops, core, opts, sink, out_level(core, opts) };
	pthread_mutex_init(&oe->lock, NULL);
	*out = &oe->out;
	return 0;
}
