/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maptmpl.h - compresses pages of the memory map that are equal but for their own address.
 * The struct pages of free memory hold list heads that point at themselves, or at a neighbour a
 * fixed way off: less the address of the page that they lie in, page after page is the same. Such a
 * page is compressed once, into a zstd frame whose literals are stored raw and whose matches hold
 * at any address; the frame of the next one is a copy of it with the bytes of its addresses put in.
 * In:      the pages are hostile: whatever they hold, a frame decompresses to the page it was made
 *          of. Each template is decompressed and compared, at two addresses, before it is used.
 * Memory:  MAPTMPL_MAX templates of about 9 KiB each.
 * Threads: one struct maptmpl a thread.
 * Source:  RFC 8878 (zstd's frames) for where a frame's literals lie */
#ifndef CRASHPOD_MAPTMPL_H
#define CRASHPOD_MAPTMPL_H

#include "base/types.h"

#define MAPTMPL_MAX 16
#define MAPTMPL_FRAME_MAX 1024 /* bytes of a frame; a longer one is not worth a template */
#define MAPTMPL_FIXES_MAX 600  /* bytes of a frame that depend on the address */

struct maptmpl;

struct maptmpl *maptmpl_open(void); /* NULL: no memory */
void maptmpl_close(struct maptmpl *m);

/* page: PAGE_SIZE bytes, aligned to 8, that the dead kernel sees at va (a multiple of PAGE_SIZE).
 * Writes its frame into dst, MAPTMPL_FRAME_MAX bytes, and returns the frame's size; 0: no template
 * fits, and the page is to be compressed as any other. */
size_t maptmpl_page(struct maptmpl *m, const u8 *page, u64 va, u8 *dst);

#endif
