/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pagefile.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define KERNEL_TEXT 0xffffffff80000000ull
#define MAX_PFN (1ull << 32) /* 16 TiB: more is nonsense in a test */

/* kdump, offsets in bytes from the start of the header or the sub header */
enum { H_VERSION = 8, H_STATUS = 424, H_BLOCK = 428, H_SUB = 432, H_BITMAPS = 436, H_MAPNR = 440 };
enum { S_LEVEL = 8, S_MAPNR_64 = 96 };
enum { FLAG_ZLIB = 1, FLAG_INCOMPLETE = 8, FLAG_ZSTD = 0x20 };
enum { DESC_SIZE = 24, GRAIN = 64 /* bytes of a bitmap */ };

#define FAIL(...) (snprintf(why, PAGEFILE_WHY, __VA_ARGS__), -1)

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool inside(const struct pagefile *f, uint64_t off, uint64_t len)
{
	return len <= f->size && off <= f->size - len;
}

static int compare_loads(const void *a, const void *b)
{
	const struct load *x = a, *y = b;

	return (x->pa > y->pa) - (x->pa < y->pa);
}

static int loads_settle(struct loads *l, const char *what, char *why)
{
	qsort(l->v, l->n, sizeof(*l->v), compare_loads);
	for (size_t i = 1; i < l->n; i++) {
		if (l->v[i - 1].pa + l->v[i - 1].mem > l->v[i].pa)
			return FAIL("%s: headers overlap at %#llx", what,
				    (unsigned long long)l->v[i].pa);
	}
	return 0;
}

static int take_load(struct pagefile *f, const Elf64_Phdr *ph, char *why)
{
	struct loads *l = ph->p_vaddr >= KERNEL_TEXT ? &f->text : &f->direct;
	uint64_t end = ph->p_paddr + ph->p_memsz;

	if (ph->p_filesz > ph->p_memsz || !inside(f, ph->p_offset, ph->p_filesz))
		return FAIL("PT_LOAD of %#llx lies outside the file",
			    (unsigned long long)ph->p_paddr);
	if (end < ph->p_paddr || end > MAX_PFN * PAGE || ph->p_memsz == 0)
		return FAIL("PT_LOAD of %#llx+%#llx", (unsigned long long)ph->p_paddr,
			    (unsigned long long)ph->p_memsz);
	l->v[l->n++] = (struct load){ ph->p_offset, ph->p_vaddr, ph->p_paddr, ph->p_filesz,
				      ph->p_memsz };
	if (f->max_pfn < (end + PAGE - 1) / PAGE)
		f->max_pfn = (end + PAGE - 1) / PAGE;
	return 0;
}

static int open_elf(struct pagefile *f, char *why)
{
	Elf64_Ehdr eh;
	Elf64_Shdr sh;
	size_t phnum;

	memcpy(&eh, f->map, sizeof(eh));
	if (eh.e_type != ET_CORE || eh.e_machine != EM_X86_64 ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_phentsize != sizeof(Elf64_Phdr))
		return FAIL("not an ELF core of x86_64");
	phnum = eh.e_phnum;
	if (phnum == PN_XNUM) {
		if (!inside(f, eh.e_shoff, sizeof(sh)))
			return FAIL("the section header with the number of headers is not there");
		memcpy(&sh, f->map + eh.e_shoff, sizeof(sh));
		phnum = sh.sh_info;
	}
	if (!inside(f, eh.e_phoff, phnum * sizeof(Elf64_Phdr)))
		return FAIL("%zu program headers do not fit the file", phnum);
	f->complete = !(eh.e_flags & 1);
	f->level = -1;
	f->direct.v = calloc(phnum + 1, sizeof(struct load));
	f->text.v = calloc(phnum + 1, sizeof(struct load));
	if (!f->direct.v || !f->text.v)
		return FAIL("no memory");
	for (size_t i = 0; i < phnum; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, f->map + eh.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type != (i ? PT_LOAD : PT_NOTE))
			return FAIL("program header %zu is of type %u", i, ph.p_type);
		if (i == 0 && !inside(f, ph.p_offset, ph.p_filesz))
			return FAIL("the notes lie outside the file");
		if (i && take_load(f, &ph, why))
			return -1;
	}
	if (f->direct.n == 0)
		return FAIL("no PT_LOAD of the direct mapping");
	return loads_settle(&f->direct, "direct mapping", why) ||
			       loads_settle(&f->text, "kernel text", why)
		       ? -1
		       : 0;
}

static bool bit(const uint8_t *map, uint64_t n)
{
	return map[n / 8] >> (n % 8) & 1;
}

/* Counts the descriptors before each grain, and sees that the bitmaps make sense. */
static int read_bitmaps(struct pagefile *f, uint64_t bytes, char *why)
{
	uint64_t n = 0;

	f->before = calloc(bytes / GRAIN + 1, sizeof(*f->before));
	if (!f->before)
		return FAIL("no memory");
	for (uint64_t i = 0; i < bytes; i++) {
		if (i % GRAIN == 0)
			f->before[i / GRAIN] = n;
		n += (uint64_t)__builtin_popcount(f->in[i]);
		if (f->in[i] & ~f->ram[i])
			return FAIL("frame %#llx..: in the dump, but not RAM",
				    (unsigned long long)(i * 8));
	}
	for (uint64_t pfn = f->max_pfn; pfn < bytes * 8; pfn++) {
		if (bit(f->ram, pfn))
			return FAIL("frame %#llx lies after the last, %#llx",
				    (unsigned long long)pfn, (unsigned long long)f->max_pfn);
	}
	f->data = f->table + n * DESC_SIZE;
	return f->data <= f->size ? 0 : FAIL("the file ends before its descriptors do");
}

static int open_kdump(struct pagefile *f, char *why)
{
	uint64_t sub, bitmaps, half;

	if (f->size < 2 * PAGE || get32(f->map + H_VERSION) < 6 || get32(f->map + H_BLOCK) != PAGE)
		return FAIL("version %u, blocks of %u bytes", get32(f->map + H_VERSION),
			    get32(f->map + H_BLOCK));
	sub = get32(f->map + H_SUB);
	bitmaps = get32(f->map + H_BITMAPS);
	half = bitmaps / 2 * PAGE;
	f->kdump = true;
	f->complete = !(get32(f->map + H_STATUS) & FLAG_INCOMPLETE);
	f->level = (int)get32(f->map + PAGE + S_LEVEL);
	f->max_pfn = get64(f->map + PAGE + S_MAPNR_64);
	if (f->max_pfn > MAX_PFN || get32(f->map + H_MAPNR) != (uint32_t)f->max_pfn)
		return FAIL("max_mapnr %u and %#llx", get32(f->map + H_MAPNR),
			    (unsigned long long)f->max_pfn);
	if (sub == 0 || bitmaps % 2 || half * 8 < f->max_pfn ||
	    !inside(f, (1 + sub) * PAGE, bitmaps * PAGE))
		return FAIL("%llu blocks of bitmaps after %llu", (unsigned long long)bitmaps,
			    (unsigned long long)sub);
	f->ram = f->map + (1 + sub) * PAGE;
	f->in = f->ram + half;
	f->table = (1 + sub + bitmaps) * PAGE;
	return read_bitmaps(f, half, why);
}

int pagefile_open(struct pagefile *f, const char *path, char *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	*f = (struct pagefile){ .path = path };
	if (fd < 0 || fstat(fd, &st))
		return FAIL("%s", strerror(errno));
	if (st.st_size < (off_t)sizeof(Elf64_Ehdr))
		return FAIL("%lld bytes", (long long)st.st_size);
	f->size = (uint64_t)st.st_size;
	map = mmap(NULL, f->size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return FAIL("mmap: %s", strerror(errno));
	f->map = map;
	if (memcmp(f->map, ELFMAG, SELFMAG) == 0)
		return open_elf(f, why);
	if (memcmp(f->map, "KDUMP   ", 8) == 0)
		return open_kdump(f, why);
	return FAIL("neither ELF nor kdump-compressed");
}

/* The first header that ends after an address. */
static size_t loads_after(const struct loads *l, uint64_t pa)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->v[mid].pa + l->v[mid].mem <= pa)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct load *loads_find(const struct loads *l, uint64_t pa)
{
	size_t i = loads_after(l, pa);

	return i < l->n && l->v[i].pa <= pa ? &l->v[i] : NULL;
}

enum page_state loads_page(const struct pagefile *f, const struct loads *l, struct reader *r,
			   uint64_t pfn, const uint8_t **page)
{
	uint64_t pa = pfn * PAGE, end = pa + PAGE;
	enum page_state state = PAGE_HOLE;

	*page = r->buf;
	for (size_t i = loads_after(l, pa); i < l->n && l->v[i].pa < end; i++) {
		const struct load *v = &l->v[i];
		uint64_t from = v->pa > pa ? v->pa : pa;
		uint64_t to = v->pa + v->file < end ? v->pa + v->file : end;

		if (from == pa && to == end) {
			*page = f->map + v->off + (pa - v->pa);
			return PAGE_IN;
		}
		if (state == PAGE_HOLE) {
			memset(r->buf, 0, PAGE);
			state = PAGE_OUT;
		}
		if (from < to) {
			memcpy(r->buf + (from - pa), f->map + v->off + (from - v->pa), to - from);
			state = PAGE_IN;
		}
	}
	return state;
}

static int unpack(struct reader *r, const uint8_t *data, uint32_t size, uint32_t flags)
{
	char *why = r->why;
	uLongf got = PAGE;
	uLong used = size;
	size_t n;

	switch (flags) {
	case 0:
		if (size != PAGE)
			return FAIL("a raw page of %u bytes", size);
		memcpy(r->buf, data, PAGE);
		return 0;
	case FLAG_ZLIB:
		if (uncompress2(r->buf, &got, data, &used) != Z_OK || got != PAGE || used != size)
			return FAIL("zlib gives %lu bytes of %lu", got, used);
		return 0;
	case FLAG_ZSTD:
		if (!r->zstd)
			r->zstd = ZSTD_createDCtx();
		n = ZSTD_decompressDCtx(r->zstd, r->buf, PAGE, data, size);
		if (n != PAGE)
			return FAIL("zstd: %s",
				    ZSTD_isError(n) ? ZSTD_getErrorName(n) : "a short page");
		return 0;
	default:
		return FAIL("flags %#x", flags);
	}
}

bool pagefile_listed(const struct pagefile *f, uint64_t pfn)
{
	return pfn < f->max_pfn && bit(f->in, pfn);
}

static uint64_t descriptor(const struct pagefile *f, uint64_t pfn)
{
	uint64_t at = pfn / 8 / GRAIN * GRAIN, n = f->before[pfn / 8 / GRAIN];

	for (; at + 8 <= pfn / 8; at += 8)
		n += (uint64_t)__builtin_popcountll(get64(f->in + at));
	for (; at < pfn / 8; at++)
		n += (uint64_t)__builtin_popcount(f->in[at]);
	return n + (uint64_t)__builtin_popcount(f->in[at] & ((1u << pfn % 8) - 1));
}

static enum page_state kdump_page(const struct pagefile *f, struct reader *r, uint64_t pfn)
{
	const uint8_t *d;
	uint64_t off;
	uint32_t size, flags;

	d = f->map + f->table + descriptor(f, pfn) * DESC_SIZE;
	off = get64(d);
	size = get32(d + 8);
	flags = get32(d + 12);
	if (off == 0 && size == 0)
		return PAGE_MISSING;
	snprintf(r->why, sizeof(r->why), "data at %llu+%u, flags %#x, page flags %#llx",
		 (unsigned long long)off, size, flags, (unsigned long long)get64(d + 16));
	if (size == 0 || size > PAGE || off < f->data || !inside(f, off, size) || get64(d + 16))
		return PAGE_BROKEN;
	if (off == r->at)
		return PAGE_IN;
	r->at = 0;
	if (unpack(r, f->map + off, size, flags))
		return PAGE_BROKEN;
	r->at = off;
	return PAGE_IN;
}

enum page_state pagefile_page(const struct pagefile *f, struct reader *r, uint64_t pfn,
			      const uint8_t **page)
{
	if (!f->kdump)
		return loads_page(f, &f->direct, r, pfn, page);
	*page = r->buf;
	if (pfn >= f->max_pfn || !bit(f->ram, pfn))
		return PAGE_HOLE;
	if (bit(f->in, pfn))
		return kdump_page(f, r, pfn);
	memset(r->buf, 0, PAGE);
	r->at = 0;
	return PAGE_OUT;
}

void reader_close(struct reader *r)
{
	ZSTD_freeDCtx(r->zstd);
}
