/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zframe.h - the heads of a page's zstd frame and of its blocks.
 * Source:  RFC 8878, 3.1.1.1 (frame header), 3.1.1.2 (blocks) */
#ifndef CRASHPOD_ZFRAME_H
#define CRASHPOD_ZFRAME_H

#include <string.h>

#include "base/types.h"

#define ZFRAME_HEAD 7
#define ZFRAME_BLOCK_HEAD 3

enum zframe_block { ZFRAME_RAW, ZFRAME_RLE, ZFRAME_COMPRESSED };

/* Both return the end of what they write. */
static inline u8 *zframe_begin(u8 *to)
{
	/* the magic; one segment, whose size is 256 more than the two bytes say */
	static const u8 begin[ZFRAME_HEAD] = {
		0x28, 0xb5, 0x2f, 0xfd, 0x60, (PAGE_SIZE - 256) & 0xff, (PAGE_SIZE - 256) >> 8
	};

	memcpy(to, begin, sizeof(begin));
	return to + sizeof(begin);
}

/* bytes: of the block, or of what it stands for (ZFRAME_RLE). */
static inline u8 *zframe_block(u8 *to, enum zframe_block kind, size_t bytes, bool last)
{
	u32 head = (u32)last | (u32)kind << 1 | (u32)bytes << 3;

	to[0] = (u8)head;
	to[1] = (u8)(head >> 8);
	to[2] = (u8)(head >> 16);
	return to + ZFRAME_BLOCK_HEAD;
}

#endif
