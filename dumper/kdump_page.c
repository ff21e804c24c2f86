/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kdump_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static int kdump_page_raw(struct kdump_decoder *dec, size_t size, u8 *page, struct err *e)
{
	(void)e;
	memcpy(page, dec->stored, size); /* kdump_file_check() made sure that it is a page */
	return 0;
}

static int kdump_need_zlib(struct kdump_decoder *dec, struct err *e)
{
	z_stream *z;

	if (dec->zlib)
		return 0;
	z = calloc(1, sizeof(*z));
	if (!z || inflateInit(z) != Z_OK) {
		free(z);
		return err_sys(e, -ENOMEM, "zlib");
	}
	dec->zlib = z;
	return 0;
}

static int kdump_need_zstd(struct kdump_decoder *dec, struct err *e)
{
	if (!dec->zstd)
		dec->zstd = ZSTD_createDCtx();
	return dec->zstd ? 0 : err_sys(e, -ENOMEM, "zstd");
}

static int kdump_page_zlib(struct kdump_decoder *dec, size_t size, u8 *page, struct err *e)
{
	z_stream *z;
	int rc = kdump_need_zlib(dec, e);

	if (rc)
		return rc;
	z = dec->zlib;
	inflateReset(z);
	z->next_in = dec->stored;
	z->avail_in = size;
	z->next_out = page;
	z->avail_out = PAGE_SIZE;
	rc = inflate(z, Z_FINISH);
	if (rc == Z_MEM_ERROR)
		return err_sys(e, -ENOMEM, "zlib");
	if (rc != Z_STREAM_END)
		return err_set(e, -EBADMSG, "zlib: %s",
			       z->msg ? z->msg : "data does not end where the page does");
	if (z->avail_out)
		return err_set(e, -EBADMSG, "zlib: page of %zu bytes", PAGE_SIZE - z->avail_out);
	return 0;
}

static int kdump_page_zstd(struct kdump_decoder *dec, size_t size, u8 *page, struct err *e)
{
	size_t got;
	int rc = kdump_need_zstd(dec, e);

	if (rc)
		return rc;
	got = ZSTD_decompressDCtx(dec->zstd, page, PAGE_SIZE, dec->stored, size);
	if (ZSTD_isError(got))
		return err_set(e, -EBADMSG, "zstd: %s", ZSTD_getErrorName(got));
	if (got != PAGE_SIZE)
		return err_set(e, -EBADMSG, "zstd: page of %zu bytes", got);
	return 0;
}

/* Exactly one of the compression bits, or none. */
static const struct kdump_compression {
	u32 flag;
	const char *name;
	int (*decode)(struct kdump_decoder *dec, size_t size, u8 *page, struct err *e);
} kdump_compressions[] = {
	{ 0, "none", kdump_page_raw },		 { KDUMP_ZLIB, "zlib", kdump_page_zlib },
	{ KDUMP_ZSTD, "zstd", kdump_page_zstd }, { KDUMP_LZO, "lzo", NULL },
	{ KDUMP_SNAPPY, "snappy", NULL },
};

static const struct kdump_compression *kdump_compression_find(u32 flags)
{
	for (size_t i = 0; i < ARRAY_SIZE(kdump_compressions); i++)
		if (kdump_compressions[i].flag == flags)
			return &kdump_compressions[i];
	return NULL;
}

const char *kdump_compression_name(u32 flags)
{
	const struct kdump_compression *c = kdump_compression_find(flags);

	return c ? c->name : NULL;
}

int kdump_page_check(const struct kdump_file *k, const struct kdump_page_desc *d, struct err *e)
{
	int rc = kdump_file_check(k, d, e);

	if (rc || kdump_compression_find(d->flags))
		return rc;
	return err_set(e, -ENOTSUP, "unsupported compression: flags %#x", d->flags);
}

int kdump_page_read(struct kdump_decoder *dec, const struct kdump_file *k,
		    const struct kdump_page_desc *d, u8 *page, struct err *e)
{
	const struct kdump_compression *c = kdump_compression_find(d->flags);
	ssize_t got;
	int rc = kdump_page_check(k, d, e);

	if (rc)
		return rc;
	if (!c->decode)
		return err_set(e, -ENOTSUP, "unsupported compression: %s", c->name);
	got = fileview_pread(&k->view, dec->stored, d->size, d->offset);
	if (got < 0)
		return err_sys(e, got, "read %u bytes at %lld", d->size, (long long)d->offset);
	if ((size_t)got != d->size)
		return err_set(e, k->view.cut ? -ENODATA : -EIO, "read %zd of %u bytes at %lld",
			       got, d->size, (long long)d->offset);
	return c->decode(dec, d->size, page, e);
}

int kdump_decoder_init(struct kdump_decoder *dec, struct err *e)
{
	int rc;

	*dec = (struct kdump_decoder){ 0 };
	rc = kdump_need_zlib(dec, e);
	if (rc == 0)
		rc = kdump_need_zstd(dec, e);
	if (rc)
		kdump_decoder_deinit(dec);
	return rc;
}

void kdump_decoder_deinit(struct kdump_decoder *dec)
{
	if (dec->zlib)
		inflateEnd(dec->zlib);
	free(dec->zlib);
	ZSTD_freeDCtx(dec->zstd);
	*dec = (struct kdump_decoder){ 0 };
}
