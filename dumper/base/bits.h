/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bits.h - bitmaps in 64-bit words: bit n is bit n % 64 of word n / 64, which on a little-endian
 * machine is also bit n % 8 of byte n / 8, as in a kdump file. */
#ifndef CRASHPOD_BITS_H
#define CRASHPOD_BITS_H

#include "types.h"

static inline bool bit_test(const u64 *bits, size_t n)
{
	return bits[n / 64] >> (n % 64) & 1;
}

static inline void bit_set(u64 *bits, size_t n)
{
	bits[n / 64] |= (u64)1 << (n % 64);
}

static inline void bit_clear(u64 *bits, size_t n)
{
	bits[n / 64] &= ~((u64)1 << (n % 64));
}

/* Sets [from, to). */
static inline void bit_set_range(u64 *bits, size_t from, size_t to)
{
	while (from < to) {
		size_t in = from % 64, n = 64 - in;
		u64 mask;

		if (n > to - from)
			n = to - from;
		mask = n == 64 ? ~(u64)0 : (((u64)1 << n) - 1) << in;
		bits[from / 64] |= mask;
		from += n;
	}
}

static inline size_t bit_count(const u64 *bits, size_t words)
{
	size_t count = 0;

	for (size_t i = 0; i < words; i++)
		count += (size_t)__builtin_popcountll(bits[i]);
	return count;
}

/* First bit at or after from (below n) that is set (or clear); n when there is none. */
static inline size_t bit_next(const u64 *bits, size_t n, size_t from, bool set)
{
	while (from < n) {
		u64 word = set ? bits[from / 64] : ~bits[from / 64];

		word &= ~(u64)0 << (from % 64);
		if (word) {
			size_t at = from / 64 * 64 + (size_t)__builtin_ctzll(word);

			return at < n ? at : n;
		}
		from = from / 64 * 64 + 64;
	}
	return n;
}

#endif
