/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdump_file.h - the parts of a kdump-compressed file: headers, notes, bitmaps, page descriptors.
 * In:      hostile; all sizes are checked against the file's before they are used.
 * Units:   offsets and sizes are bytes; a chunk is what one block of a bitmap describes.
 * Memory:  8 bytes for each chunk of 32768 pages (64 KiB for 1 TiB of RAM), and the notes.
 * Errors:  -EINVAL malformed, -ENOTSUP another page size or a part of a split dump, -EIO and others
 * of reads. Threads: immutable once open. */
#ifndef CRASHPOD_KDUMP_FILE_H
#define CRASHPOD_KDUMP_FILE_H

#include "fileview.h"
#include "kdump_fmt.h"

#define KDUMP_CHUNK_PAGES ((u64)PAGE_SIZE * 8)
#define KDUMP_CHUNK_WORDS (PAGE_SIZE / 8)

enum kdump_bitmap { KDUMP_RAM, KDUMP_DUMPED };

struct kdump_file {
	struct fileview view;
	struct kdump_header head;
	struct kdump_sub_header sub;
	u64 max_pfn;
	u64 first_pfn, end_pfn; /* whose pages the file holds: all, or a part of a split dump */
	u64 bitmap[2];		/* offset of each bitmap, by enum kdump_bitmap */
	u64 descs;		/* offset of the descriptors */
	u64 npages;		/* descriptors: bits set in bitmap 2, of those pages */
	u64 data;		/* where page data can begin: the end of the descriptors */
	u64 *before;		/* bits set in bitmap 2 before each chunk */
	u64 nchunks;
	u8 *notes; /* ELF notes; one made of the vmcoreinfo where version 3 has no others */
	size_t notes_len;
	bool partial; /* what is past the end of the file counts as not there */
};

/* Takes over *view, also after an error; kdump_file_close() frees. partial: the descriptors need
 * not all be in the file, and it may be one part of a split dump. */
int kdump_file_open(struct kdump_file **out, const struct fileview *view, bool partial,
		    struct err *e);
void kdump_file_close(struct kdump_file *k);

/* The bits of the n pages (a multiple of 64) from pfn (a multiple of 64); 0 from max_pfn on, and in
 * KDUMP_DUMPED for the pages of another part. */
int kdump_file_bits(const struct kdump_file *k, enum kdump_bitmap which, u64 pfn, size_t n,
		    u64 *words, struct err *e);

/* Reads up to n descriptors from index on; those past the end of the file come as zeros (not
 * there) from a partial or incomplete file. */
int kdump_file_descs(const struct kdump_file *k, u64 index, size_t n, struct kdump_page_desc *d,
		     struct err *e);

/* The descriptor d of that index says that its page is not there; one past the end of the file says
 * nothing. */
bool kdump_file_none(const struct kdump_file *k, u64 index, const struct kdump_page_desc *d);

/* What all descriptors together say. */
struct kdump_file_scan {
	u64 end;	 /* where the page data ends: past the end of a file that was cut */
	u32 compression; /* the flags of pages that are there, together */
};

int kdump_file_scan(const struct kdump_file *k, struct kdump_file_scan *scan, struct err *e);

/* 0; -ENODATA: the page is not there; -EBADMSG: the descriptor makes no sense. */
int kdump_file_check(const struct kdump_file *k, const struct kdump_page_desc *d, struct err *e);

/* The file says so, or a flattened one ends early. A part may be complete as such. */
bool kdump_file_incomplete(const struct kdump_file *k);
bool kdump_file_is_part(const struct kdump_file *k);

#endif
