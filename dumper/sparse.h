/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sparse.h - zstd frames of pages that are zeros but for a few words: hash tables that are nearly
 * empty, fresh page tables. Such a frame needs no compressor: its blocks are runs of one byte, and
 * bytes as they are. A little smaller than what zstd makes of them.
 * In:      a page is PAGE_SIZE bytes, aligned to 8.
 * Source:  RFC 8878, 3.1.1: frame header, raw and RLE blocks */
#ifndef CRASHPOD_SPARSE_H
#define CRASHPOD_SPARSE_H

#include "base/types.h"

#define SPARSE_ISLANDS_MAX 4 /* runs of words that are not zero */
#define SPARSE_WORDS_MAX 8   /* in all of them */
#define SPARSE_FRAME_MAX 128

/* Writes the page's frame into dst, SPARSE_FRAME_MAX bytes, and returns its size; 0: there is more
 * in the page than that, or nothing at all. */
size_t sparse_page(const u8 *page, u8 *dst);

#endif
