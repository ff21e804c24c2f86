/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zmatch.c - finds what a page has twice. Greedy: at each place it looks as far back as the last
 * match did, which in arrays of structures is right most of the time, and at the last place with
 * the same hash. What no branch could foretell is done without one where that can be: a match ends
 * after any number of bytes. */
#include <string.h>

#include "zseq.h"

#define HASH_BYTES 6 /* shorter matches make more sequences, which cost more than they save */
#define READ 8	     /* bytes that are looked at at once */
#define LAST (PAGE_SIZE - READ)
#define LITERALS_COPY 16 /* as few instructions as one */
#define PATIENCE 64	 /* bytes without a match after which the steps become one longer */

/* Where the next goes, and the last three offsets. */
struct put {
	struct zseq *seq;
	u8 *literal;
	u32 offset[3];
};

/* The codes of 16 to 63 literals and of matches of 32 to 127 (less 3), and how many bits follow
 * each code from 16 and 32 on. */
static const u8 literals_code[] = {
	16, 16, 17, 17, 18, 18, 19, 19, 20, 20, 20, 20, 21, 21, 21, 21,
	22, 22, 22, 22, 22, 22, 22, 22, 23, 23, 23, 23, 23, 23, 23, 23,
	24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24
};
static const u8 match_code[] = { 32, 32, 33, 33, 34, 34, 35, 35, 36, 36, 36, 36, 37, 37, 37, 37,
				 38, 38, 38, 38, 38, 38, 38, 38, 39, 39, 39, 39, 39, 39, 39, 39,
				 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40,
				 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41, 41,
				 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42,
				 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42 };
static const u8 literals_bits[] = { 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11 };
static const u8 match_bits[] = { 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11 };

static inline u64 read64(const u8 *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline u32 read32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The number of the highest bit of 1 to 4095. The one instruction for it that every processor has
 * is slow on many. */
static inline unsigned high_bit(u32 v)
{
	static const u8 high[64] = { 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3,
				     4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
				     5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
				     5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 };
	unsigned far = v >= 64 ? 6 : 0;

	return far + high[v >> far];
}

static inline u16 *hashed(struct zseqs *s, u64 v)
{
	const u64 mix = 0x9e3779b97f4a7c15ull;

	return &s->at[(v << (64 - 8 * HASH_BYTES)) * mix >> (64 - ZSEQ_HASH_LOG)];
}

/* How many bytes at a and b are the same; a is before b, and b is LAST or before. */
static inline size_t same_bytes(const u8 *page, size_t a, size_t b)
{
	const size_t start = b;

	do {
		u64 differ = read64(page + a) ^ read64(page + b);

		if (differ)
			return b - start + (size_t)__builtin_ctzll(differ) / 8;
		a += READ;
		b += READ;
	} while (b <= LAST);
	while (b < PAGE_SIZE && page[a] == page[b]) {
		a++;
		b++;
	}
	return b - start;
}

static inline unsigned long_literals(u32 n, u32 *extra, unsigned *bits)
{
	unsigned code = n < 64 ? literals_code[n - 16] : high_bit(n) + 19;

	*bits = literals_bits[code - 16];
	*extra = n & ((1u << *bits) - 1);
	return code;
}

static inline unsigned long_match(u32 n, u32 *extra, unsigned *bits)
{
	unsigned code = n < 128 ? match_code[n - 32] : high_bit(n) + 36;
	unsigned more = match_bits[code - 32];

	*extra |= (n & ((1u << more) - 1)) << *bits;
	*bits += more;
	return code;
}

/* offset: as offset_value() has it. */
static inline void put_sequence(struct zseqs *s, struct put *t, size_t literals, u32 offset,
				size_t match)
{
	struct zseq *q = t->seq++;
	unsigned bits = 0, l = (unsigned)literals, m = (unsigned)match - 3, o = high_bit(offset);
	u32 extra = 0;

	if (l >= 16)
		l = long_literals(l, &extra, &bits);
	if (m >= 32)
		m = long_match(m, &extra, &bits);
	q->extra = extra | (offset ^ 1u << o) << bits;
	q->extra_bits = (u8)(bits + o);
	q->code[ZSEQ_LITERALS] = (u8)l;
	q->code[ZSEQ_OFFSET] = (u8)o;
	q->code[ZSEQ_MATCH] = (u8)m;
	s->count[ZSEQ_LITERALS][l]++;
	s->count[ZSEQ_OFFSET][o]++;
	s->count[ZSEQ_MATCH][m]++;
}

/* The offset as the format has it, 3 more than it is; but 1 to 3 for one of the last three, or,
 * with no literals before the match, 1 and 2 for the second and the third. */
static inline u32 offset_value(u32 *last, u32 offset, bool literals)
{
	u32 v = offset + 3;

	if (offset == last[0] && literals)
		return 1;
	if (offset == last[1]) {
		v = literals ? 2 : 1;
	} else {
		if (offset == last[2])
			v = literals ? 3 : 2;
		last[2] = last[1];
	}
	last[1] = last[0];
	last[0] = offset;
	return v;
}

static inline void put_literals(struct put *t, const u8 *page, size_t at, size_t n)
{
	if (n <= LITERALS_COPY && at + LITERALS_COPY <= PAGE_SIZE)
		memcpy(t->literal, page + at, LITERALS_COPY); /* what is too much is written over */
	else
		memcpy(t->literal, page + at, n);
	t->literal += n;
}

/* The next place from at on that has a match, and *from where; above LAST: none. */
static inline size_t find_match(struct zseqs *s, const u8 *page, size_t at, size_t last,
				unsigned step, size_t *from)
{
	size_t stop = MIN(at + PATIENCE, LAST + 1);

	for (;; at += step) {
		u16 *slot;
		u64 v;

		if (at >= stop) {
			if (at > LAST)
				return at;
			step++;
			stop = MIN(at + PATIENCE, LAST + 1);
		}
		v = read64(page + at);
		*from = at - last;
		if ((u32)v == read32(page + at - last))
			return at;
		slot = hashed(s, v);
		*from = *slot;
		*slot = (u16)at;
		if ((u32)v == read32(page + *from))
			return at;
	}
}

/* Matches with the offset before the last that follow at once, without literals. */
static inline size_t put_alternating(struct zseqs *s, struct put *t, const u8 *page, size_t at)
{
	while (at <= LAST && at >= t->offset[1]) {
		u64 v = read64(page + at);
		size_t n, before = t->offset[1];

		if ((u32)v != read32(page + at - before))
			break;
		n = same_bytes(page, at - before, at);
		*hashed(s, v) = (u16)at;
		put_sequence(s, t, 0, offset_value(t->offset, (u32)before, false), n);
		at += n;
	}
	return at;
}

void zmatch_page(struct zseqs *s, const u8 *page, unsigned step)
{
	struct put t = { s->seq, s->literal, { 1, 4, 8 } };
	size_t done = 0, at = 1;

	memset(s->count, 0, sizeof(s->count));
	memset(s->at, 0, sizeof(s->at));
	while (at <= LAST) {
		size_t from, n;

		at = find_match(s, page, at, t.offset[0], step, &from);
		if (at > LAST)
			break;
		n = same_bytes(page, from, at);
		/* most often there is nothing before it, so that is asked first */
		while (page[from - (from != 0)] == page[at - 1] && from && at > done) {
			from--;
			at--;
			n++;
		}
		put_literals(&t, page, done, at - done);
		put_sequence(s, &t, at - done, offset_value(t.offset, (u32)(at - from), at != done),
			     n);
		at += n;
		if (at <= LAST)
			*hashed(s, read64(page + at - 2)) = (u16)(at - 2);
		done = at = put_alternating(s, &t, page, at);
	}
	put_literals(&t, page, done, PAGE_SIZE - done);
	s->n = (size_t)(t.seq - s->seq);
	s->literals = (size_t)(t.literal - s->literal);
}
