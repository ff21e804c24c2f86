/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sparse.h"

#include <string.h>

#include "zframe.h"

#define WORDS (PAGE_SIZE / 8)

/* Words [from, to) of the page, which are not zero. */
struct island {
	u16 from, to;
};

static size_t word_next(const u64 *p, size_t i, bool zero)
{
	while (i < WORDS && (p[i] == 0) != zero)
		i++;
	return i;
}

/* The page's islands, or 0: too many, or none. */
static size_t find_islands(const u64 *p, struct island *land)
{
	size_t n = 0, words = 0;

	for (size_t i = word_next(p, 0, false); i < WORDS;) {
		size_t end = i + 1;

		if (n == SPARSE_ISLANDS_MAX)
			return 0;
		while (end < WORDS && p[end] && words + (end - i) < SPARSE_WORDS_MAX)
			end++;
		words += end - i;
		if (words > SPARSE_WORDS_MAX || (end < WORDS && p[end]))
			return 0;
		land[n++] = (struct island){ (u16)i, (u16)end };
		i = word_next(p, end, false);
	}
	return n;
}

static u8 *put_zeros(u8 *to, size_t words, bool last)
{
	if (words == 0)
		return to;
	to = zframe_block(to, ZFRAME_RLE, words * 8, last);
	*to++ = 0;
	return to;
}

size_t sparse_page(const u8 *page, u8 *dst)
{
	const u64 *p = (const u64 *)(const void *)page;
	struct island land[SPARSE_ISLANDS_MAX];
	size_t n = find_islands(p, land), at = 0;
	u8 *to;

	if (n == 0)
		return 0;
	to = zframe_begin(dst);
	for (size_t i = 0; i < n; i++) {
		size_t bytes = (size_t)(land[i].to - land[i].from) * 8;

		to = put_zeros(to, land[i].from - at, false);
		to = zframe_block(to, ZFRAME_RAW, bytes, land[i].to == WORDS);
		memcpy(to, p + land[i].from, bytes);
		to += bytes;
		at = land[i].to;
	}
	to = put_zeros(to, WORDS - at, true);
	return (size_t)(to - dst);
}
