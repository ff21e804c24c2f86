/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compress.h"

#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_c_literalCompressionMode */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "kdump_fmt.h"
#include "zpage.h"

#define ZLIB_WINDOW_BITS 12 /* one page: a larger window only costs memory */
#define ZLIB_MEM_LEVEL 8
#define DEFAULT_LEVEL 1

/* zstd takes its tables to be for larger inputs. In one of 10 bits a page finds nearly all that it
 * would find in the usual one, in less time: it is cleared for each page. */
#define ZSTD_WINDOW_LOG 12
#define ZSTD_HASH_LOG 10
#define ZSTD_FAST_MIN_MATCH 6  /* below level 0: fewer sequences, which cost time too */
#define ZSTD_TUNED_LEVEL_MAX 1 /* higher ones are asked for to make dumps small */
/* Bytes of a page that are looked at, and how many of them are to be printable for a Huffman code:
 * at level 1 what is left out costs one percent of size and saves a tenth of the time; below 0 only
 * text is worth it, which half as many tell. */
#define TEXT_SAMPLES 128
#define TEXT_SAMPLES_FAST 64
#define TEXT_SOME 16
#define TEXT_ENOUGH 40

struct compressor {
	enum compress_kind kind;
	ZSTD_CCtx *zstd;
	unsigned text_enough; /* 0: literals are as the level has them */
	unsigned text_samples;
	int literals;	    /* in force, where it is chosen page by page */
	struct zpage *fast; /* up to level 1: what is not text */
	u8 copy[PAGE_SIZE];
	z_stream zlib;
	bool zlib_ready;
};

/* So that a level finds about as much as zstd's does. */
static unsigned fast_step(int level)
{
	unsigned n = level < 0 ? (unsigned)-level : 1;

	return MIN(n - n / 4, (unsigned)PAGE_SIZE);
}

static int zstd_open(struct compressor *c, int level, struct err *e)
{
	size_t rc;

	c->zstd = ZSTD_createCCtx();
	if (!c->zstd)
		return err_sys(e, -ENOMEM, "zstd context");
	rc = ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, level);
	if (ZSTD_isError(rc))
		return err_set(e, -EINVAL, "zstd level %d: %s", level, ZSTD_getErrorName(rc));
	if (level <= ZSTD_TUNED_LEVEL_MAX) {
		/* without these it works as well, more slowly */
		ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_windowLog, ZSTD_WINDOW_LOG);
		ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_hashLog, ZSTD_HASH_LOG);
		if (level < 0)
			ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_minMatch, ZSTD_FAST_MIN_MATCH);
		c->fast = zpage_open(fast_step(level));
	}
	c->text_samples = level < 0 ? TEXT_SAMPLES_FAST : TEXT_SAMPLES;
	c->text_enough = level < 0 ? TEXT_ENOUGH : level <= ZSTD_TUNED_LEVEL_MAX ? TEXT_SOME : 0;
	return 0;
}

/* How much a page looks like text. A Huffman code for the literals takes as long as half the rest
 * of the work, and saves a third of a page of text, but little of others. */
static unsigned page_text(const u8 *page, size_t samples)
{
	const size_t step = PAGE_SIZE / samples;
	unsigned printable = 0;

	/* not the same byte of each word: samples go through them */
	for (size_t i = 0; i < samples; i++)
		printable += page[i * step + i % step] - 0x20u < 0x5f;
	return printable;
}

static size_t zstd_page(struct compressor *c, const u8 *page, u8 *dst, size_t cap)
{
	size_t n;

	if (c->text_enough) {
		int want = page_text(page, c->text_samples) >= c->text_enough ? ZSTD_ps_enable
									      : ZSTD_ps_disable;

		if (want == ZSTD_ps_disable && c->fast)
			return zpage_compress(c->fast, page, dst, cap);
		if (want != c->literals)
			ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_literalCompressionMode, want);
		c->literals = want;
	}
	/* zstd reads a byte more than once, and a device may still write to a mapped page */
	memcpy(c->copy, page, PAGE_SIZE);
	n = ZSTD_compress2(c->zstd, dst, cap, c->copy, PAGE_SIZE);
	return ZSTD_isError(n) ? 0 : n;
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
	zpage_close(c->fast);
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
	if (c->kind == COMPRESS_ZSTD)
		n = zstd_page(c, page, dst, cap);
	else if (c->kind == COMPRESS_ZLIB)
		n = zlib_page(c, page, dst, cap);
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
