/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "zfse.h"

#include "zfse_int.h"

/* How a reader gets a table. */
enum mode { MODE_USUAL, MODE_ONE, MODE_OWN };

static const unsigned symbols[] = {
	[ZSEQ_LITERALS] = 36, [ZSEQ_OFFSET] = 29, [ZSEQ_MATCH] = ZSEQ_CODES_MAX
};

static unsigned high_bit(u32 v)
{
	return 31 - (unsigned)__builtin_clz(v);
}

/* 16 times the logarithm to base 2, to a sixteenth or two. */
static u8 log2_16(u32 v)
{
	unsigned whole = high_bit(v), part = (v << 8 >> whole) - 256;

	return (u8)(whole * 16 + (part * 16 + part * (256 - part) / 47) / 256);
}

void zfse_init(struct zfse *f)
{
	for (unsigned i = 1; i < ARRAY_SIZE(f->log2); i++)
		f->log2[i] = log2_16(i);
	for (unsigned k = 0; k < ZSEQ_KINDS; k++)
		zfse_make_usual(&f->usual[k], f->usual_cost[k], k);
}

static void find_present(struct zfse_present *p, const u16 *count, unsigned n)
{
	unsigned found = 0;

	/* without a branch: none could be foretold */
	for (unsigned s = 0; s < n; s++) {
		p->symbol[found] = (u8)s;
		p->count[found] = count[s];
		found += count[s] != 0;
	}
	p->n = found;
}

static unsigned table_log(u32 total, unsigned present)
{
	unsigned log = MAX(high_bit(total), ZFSE_LOG_MIN + 2u) - 2;

	log = MAX(log, high_bit(present) + 2);
	return MIN(log, (unsigned)ZFSE_LOG_MAX);
}

/* The table for one kind of number, by which it takes the fewest bits; what a reader needs for it
 * goes to *to. */
static const struct zfse_table *choose(struct zfse *f, enum zseq_kind k, const u16 *count,
				       u32 total, u8 **to, enum mode *mode)
{
	struct zfse_table *t = &f->own[k];
	struct zfse_present p;
	u32 usual_cost = 0, cost;
	unsigned log;

	find_present(&p, count, symbols[k]);
	if (p.n == 1) {
		*mode = MODE_ONE;
		*(*to)++ = p.symbol[0];
		zfse_make_one(t, p.symbol[0]);
		return t;
	}
	log = table_log(total, p.n);
	zfse_set_shares(&p, total, log);
	cost = 16 * (8 + p.n * 4); /* of its description, about */
	for (unsigned i = 0; i < p.n; i++) {
		usual_cost += p.count[i] * f->usual_cost[k][p.symbol[i]];
		cost += p.count[i] * (log * 16 - f->log2[p.share[i]]);
	}
	if (usual_cost <= cost) {
		*mode = MODE_USUAL;
		return &f->usual[k];
	}
	*mode = MODE_OWN;
	zfse_make(t, &p, log);
	*to = zfse_describe(*to, &p, log);
	return t;
}

/* Of the symbol that is written first: what a reader ends with, which takes no bits. */
static inline u32 first_state(const struct zfse_table *t, unsigned symbol)
{
	u32 bits = t->symbol[symbol].bits, n = (bits + (1u << 15)) >> 16;

	return t->state[(s32)(((n << 16) - bits) >> n) + t->symbol[symbol].find];
}

static inline u32 next_state(struct zfse_bits *b, const struct zfse_table *t, u32 state,
			     unsigned symbol)
{
	unsigned n = (state + t->symbol[symbol].bits) >> 16;

	zfse_add(b, state, n);
	return t->state[(s32)(state >> n) + t->symbol[symbol].find];
}

/* From the last sequence to the first: readers go the other way. */
static u8 *put_bits(const struct zfse_table *const *t, const struct zseqs *s, u8 *to, const u8 *end)
{
	const struct zseq *q = &s->seq[s->n - 1];
	struct zfse_bits b = { .to = to };
	u32 literals = first_state(t[ZSEQ_LITERALS], q->code[ZSEQ_LITERALS]);
	u32 offset = first_state(t[ZSEQ_OFFSET], q->code[ZSEQ_OFFSET]);
	u32 match = first_state(t[ZSEQ_MATCH], q->code[ZSEQ_MATCH]);

	for (;;) {
		b.acc |= (u64)q->extra << b.n;
		b.n += q->extra_bits;
		/* the last flush, too, may write eight bytes from where this one ends */
		if (end - b.to < (ptrdiff_t)(2 * sizeof(b.acc)))
			return NULL;
		zfse_flush(&b);
		if (q == s->seq)
			break;
		q--;
		offset = next_state(&b, t[ZSEQ_OFFSET], offset, q->code[ZSEQ_OFFSET]);
		match = next_state(&b, t[ZSEQ_MATCH], match, q->code[ZSEQ_MATCH]);
		literals = next_state(&b, t[ZSEQ_LITERALS], literals, q->code[ZSEQ_LITERALS]);
	}
	zfse_add(&b, match, t[ZSEQ_MATCH]->log);
	zfse_add(&b, offset, t[ZSEQ_OFFSET]->log);
	zfse_add(&b, literals, t[ZSEQ_LITERALS]->log);
	zfse_add(&b, 1, 1); /* a reader begins below the highest bit */
	zfse_flush(&b);
	return b.to + (b.n > 0);
}

u8 *zfse_sequences(struct zfse *f, const struct zseqs *s, u8 *dst, const u8 *end)
{
	const struct zfse_table *t[ZSEQ_KINDS];
	enum mode mode[ZSEQ_KINDS];
	u8 head[3 + ZSEQ_KINDS * ZFSE_TABLE_TEXT_MAX], *to = head, *modes;
	ptrdiff_t n;

	if (s->n >= 128)
		*to++ = (u8)((s->n >> 8) + 128);
	*to++ = (u8)s->n;
	modes = to++;
	for (unsigned k = 0; k < ZSEQ_KINDS; k++)
		t[k] = choose(f, k, s->count[k], (u32)s->n, &to, &mode[k]);
	*modes = (u8)(mode[ZSEQ_LITERALS] << 6 | mode[ZSEQ_OFFSET] << 4 | mode[ZSEQ_MATCH] << 2);
	n = to - head;
	if (end - dst < n)
		return NULL;
	memcpy(dst, head, (size_t)n);
	return put_bits(t, s, dst + n, end);
}
