/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zfse_table.c - the tables of states. */
#include "zfse_int.h"

static const s16 usual_literals[] = { 4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,  1,	2,  2,
				      2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1 };
static const s16 usual_offsets[] = { 1, 1, 1, 1, 1, 1, 2, 2, 2, 1,  1,	1,  1,	1, 1,
				     1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1 };
static const s16 usual_matches[] = { 1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1,  1,  1,  1,  1,  1,  1, 1,
				     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1, 1,
				     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1 };
static const struct {
	const s16 *share;
	unsigned n, log;
} usual[] = {
	[ZSEQ_LITERALS] = { usual_literals, ARRAY_SIZE(usual_literals), 6 },
	[ZSEQ_OFFSET] = { usual_offsets, ARRAY_SIZE(usual_offsets), 5 },
	[ZSEQ_MATCH] = { usual_matches, ARRAY_SIZE(usual_matches), 6 },
};

/* How far the states of a symbol lie apart. */
static unsigned stride(unsigned size)
{
	return (size >> 1) + (size >> 3) + 3;
}

/* share: states of the symbol; total: of those before it. */
static void set_symbol(struct zfse_table *t, unsigned symbol, unsigned share, unsigned total)
{
	/* one with a single state takes as many bits as one with two */
	unsigned most = t->log - (31 - (unsigned)__builtin_clz((share - 1) | 1));

	t->symbol[symbol].bits = (most << 16) - (share << most);
	t->symbol[symbol].find = (s32)total - (s32)share;
}

/* of[i]: the symbol of state i; next: where its states go. */
static void set_states(struct zfse_table *t, const u8 *of, u16 *next)
{
	unsigned size = 1u << t->log;

	for (unsigned i = 0; i < size; i++)
		t->state[next[of[i]]++] = (u16)(size + i);
}

void zfse_make_usual(struct zfse_table *t, u16 *cost, enum zseq_kind k)
{
	const s16 *share = usual[k].share;
	unsigned size = 1u << usual[k].log, at = 0, high = size, total = 0;
	u8 of[1 << ZFSE_LOG_MAX];
	u16 next[ZSEQ_CODES_MAX];

	t->log = usual[k].log;
	/* less than one state: one, at the table's end */
	for (unsigned s = 0; s < usual[k].n; s++)
		if (share[s] < 0)
			of[--high] = (u8)s;
	for (unsigned s = 0; s < usual[k].n; s++) {
		unsigned n = share[s] < 0 ? 1 : (unsigned)share[s];

		for (int i = 0; i < share[s]; i++) {
			of[at] = (u8)s;
			do
				at = (at + stride(size)) & (size - 1);
			while (at >= high);
		}
		next[s] = (u16)total;
		set_symbol(t, s, n, total);
		total += n;
		/* 1, 2, 3 or 4 states */
		cost[s] = (u16)(t->log * 16 - (n == 1 ? 0 : n == 2 ? 16 : n == 3 ? 25 : 32));
	}
	set_states(t, of, next);
}

void zfse_make_one(struct zfse_table *t, unsigned symbol)
{
	t->log = 0;
	t->state[0] = 0;
	t->symbol[symbol].bits = 0;
	t->symbol[symbol].find = 0;
}

void zfse_make(struct zfse_table *t, const struct zfse_present *p, unsigned log)
{
	unsigned size = 1u << log, total = 0, at = 0;
	u8 line[(1 << ZFSE_LOG_MAX) + 8], of[1 << ZFSE_LOG_MAX];
	u16 next[ZSEQ_CODES_MAX];

	t->log = log;
	for (unsigned i = 0; i < p->n; i++) {
		unsigned share = (unsigned)p->share[i];
		u64 eight = i * 0x0101010101010101ull;

		next[i] = (u16)total;
		set_symbol(t, p->symbol[i], share, total);
		/* what is too much is written over */
		for (unsigned k = 0; k < share; k += 8)
			memcpy(line + total + k, &eight, sizeof(eight));
		total += share;
	}
	for (unsigned i = 0; i < size; i++) {
		of[at] = line[i];
		at = (at + stride(size)) & (size - 1);
	}
	set_states(t, of, next);
}

void zfse_set_shares(struct zfse_present *p, u32 total, unsigned log)
{
	const unsigned point = 20;
	u32 scale = (1u << (point + log)) / total;
	int left = 1 << log;
	unsigned most = 0;

	for (unsigned i = 0; i < p->n; i++) {
		u32 share = (p->count[i] * scale + (1u << (point - 1))) >> point;

		p->share[i] = (s16)(share + (share == 0));
		left -= p->share[i];
		most = p->count[i] > p->count[most] ? i : most;
	}
	/* what is missing, or too much, is the most frequent one's, unless that hurts it */
	while (left < 0 && p->share[most] / 4 < -left) {
		for (unsigned i = 0; i < p->n; i++)
			most = p->share[i] > p->share[most] ? i : most;
		p->share[most]--;
		left++;
	}
	p->share[most] = (s16)(p->share[most] + left);
}

u8 *zfse_describe(u8 *to, const struct zfse_present *p, unsigned log)
{
	struct zfse_bits b = { .to = to };
	unsigned bits = log + 1, symbol = 0;
	int left = (1 << log) + 1, limit = 1 << log;

	zfse_add(&b, log - ZFSE_LOG_MIN, 4);
	for (unsigned i = 0; i < p->n; i++) {
		/* a value of as few bits as what can still come allows */
		int value = p->share[i] + 1, most = 2 * limit - 1 - left;
		unsigned zeros = p->symbol[i] - symbol;

		symbol = p->symbol[i] + 1u;
		if (zeros) {
			/* a share of none, then how many more of those */
			zfse_add(&b, 1, 1 < most ? bits - 1 : bits);
			for (zeros--; zeros >= 3; zeros -= 3) {
				zfse_add(&b, 3, 2);
				zfse_flush(&b);
			}
			zfse_add(&b, zeros, 2);
		}
		left -= p->share[i];
		if (value >= limit)
			value += most;
		zfse_add(&b, (u32)value, value < most ? bits - 1 : bits);
		while (left < limit && limit > 1) {
			bits--;
			limit >>= 1;
		}
		zfse_flush(&b);
	}
	return b.to + (b.n > 0);
}
