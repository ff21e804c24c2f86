/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdump_page.h - reads one stored page of a kdump file.
 * Memory: decompression contexts (zlib 10 KiB, zstd 160 KiB) are made by kdump_decoder_init(), or
 *         else when the first page needs them. One decoder per thread.
 * Errors: as kdump_file_check(); -EBADMSG: does not decompress to exactly a page; -ENOTSUP: lzo,
 *         snappy or an unknown compression; -EIO and others of the read. */
#ifndef CRASHPOD_KDUMP_PAGE_H
#define CRASHPOD_KDUMP_PAGE_H

#include "kdump_file.h"

struct kdump_decoder {
	void *zstd, *zlib;
	u8 stored[PAGE_SIZE];
};

/* All that reading may need, so that no page is lost for want of memory: -ENOMEM, nothing to free.
 * A decoder that is zeroed works as well. */
int kdump_decoder_init(struct kdump_decoder *dec, struct err *e);
void kdump_decoder_deinit(struct kdump_decoder *dec);

/* As kdump_page_read() judges a descriptor before it reads what that names. */
int kdump_page_check(const struct kdump_file *k, const struct kdump_page_desc *d, struct err *e);

/* page: PAGE_SIZE bytes. */
int kdump_page_read(struct kdump_decoder *dec, const struct kdump_file *k,
		    const struct kdump_page_desc *d, u8 *page, struct err *e);

/* "zlib", "zstd" ... for a descriptor's flags, "none" for a raw page, NULL for unknown bits. */
const char *kdump_compression_name(u32 flags);

#endif
