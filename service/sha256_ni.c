/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sha256_ni.c - SHA-256 by the instructions that x86 CPUs have for it.
 * Source: Intel SDM, SHA256RNDS2, SHA256MSG1, SHA256MSG2; CPUID leaf 7 EBX bit 29 */
#include "sha256_int.h"

#include <cpuid.h>
#include <immintrin.h>

#define LEAF_7_EBX_SHA (1u << 29)

bool sha256_has_ni(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & LEAF_7_EBX_SHA);
}

#define TARGET __attribute__((target("sha,ssse3,sse4.1")))

/* The next four words of the schedule, from the sixteen before them. */
TARGET static inline __m128i next_words(const __m128i w[static 4], unsigned i)
{
	__m128i a = w[i % 4], b = w[(i + 1) % 4], c = w[(i + 2) % 4], d = w[(i + 3) % 4];

	a = _mm_add_epi32(_mm_sha256msg1_epu32(a, b), _mm_alignr_epi8(d, c, 4));
	return _mm_sha256msg2_epu32(a, d);
}

TARGET static void block_ni(__m128i *abef, __m128i *cdgh, const u8 *p)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i was_abef = *abef, was_cdgh = *cdgh, w[4];

	for (unsigned i = 0; i < 4; i++) {
		w[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * (size_t)i));
		w[i] = _mm_shuffle_epi8(w[i], swap);
	}
#pragma GCC unroll 16
	for (unsigned i = 0; i < 16; i++) {
		const void *k = sha256_words + 4 * (size_t)i;
		__m128i sum = _mm_add_epi32(w[i % 4], _mm_loadu_si128((const __m128i *)k));

		*cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
		*abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0e));
		if (i < 12)
			w[i % 4] = next_words(w, i);
	}
	*abef = _mm_add_epi32(*abef, was_abef);
	*cdgh = _mm_add_epi32(*cdgh, was_cdgh);
}

TARGET void sha256_blocks_ni(u32 state[static 8], const u8 *p, size_t blocks)
{
	/* the instructions take a, b, e, f and c, d, g, h, the first one highest */
	__m128i abef = _mm_set_epi32((int)state[0], (int)state[1], (int)state[4], (int)state[5]);
	__m128i cdgh = _mm_set_epi32((int)state[2], (int)state[3], (int)state[6], (int)state[7]);

	for (; blocks; blocks--, p += SHA256_BLOCK)
		block_ni(&abef, &cdgh, p);
	state[0] = (u32)_mm_extract_epi32(abef, 3);
	state[1] = (u32)_mm_extract_epi32(abef, 2);
	state[4] = (u32)_mm_extract_epi32(abef, 1);
	state[5] = (u32)_mm_extract_epi32(abef, 0);
	state[2] = (u32)_mm_extract_epi32(cdgh, 3);
	state[3] = (u32)_mm_extract_epi32(cdgh, 2);
	state[6] = (u32)_mm_extract_epi32(cdgh, 1);
	state[7] = (u32)_mm_extract_epi32(cdgh, 0);
}
