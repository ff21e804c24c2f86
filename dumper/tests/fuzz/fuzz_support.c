/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../base/bits.h"
#include "../../base/io.h"

#define CHUNK_PAGES 4096u
#define CHUNKS_MAX 64  /* looked at of one source: memory may be said to be anywhere below 2^52 */
#define READS_MAX 2048 /* window_get() calls of one source */

void fuzz_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

u64 fuzz_take(const uint8_t **data, size_t *size, size_t bytes)
{
	size_t n = MIN(bytes, *size);
	u64 v = 0;

	memcpy(&v, *data, n);
	*data += n;
	*size -= n;
	return v;
}

void fuzz_file_make(struct fuzz_file *f, const void *buf, size_t len)
{
	f->fd = memfd_create("fuzz", MFD_CLOEXEC);
	FUZZ_CHECK(f->fd >= 0 && io_write_all(f->fd, buf, len) == 0);
	snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
}

static int mem_bits(struct source *s, u64 pfn, size_t n, u64 *ram, u64 *have, struct err *e)
{
	(void)s;
	(void)e;
	for (size_t i = 0; i < n && pfn + i < FUZZ_MEM_PAGES; i++) {
		bit_set(ram, i);
		bit_set(have, i);
	}
	return 0;
}

static int mem_window_open(struct window *w, struct err *e)
{
	(void)w;
	(void)e;
	return 0;
}

/* In pieces of a page, so that whoever reads has to put them together. */
static int mem_window_get(struct window *w, u64 pa, size_t want, const u8 **p, size_t *got,
			  struct err *e)
{
	struct fuzz_mem *m = w->src->priv;

	m->gets++;
	FUZZ_CHECK(want > 0);
	if (pa >= FUZZ_MEM_SIZE)
		return err_set(e, -ENXIO, "no memory at %#llx", (unsigned long long)pa);
	*p = m->mem + pa;
	*got = MIN(want, PAGE_SIZE - pa % PAGE_SIZE);
	return 0;
}

static void mem_window_close(struct window *w)
{
	(void)w;
}

static const struct source_ops mem_ops = {
	.name = "fuzz",
	.bits = mem_bits,
	.window_open = mem_window_open,
	.window_get = mem_window_get,
	.window_close = mem_window_close,
};

struct fuzz_mem *fuzz_mem_new(const char *vmcoreinfo)
{
	struct fuzz_mem *m = calloc(1, sizeof(*m));

	FUZZ_CHECK(m);
	m->mem = calloc(1, FUZZ_MEM_SIZE);
	FUZZ_CHECK(m->mem);
	m->src = (struct source){ .ops = &mem_ops, .path = "fuzz", .fd = -1, .priv = m };
	m->src.max_pfn = FUZZ_MEM_PAGES;
	m->core.src = &m->src;
	if (vmcoreinfo)
		FUZZ_CHECK(vmcoreinfo_open(&m->core.vi, vmcoreinfo, strlen(vmcoreinfo), NULL) == 0);
	return m;
}

void fuzz_mem_free(struct fuzz_mem *m)
{
	vmcoreinfo_free(m->core.vi);
	free(m->mem);
	free(m);
}

void fuzz_mem_fill(struct fuzz_mem *m, size_t at, const uint8_t *data, size_t size)
{
	if (size)
		memcpy(m->mem + at, data, MIN(size, FUZZ_MEM_SIZE - at));
}

static void put_entry(struct fuzz_mem *m, size_t at, u64 entry)
{
	memcpy(m->mem + at, &entry, sizeof(entry));
}

void fuzz_mem_map(struct fuzz_mem *m)
{
	put_entry(m, FUZZ_TABLES + 511 * 8, (FUZZ_TABLES + PAGE_SIZE) | 1);
	put_entry(m, FUZZ_TABLES + PAGE_SIZE + 510 * 8, (FUZZ_TABLES + 2 * PAGE_SIZE) | 1);
	put_entry(m, FUZZ_TABLES + 2 * PAGE_SIZE, 0x80 | 1);
	m->core.xlat = (struct xlat){ .root_pa = FUZZ_TABLES, .levels = 4 };
}

/* Reads all of it: the sanitizer watches. */
static bool memory_is_there(const u8 *p, size_t len)
{
	u8 copy[PAGE_SIZE];

	memcpy(copy, p, len);
	return memcmp(copy, p, len) == 0;
}

/* What a window gives of a page must agree with what the bits say of it. */
static void check_page(struct window *w, u64 pfn, bool ram, bool have)
{
	bool more = strcmp(w->src->ops->name, "kdump") == 0;

	for (u64 at = 0; at < PAGE_SIZE;) {
		const u8 *p = NULL;
		size_t got = 0;
		int rc = window_get(w, (pfn << PAGE_SHIFT) + at, PAGE_SIZE - at, &p, &got, NULL);

		/* what a kdump file holds of a page that it does not call RAM may be read */
		FUZZ_CHECK(ram || rc == -ENXIO || more);
		if (rc == 0) {
			FUZZ_CHECK((have || more) && p && got >= 1 && got <= PAGE_SIZE - at);
			FUZZ_CHECK(memory_is_there(p, got));
		}
		at += rc ? 512 : got;
	}
}

static void check_chunk(struct source *s, struct window *w, u64 pfn, unsigned *reads)
{
	u64 ram[CHUNK_PAGES / 64] = { 0 }, have[CHUNK_PAGES / 64] = { 0 };

	if (source_bits(s, pfn, CHUNK_PAGES, ram, have, NULL))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(ram); i++)
		FUZZ_CHECK(!(have[i] & ~ram[i]));
	for (size_t i = 0; i < CHUNK_PAGES && *reads < READS_MAX; i++) {
		bool is_ram = bit_test(ram, i);

		FUZZ_CHECK(!is_ram || pfn + i < s->max_pfn);
		/* of what is not memory the first pages are enough */
		if (!is_ram && i >= 64)
			continue;
		check_page(w, pfn + i, is_ram, bit_test(have, i));
		++*reads;
	}
}

void fuzz_check_source(struct source *s)
{
	unsigned reads = 0;
	struct window w;
	u64 pfn = 0;

	FUZZ_CHECK(s->max_pfn > 0 && s->max_pfn <= (u64)1 << 40);
	if (window_open(&w, s, 4 * PAGE_SIZE, NULL))
		return;
	for (unsigned i = 0; i < CHUNKS_MAX && pfn < s->max_pfn; i++) {
		u64 next = source_next_ram(s, pfn);

		FUZZ_CHECK(next >= pfn && next <= s->max_pfn);
		pfn = next / 64 * 64;
		check_chunk(s, &w, pfn, &reads);
		pfn += CHUNK_PAGES;
	}
	/* the end, where sums may wrap */
	check_chunk(s, &w, (s->max_pfn - 1) / 64 * 64, &reads);
	window_close(&w);
}
