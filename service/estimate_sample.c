/* SPDX-License-Identifier: GPL-2.0-or-later */
/* estimate_sample.c - what pages of a class take in a dump: a few of each are read through
 * /proc/kcore and compressed as the dump would. Only pages are read that /proc/iomem calls System
 * RAM and /proc/kpageflags neither poisoned nor offline: never a device.
 * Source: fs/proc/kcore.c: p_paddr is the address of memory that is mapped as it lies, or -1 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/io.h"
#include "compress.h"
#include "dedup.h"
#include "estimate.h"
#include "maptmpl.h"
#include "out.h"
#include "sparse.h"
#include "tree.h"

#define KCORE "/proc/kcore"
#define PHDRS_MAX 4096
#define NO_PA UINT64_MAX
#define MAP_RUN 32
#define DEDUP_ENTRIES 32768		  /* as dedup.h says */
#define KERNEL_TEXT 0xffffffff80000000ull /* what is mapped above is no memory map */
#define MAP_BYTES_MAX ((u64)1 << 40)	  /* nor is what is larger */

/* Bytes of a page, and the part of them that is zeros, as found on idle machines and small ones at
 * work (docs/estimate.md): for where nothing can be sampled. */
static const struct estimate_ratio assumed[PC_COUNT] = {
	[PC_KERNEL] = { .zero = 0.10, .bytes = 900, .compress_ns = 12000 },
	[PC_IMAGE] = { .zero = 0.15, .bytes = 1500, .compress_ns = 15000 },
	[PC_SLAB] = { .zero = 0.02, .bytes = 900, .compress_ns = 12000 },
	[ESTIMATE_EARLY] = { .zero = 0.3, .bytes = 260, .compress_ns = 4000 },
	[PC_NO_MEMMAP] = { .bytes = 4096 },
	[PC_FREE] = { .zero = 0.8, .bytes = 400, .compress_ns = 5000 },
	[PC_CACHE] = { .zero = 0.02, .bytes = 2200, .compress_ns = 15000 },
	[PC_CACHE_PRIVATE] = { .zero = 0.02, .bytes = 2000, .compress_ns = 15000 },
	[PC_USER] = { .zero = 0.1, .bytes = 1500, .compress_ns = 12000 },
};

struct sampler {
	int fd;
	Elf64_Phdr *ph;
	size_t n;
	enum compress_kind kind;
	struct compressor *comp;
	struct maptmpl *tmpl;
	bool elf;
	u8 page[4096] __attribute__((aligned(8)));
	u8 out[4096 + 128];
};

void estimate_sample_assume(struct estimate_sample *s)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->class, assumed, sizeof(assumed));
}

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static int read_phdrs(struct sampler *sm)
{
	Elf64_Ehdr eh;
	ssize_t got = io_pread_full(sm->fd, &eh, sizeof(eh), 0);

	if (got != (ssize_t)sizeof(eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG) ||
	    eh.e_phentsize != sizeof(Elf64_Phdr) || !eh.e_phnum || eh.e_phnum > PHDRS_MAX)
		return got < 0 ? (int)got : -EINVAL;
	sm->n = eh.e_phnum;
	sm->ph = calloc(sm->n, sizeof(*sm->ph));
	if (!sm->ph)
		return -ENOMEM;
	got = io_pread_full(sm->fd, sm->ph, sm->n * sizeof(*sm->ph), eh.e_phoff);
	return got == (ssize_t)(sm->n * sizeof(*sm->ph)) ? 0 : -EIO;
}

static bool read_pa(struct sampler *sm, u64 pa)
{
	for (size_t i = 0; i < sm->n; i++) {
		const Elf64_Phdr *ph = &sm->ph[i];

		if (ph->p_type != PT_LOAD || ph->p_paddr == NO_PA || pa < ph->p_paddr ||
		    ph->p_filesz < PAGE_SIZE || pa - ph->p_paddr > ph->p_filesz - PAGE_SIZE)
			continue;
		return io_pread_full(sm->fd, sm->page, PAGE_SIZE,
				     ph->p_offset + (pa - ph->p_paddr)) == (ssize_t)PAGE_SIZE;
	}
	return false;
}

/* Adds the page that was read to sums. va: of a page of the memory map. */
static void weigh(struct sampler *sm, struct estimate_ratio *r, u64 va)
{
	u64 word, start = now_ns();
	size_t n = 0;

	r->pages++;
	if (page_is_constant(sm->page, &word)) {
		r->zero += word == 0;
		r->bytes += sm->elf && word ? 4096 : 0;
	} else if (sm->elf) {
		r->bytes += 4096;
	} else {
		if (va && sm->tmpl)
			n = maptmpl_page(sm->tmpl, sm->page, va, sm->out);
		if (!n && sm->kind == COMPRESS_ZSTD)
			n = sparse_page(sm->page, sm->out);
		if (!n && sm->comp)
			n = compressor_page(sm->comp, sm->page, sm->out, PAGE_SIZE);
		r->bytes += n ? (double)n : 4096;
	}
	r->filled += !page_is_constant(sm->page, &word);
	r->compress_ns += (double)(now_ns() - start);
}

static void mean(struct estimate_ratio *r)
{
	r->zero /= r->pages;
	r->bytes /= r->pages;
	r->filled /= r->pages;
	r->compress_ns /= r->pages;
}

static void sample_class(struct sampler *sm, struct estimate_sample *s, const u64 *pfns, unsigned n,
			 enum page_class pc)
{
	struct estimate_ratio r = { 0 };

	for (unsigned i = 0; i < n; i++)
		if (read_pa(sm, pfns[i] << PAGE_SHIFT))
			weigh(sm, &r, 0);
	s->pages += r.pages;
	if (r.pages < 8)
		return; /* too few to say anything */
	mean(&r);
	s->class[pc] = r;
}

static bool is_map(const Elf64_Phdr *ph)
{
	return ph->p_type == PT_LOAD && ph->p_paddr == NO_PA && ph->p_vaddr < KERNEL_TEXT &&
	       ph->p_vaddr % PAGE_SIZE == 0 && ph->p_filesz < MAP_BYTES_MAX;
}

/* The memory map where the kernel sees it: templates are made of pages that follow each other. */
static void sample_map(struct sampler *sm, struct estimate_sample *s)
{
	struct estimate_ratio plain = { 0 };
	u64 step;

	for (size_t i = 0; i < sm->n; i++)
		s->map_pages += is_map(&sm->ph[i]) ? sm->ph[i].p_filesz / PAGE_SIZE : 0;
	step = MAX(s->map_pages / (ESTIMATE_MAP_SAMPLE / MAP_RUN), (u64)MAP_RUN);
	for (size_t i = 0; i < sm->n; i++) {
		const Elf64_Phdr *ph = &sm->ph[i];
		u64 pages = is_map(ph) ? ph->p_filesz / PAGE_SIZE : 0;

		for (u64 at = 0; at < pages;
		     at += at % step == MAP_RUN - 1 ? step - MAP_RUN + 1 : 1) {
			u64 off = at * PAGE_SIZE;

			if (io_pread_full(sm->fd, sm->page, PAGE_SIZE, ph->p_offset + off) !=
			    (ssize_t)PAGE_SIZE)
				continue;
			weigh(sm, &s->map, ph->p_vaddr + off);
			weigh(sm, &plain, 0);
		}
	}
	if (!s->map.pages)
		return;
	mean(&s->map);
	mean(&plain);
	s->map_plain = plain.bytes;
	s->pages += s->map.pages;
}

/* The part of each class that is stored once with other pages: a dump looks all but the memory map
 * up, and what comes in an earlier round is what the others share. */
static int scan_repeated(struct sampler *sm, struct estimate_sample *s,
			 const struct estimate_pages *p)
{
	/* hash & ~0xff | class */
	_cleanup_free_ u64 *table = calloc(2 * ESTIMATE_SCAN, sizeof(*table));
	u64 seen[PC_COUNT] = { 0 }, twice[PC_COUNT] = { 0 }, filled[PC_COUNT] = { 0 };
	u64 distinct = 0;
	double found;

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < p->nscan; i++) {
		u8 pc = (u8)p->scan[i], other;
		u64 word, hash;
		size_t at;

		if (!read_pa(sm, p->scan[i] >> 8 << PAGE_SHIFT))
			continue;
		seen[pc]++;
		if (page_is_constant(sm->page, &word))
			continue;
		filled[pc]++;
		hash = dedup_hash(sm->page) | 0x100;
		at = hash >> 20 & (2 * ESTIMATE_SCAN - 1);
		while (table[at] && (table[at] ^ hash) >> 8)
			at = (at + 1) % (2 * ESTIMATE_SCAN);
		other = (u8)table[at];
		if (table[at] && page_class_table[other].round <= page_class_table[pc].round)
			twice[pc]++;
		else if (table[at])
			twice[other]++;
		else
			distinct++;
		if (!table[at] || page_class_table[other].round > page_class_table[pc].round)
			table[at] = (hash & ~(u64)0xff) | pc;
	}
	/* the dump's table forgets */
	found = distinct > DEDUP_ENTRIES ? (double)DEDUP_ENTRIES / (double)distinct : 1;
	for (unsigned pc = 0; pc < PC_COUNT; pc++) {
		struct estimate_ratio *r = &s->class[pc];
		double n = (double)seen[pc], part = n ? (double)filled[pc] / n : 0;

		s->repeated[pc] = n ? found * (double)twice[pc] / n : 0;
		/* all pages are known better than some: few of the free ones hold anything */
		if (n && p->nscan < ESTIMATE_SCAN && r->filled > 0) {
			r->bytes *= part / r->filled;
			r->zero = 1 - part;
			r->filled = part;
		}
	}
	return 0;
}

static int sampler_open(struct sampler *sm, const char *root, const struct conf *conf,
			struct err *e)
{
	static const enum compress_kind kinds[] = {
		[CONF_COMPRESS_NONE] = COMPRESS_NONE,
		[CONF_COMPRESS_ZLIB] = COMPRESS_ZLIB,
		[CONF_COMPRESS_ZSTD] = COMPRESS_ZSTD,
	};
	char path[PATH_MAX];
	int rc = tree_path(path, root, KCORE);

	sm->kind = kinds[conf->compress];
	sm->elf = conf->format == CONF_FORMAT_ELF;
	if (!rc) {
		sm->fd = open(path, O_RDONLY | O_CLOEXEC);
		rc = sm->fd < 0 ? -errno : read_phdrs(sm);
	}
	if (rc)
		return err_sys(e, rc, KCORE);
	if (sm->kind == COMPRESS_ZSTD)
		sm->tmpl = maptmpl_open();
	return compressor_open(&sm->comp, sm->kind, conf->compress_level, e);
}

int estimate_sample_read(struct estimate_sample *s, const char *root,
			 const struct estimate_pages *p, const struct conf *conf, struct err *e)
{
	struct sampler *sm = calloc(1, sizeof(*sm));
	int rc;

	if (!sm)
		return err_sys(e, -ENOMEM, KCORE);
	sm->fd = -1;
	rc = sampler_open(sm, root, conf, e);
	for (unsigned pc = 0; rc == 0 && pc < PC_COUNT; pc++)
		sample_class(sm, s, p->picked[pc], p->npicked[pc], pc);
	if (rc == 0)
		sample_map(sm, s);
	if (rc == 0 && !sm->elf && scan_repeated(sm, s, p))
		rc = err_sys(e, -ENOMEM, KCORE);
	if (rc == 0 && !s->pages)
		rc = err_set(e, -ENODATA, "%s has none of the pages that were picked", KCORE);
	compressor_close(sm->comp);
	maptmpl_close(sm->tmpl);
	if (sm->fd >= 0)
		close(sm->fd);
	free(sm->ph);
	free(sm);
	return rc;
}
