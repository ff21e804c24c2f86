/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compress.h - one page in, one independent frame out.
 * Units:   level: zstd -7..19, zlib 1..9; 0 means the kind's default (1).
 * Owner:   compressor_open() allocates, compressor_close() frees; one per thread. */
#ifndef CRASHPOD_COMPRESS_H
#define CRASHPOD_COMPRESS_H

#include "base/err.h"
#include "base/types.h"

enum compress_kind { COMPRESS_NONE, COMPRESS_ZLIB, COMPRESS_ZSTD };

struct compressor;

int compressor_open(struct compressor **out, enum compress_kind kind, int level, struct err *e);
void compressor_close(struct compressor *c);

/* Compresses one page into dst (cap bytes): the size written, or 0 when the page did not get
 * smaller and is to be stored raw. */
size_t compressor_page(struct compressor *c, const u8 *page, u8 *dst, size_t cap);

/* The flag of a kind in a kdump file's header and page descriptors. */
u32 compress_flag(enum compress_kind kind);

const char *compress_name(enum compress_kind kind);

#endif
