/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pattern.h - known bytes for pages, and where they lie; shared by the programs that plant them.
 *
 * Page i of the class with id c holds 512 words of splitmix64 started at SEED ^ c << 56 ^ i << 32.
 * Units:  addresses are physical, in bytes.
 * Errors: a program of the guest cannot go on: message and exit(1).
 * The other reader of these bytes is oracle/planted.py. */
#ifndef PATTERN_H
#define PATTERN_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define WORDS (PAGE / sizeof(uint64_t))
#define HUGE_BYTES (2u << 20)
#define PM_PRESENT (1ULL << 63)
#define PM_PFN ((1ULL << 55) - 1)

struct kind {
	const char *name;
	unsigned int id; /* part of the pattern's key */
	unsigned int pages;
};

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

static inline uint64_t splitmix_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline void page_fill(void *page, uint64_t seed, const struct kind *c, unsigned int index)
{
	uint64_t state = seed ^ (uint64_t)c->id << 56 ^ (uint64_t)index << 32;
	uint64_t *word = page;

	for (size_t i = 0; i < WORDS; i++)
		word[i] = splitmix_next(&state);
}

static inline int pagemap_open(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("/proc/self/pagemap");
	return fd;
}

/* Where the frame of a page is, or 0: the page is not present. */
static inline uint64_t page_frame(int pagemap, const void *page)
{
	uint64_t entry;
	off_t at = (off_t)((uintptr_t)page / PAGE * sizeof(entry));

	if (pread(pagemap, &entry, sizeof(entry), at) != sizeof(entry))
		die("pagemap");
	return entry & PM_PRESENT ? (entry & PM_PFN) * PAGE : 0;
}

static inline uint64_t page_address(int pagemap, const void *page)
{
	uint64_t address = page_frame(pagemap, page);

	if (!address) {
		fprintf(stderr, "a page is not present\n");
		exit(1);
	}
	return address;
}

static inline void region_record(FILE *out, int pagemap, const struct kind *c, const char *region)
{
	for (unsigned int i = 0; i < c->pages; i++)
		fprintf(out, "%s %u %#" PRIx64 "\n", c->name, i,
			page_address(pagemap, region + (size_t)i * PAGE));
}

static inline char *region_map(const struct kind *c, int advice)
{
	size_t len = (size_t)c->pages * PAGE;
	/* More than the length, so that a part aligned to a huge page is always inside. */
	char *at = mmap(NULL, len + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	at += HUGE_BYTES - (uintptr_t)at % HUGE_BYTES;
	/* khugepaged would move small pages after their address was written down. */
	if (madvise(at, len, advice))
		perror("madvise");
	return at;
}

#endif
