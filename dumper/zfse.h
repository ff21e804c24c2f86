/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zfse.h - sequences as bits of zstd's format: three tables of a finite state entropy code, one for
 * each kind of number, and the codes by them.
 * Owns:    nothing: a struct zfse is the caller's, for one thread.
 * Source:  RFC 8878, 3.1.1.3.2 (sequences section), 4.1 (FSE), appendix A (the usual tables)
 */
#ifndef CRASHPOD_ZFSE_H
#define CRASHPOD_ZFSE_H

#include "zseq.h"

#define ZFSE_LOG_MAX 7 /* of two: states of a table. A sequence takes 61 bits at most. */

/* How each symbol changes the state: (state + bits) >> 16 low bits of it are written, and what is
 * left of it, plus find, is where the next one is. */
struct zfse_table {
	unsigned log;
	u16 state[1 << ZFSE_LOG_MAX];
	struct {
		u32 bits;
		s32 find;
	} symbol[ZSEQ_CODES_MAX];
};

struct zfse {
	struct zfse_table usual[ZSEQ_KINDS];	    /* the format's */
	u16 usual_cost[ZSEQ_KINDS][ZSEQ_CODES_MAX]; /* of a symbol by those, in 1/16 bit */
	u8 log2[(1 << ZFSE_LOG_MAX) + 1];	    /* of a share of states, in 1/16 */
	struct zfse_table own[ZSEQ_KINDS];	    /* of the page at hand */
};

void zfse_init(struct zfse *f);

/* Writes the sequences section of s, which has sequences, to dst. Returns its end; NULL: there may
 * not be room for it before end, of which nothing is written over. */
u8 *zfse_sequences(struct zfse *f, const struct zseqs *s, u8 *dst, const u8 *end);

#endif
