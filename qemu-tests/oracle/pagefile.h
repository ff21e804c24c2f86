/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pagefile.h - a vmcore or a dump (ELF or kdump-compressed) as pages by frame number, read apart
 * from the dumper's code. Strict: what the format forbids is an error, even where a reader of
 * dumps would get by.
 * Units:  pfn and counts in pages of 4096 bytes, the rest in bytes. A u64 bitmap has bit pfn % 64
 *         of word pfn / 64.
 * Errors: 0 or -1 with the reason in a text of PAGEFILE_WHY bytes.
 * Owner:  the file stays mapped until the program ends.
 * Threads: a pagefile does not change once it is open; each thread has a reader of its own. */
#ifndef ORACLE_PAGEFILE_H
#define ORACLE_PAGEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096ull
#define PAGEFILE_WHY 160

/* One PT_LOAD. */
struct load {
	uint64_t off, va, pa, file, mem;
};

/* PT_LOADs sorted by pa that do not overlap. */
struct loads {
	struct load *v;
	size_t n;
};

struct pagefile {
	const char *path;
	const uint8_t *map;
	uint64_t size, max_pfn;
	bool kdump, complete;
	int level; /* kdump: as its header says; ELF: -1 */
	/* ELF: the direct mapping's headers, and those of the mapping of the kernel's text */
	struct loads direct, text;
	/* kdump: the bitmaps, the descriptors, and how many of them come before each
	 * 64 bytes of the bitmap */
	const uint8_t *ram, *in;
	uint64_t table, data, *before;
};

enum page_state {
	PAGE_HOLE, /* not RAM */
	PAGE_OUT,  /* RAM that has no bytes in the file; an ELF dump gives zeros for it */
	PAGE_IN,
	PAGE_MISSING, /* its descriptor says that it could not be written */
	PAGE_BROKEN   /* reader.why says how */
};

/* For one file only: it remembers the page it read last. */
struct reader {
	uint8_t buf[PAGE];
	uint64_t at; /* what buf was decompressed from; 0: nothing */
	void *zstd;
	char why[PAGEFILE_WHY];
};

int pagefile_open(struct pagefile *f, const char *path, char *why);

/* What the file has of a frame; *page is its bytes, of zeros for PAGE_OUT, until the next call. A
 * frame that is RAM only in part has zeros in the rest. */
enum page_state pagefile_page(const struct pagefile *f, struct reader *r, uint64_t pfn,
			      const uint8_t **page);

/* The same by one group of an ELF file's headers. */
enum page_state loads_page(const struct pagefile *f, const struct loads *l, struct reader *r,
			   uint64_t pfn, const uint8_t **page);

/* The header that has a physical address, or NULL. */
const struct load *loads_find(const struct loads *l, uint64_t pa);

/* kdump: whether the page is in the file, from the bitmap alone. */
bool pagefile_listed(const struct pagefile *f, uint64_t pfn);

void reader_close(struct reader *r);

#endif
