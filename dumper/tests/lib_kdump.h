/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib_kdump.h - kdump files for tests, made in memory from a list of pages. */
#ifndef CRASHPOD_TESTS_LIB_KDUMP_H
#define CRASHPOD_TESTS_LIB_KDUMP_H

#include "../kdump_fmt.h"

/* What becomes of a page, beside the compression flags of kdump_fmt.h (0: stored raw). LZO and
 * snappy pages hold bytes that are neither. */
#define TEST_EXCLUDED 0x1000 /* RAM, not in the dump */
#define TEST_MISSING 0x2000  /* in bitmap 2, its descriptor is zeros */

struct test_page {
	u64 pfn; /* ascending */
	u32 how;
	u8 fill;
};

struct test_kdump {
	u8 *buf; /* test_kdump_free() frees */
	size_t len;
	u64 bitmap1, bitmap2, descs, data; /* offsets */
};

/* A sound version 6 file with a VMCOREINFO note. */
struct test_kdump test_kdump_make(u64 max_pfn, const struct test_page *pages, size_t n,
				  const char *vmcoreinfo);
void test_kdump_free(struct test_kdump *t);

/* What page pfn holds: its number, then fill. */
void test_page_bytes(u8 *page, u64 pfn, u8 fill);

/* Overwrites width bytes at off with value. */
void test_patch(struct test_kdump *t, u64 off, size_t width, u64 value);

struct test_flat_piece {
	u64 off, size;
};

/* Flattens buf: one record for each piece, in the order given, then the end mark. *len is its
 * size; the caller frees. */
u8 *test_flatten(const u8 *buf, const struct test_flat_piece *p, size_t n, size_t *len);

/* A file in memory that path names until fd is closed. */
struct test_file {
	int fd;
	char path[32];
};

struct test_file test_file_make(const void *buf, size_t len);

/* Offset in the file and size of a header's field, as test_patch() wants them. */
#define HEAD(field) offsetof(struct kdump_header, field), sizeof(((struct kdump_header *)0)->field)
#define SUB(field)                                            \
	PAGE_SIZE + offsetof(struct kdump_sub_header, field), \
		sizeof(((struct kdump_sub_header *)0)->field)

#endif
