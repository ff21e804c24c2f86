/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zfse_int.h - the tables, between zfse_table.c, which makes them, and zfse.c, which uses them. */
#ifndef CRASHPOD_ZFSE_INT_H
#define CRASHPOD_ZFSE_INT_H

#include <string.h>

#include "zfse.h"

#define ZFSE_LOG_MIN 5
#define ZFSE_TABLE_TEXT_MAX 80 /* bytes of a table's description, with what is written ahead */

/* Bits go in from the low end, 63 at most before they are written. */
struct zfse_bits {
	u64 acc;
	unsigned n;
	u8 *to;
};

static inline void zfse_add(struct zfse_bits *b, u32 value, unsigned n)
{
	b->acc |= (u64)(value & ((1u << n) - 1)) << b->n;
	b->n += n;
}

/* Writes eight bytes, of which those that are whole count. */
static inline void zfse_flush(struct zfse_bits *b)
{
	memcpy(b->to, &b->acc, sizeof(b->acc));
	b->to += b->n / 8;
	b->acc >>= b->n & ~7u;
	b->n &= 7;
}

/* The symbols of one kind that a page has, in their order, and how many of a table's states each
 * gets. */
struct zfse_present {
	unsigned n;
	u8 symbol[ZSEQ_CODES_MAX];
	u16 count[ZSEQ_CODES_MAX];
	s16 share[ZSEQ_CODES_MAX];
};

/* Fills in the shares of 1 << log states, at least one each; total: of the counts. */
void zfse_set_shares(struct zfse_present *p, u32 total, unsigned log);
/* The table of these shares; of one symbol alone, which takes no bits; one of the format's. */
void zfse_make(struct zfse_table *t, const struct zfse_present *p, unsigned log);
void zfse_make_one(struct zfse_table *t, unsigned symbol);
void zfse_make_usual(struct zfse_table *t, u16 *cost, enum zseq_kind k);
/* Writes what a reader needs to make the same table, and returns its end. */
u8 *zfse_describe(u8 *to, const struct zfse_present *p, unsigned log);

#endif
