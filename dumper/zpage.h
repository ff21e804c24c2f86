/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zpage.h - a zstd frame of one page, made for speed: as small as zstd's level -1 makes it, in
 * three quarters of the time. A page is small enough for tables of one size, and its literals stay
 * as they are; what is mostly text is better left to zstd, which has a Huffman code for them.
 * In:      a page is PAGE_SIZE bytes, which may change meanwhile.
 * Owns:    a compressor is for one thread, about 25 KiB.
 * Source:  RFC 8878, 3.1.1 (frames and blocks)
 */
#ifndef CRASHPOD_ZPAGE_H
#define CRASHPOD_ZPAGE_H

#include "base/types.h"

struct zpage;

/* step: 1, or more to be faster and find less. NULL: no memory. */
struct zpage *zpage_open(unsigned step);
void zpage_close(struct zpage *z);

/* Writes the frame to dst and returns its size; 0: it might be larger than cap, or
 * than a page. Nothing beyond cap is written. */
size_t zpage_compress(struct zpage *z, const u8 *page, u8 *dst, size_t cap);

#endif
