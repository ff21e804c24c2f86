/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compress.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "kdump_fmt.h"

#define ZLIB_WINDOW_BITS 12 /* one page: a larger window only costs memory */
#define ZLIB_MEM_LEVEL 8
#define DEFAULT_LEVEL 1

struct compressor {
	enum compress_kind kind;
	ZSTD_CCtx *zstd;
	z_stream zlib;
	bool zlib_ready;
};

static int zstd_open(struct compressor *c, int level, struct err *e)
{
	size_t rc;

	c->zstd = ZSTD_createCCtx();
	if (!c->zstd)
		return err_sys(e, -ENOMEM, "zstd context");
	rc = ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, level);
	if (ZSTD_isError(rc))
		return err_set(e, -EINVAL, "zstd level %d: %s", level, ZSTD_getErrorName(rc));
	return 0;
}

static int zlib_open(struct compressor *c, int level, struct err *e)
{
	int rc;

	if (level < 1 || level > 9)
		return err_set(e, -EINVAL, "zlib level %d: not 1 to 9", level);
	rc = deflateInit2(&c->zlib, level, Z_DEFLATED, ZLIB_WINDOW_BITS, ZLIB_MEM_LEVEL,
			  Z_DEFAULT_STRATEGY);
	if (rc != Z_OK)
		return err_set(e, -ENOMEM, "zlib: error %d", rc);
	c->zlib_ready = true;
	return 0;
}

int compressor_open(struct compressor **out, enum compress_kind kind, int level, struct err *e)
{
	struct compressor *c = calloc(1, sizeof(*c));
	int rc = 0;

	if (!c)
		return err_sys(e, -ENOMEM, "compressor");
	c->kind = kind;
	if (level == 0)
		level = DEFAULT_LEVEL;
	if (kind == COMPRESS_ZSTD)
		rc = zstd_open(c, level, e);
	else if (kind == COMPRESS_ZLIB)
		rc = zlib_open(c, level, e);
	if (rc) {
		compressor_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

void compressor_close(struct compressor *c)
{
	if (!c)
		return;
	ZSTD_freeCCtx(c->zstd);
	if (c->zlib_ready)
		deflateEnd(&c->zlib);
	free(c);
}

static size_t zlib_page(struct compressor *c, const u8 *page, u8 *dst, size_t cap)
{
	z_stream *z = &c->zlib;

	if (deflateReset(z) != Z_OK)
		return 0;
	z->next_in = (Bytef *)page;
	z->avail_in = (uInt)PAGE_SIZE;
	z->next_out = dst;
	z->avail_out = (uInt)cap;
	return deflate(z, Z_FINISH) == Z_STREAM_END ? cap - z->avail_out : 0;
}

size_t compressor_page(struct compressor *c, const u8 *page, u8 *dst, size_t cap)
{
	size_t n = 0;

	/* a result that is not smaller than the page is of no use: let the library stop early */
	cap = MIN(cap, PAGE_SIZE - 1);
	if (c->kind == COMPRESS_ZSTD) {
		n = ZSTD_compress2(c->zstd, dst, cap, page, PAGE_SIZE);
		if (ZSTD_isError(n))
			n = 0;
	} else if (c->kind == COMPRESS_ZLIB) {
		n = zlib_page(c, page, dst, cap);
	}
	return n;
}

u32 compress_flag(enum compress_kind kind)
{
	static const u32 flags[] = {
		[COMPRESS_NONE] = 0, [COMPRESS_ZLIB] = KDUMP_ZLIB, [COMPRESS_ZSTD] = KDUMP_ZSTD
	};

	return flags[kind];
}

const char *compress_name(enum compress_kind kind)
{
	static const char *const names[] = {
		[COMPRESS_NONE] = "none", [COMPRESS_ZLIB] = "zlib", [COMPRESS_ZSTD] = "zstd"
	};

	return names[kind];
}
