/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zseq.h - a page as sequences of zstd's format: so many literals, then so many bytes again that
 * lie so far back. zmatch.c finds them, zfse.c encodes them.
 * In:      a page is PAGE_SIZE bytes, which do not change; lengths and offsets are bytes.
 * Source:  RFC 8878, 3.1.1.3.2.1 (codes of lengths and offsets) and 3.1.1.5 (repeated offsets)
 */
#ifndef CRASHPOD_ZSEQ_H
#define CRASHPOD_ZSEQ_H

#include "base/types.h"

#define ZSEQ_MAX (PAGE_SIZE / 4) /* a match is at least four bytes */
#define ZSEQ_HASH_LOG 11

/* The three numbers of a sequence, each with codes of its own, in the format's order. */
enum zseq_kind { ZSEQ_LITERALS, ZSEQ_OFFSET, ZSEQ_MATCH, ZSEQ_KINDS };
#define ZSEQ_CODES_MAX 53

/* extra: the low bits of the three that their codes do not tell, the literals' lowest, then the
 * match's, then the offset's. Within a page they are 32 at most. */
struct zseq {
	u32 extra;
	u8 extra_bits;
	u8 code[ZSEQ_KINDS];
};

struct zseqs {
	size_t n;	 /* sequences */
	size_t literals; /* bytes of them, with those after the last sequence */
	struct zseq seq[ZSEQ_MAX];
	u16 count[ZSEQ_KINDS][ZSEQ_CODES_MAX]; /* how often each code is there */
	u8 literal[PAGE_SIZE + 16];
	u16 at[1 << ZSEQ_HASH_LOG]; /* the last place with such a hash of what follows it */
};

/* Finds the sequences of a page. step: how far it goes on where nothing is found, 1 or more bytes;
 * the more, the faster, and the less is found. */
void zmatch_page(struct zseqs *s, const u8 *page, unsigned step);

#endif
