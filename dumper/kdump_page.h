/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdump_page.h - reads one stored page of a kdump file.
 * Memory: decompression contexts are made when the first page needs them (zlib 40 KiB, zstd
 *         160 KiB). One decoder per thread.
 * Errors: as kdump_file_check(); -EBADMSG: does not decompress to exactly a page; -ENOTSUP: lzo,
 *         snappy or an unknown compression; -EIO and others of the read. */
#ifndef CRASHPOD_KDUMP_PAGE_H
#define CRASHPOD_KDUMP_PAGE_H

#include "kdump_file.h"

struct kdump_decoder {
	void *zstd, *zlib;
	u8 stored[PAGE_SIZE];
};

void kdump_decoder_deinit(struct kdump_decoder *dec);

/* As kdump_page_read() judges a descriptor before it reads what that names. */
int kdump_page_check(const struct kdump_file *k, const struct kdump_page_desc *d, struct err *e);

/* page: PAGE_SIZE bytes. */
int kdump_page_read(struct kdump_decoder *dec, const struct kdump_file *k,
		    const struct kdump_page_desc *d, u8 *page, struct err *e);

/* "zlib", "zstd" ... for a descriptor's flags, "none" for a raw page, NULL for unknown bits. */
const char *kdump_compression_name(u32 flags);

#endif
