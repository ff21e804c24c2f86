/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "zpage.h"

#include <stdlib.h>
#include <string.h>

#include "zframe.h"
#include "zfse.h"

#define LITERALS_HEAD_MAX 2
#define LITERALS_SIZE_12 (1 << 2)

struct zpage {
	unsigned step;
	struct zfse fse;
	struct zseqs seqs;
	u8 page[PAGE_SIZE];
};

struct zpage *zpage_open(unsigned step)
{
	struct zpage *z = calloc(1, sizeof(*z));

	if (z) {
		z->step = MAX(step, 1u);
		zfse_init(&z->fse);
	}
	return z;
}

void zpage_close(struct zpage *z)
{
	free(z);
}

/* As they are: their size takes 5 bits or 12. */
static u8 *put_literals(u8 *to, const struct zseqs *s)
{
	if (s->literals < 32) {
		*to++ = (u8)(s->literals << 3);
	} else {
		*to++ = (u8)(LITERALS_SIZE_12 | s->literals << 4);
		*to++ = (u8)(s->literals >> 4);
	}
	memcpy(to, s->literal, s->literals);
	return to + s->literals;
}

size_t zpage_compress(struct zpage *z, const u8 *page, u8 *dst, size_t cap)
{
	struct zseqs *s = &z->seqs;
	u8 *block, *to;

	/* a block is no larger than the window: readers may refuse it */
	cap = MIN(cap, PAGE_SIZE);
	/* Memory that devices still write to changes meanwhile: matches would not be where they
	 * were found, which writes out of bounds, and bytes that did not change could get lost. */
	memcpy(z->page, page, PAGE_SIZE);
	zmatch_page(s, z->page, z->step);
	if (s->n == 0 || ZFRAME_HEAD + ZFRAME_BLOCK_HEAD + LITERALS_HEAD_MAX + s->literals > cap)
		return 0;
	block = zframe_begin(dst);
	to = put_literals(block + ZFRAME_BLOCK_HEAD, s);
	to = zfse_sequences(&z->fse, s, to, dst + cap);
	if (!to)
		return 0;
	zframe_block(block, ZFRAME_COMPRESSED, (size_t)(to - block - ZFRAME_BLOCK_HEAD), true);
	return (size_t)(to - dst);
}
