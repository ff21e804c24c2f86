/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sha256_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/guard.h"
#include "base/io.h"

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const u32 sha256_words[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static inline u32 rotate(u32 v, unsigned by)
{
	return v >> by | v << (32 - by);
}

static inline u32 big_endian(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

/* One round, in which the eight variables keep their places: the next call names them by one
 * further. w: the last sixteen words of the schedule. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                           \
	do {                                                                                       \
		u32 t = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + \
			sha256_words[(i)] + w[(i) % 16];                                           \
		d += t;                                                                            \
		h = t + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +                           \
		    ((a & b) | (c & (a | b)));                                                     \
	} while (0)

static inline void next_words(u32 w[static 16])
{
#pragma GCC unroll 16
	for (unsigned i = 0; i < 16; i++) {
		u32 old = w[(i + 1) % 16], new = w[(i + 14) % 16];

		w[i] += (rotate(old, 7) ^ rotate(old, 18) ^ old >> 3) + w[(i + 9) % 16] +
			(rotate(new, 17) ^ rotate(new, 19) ^ new >> 10);
	}
}

static void block_add(u32 state[static 8], const u8 *p)
{
	u32 a = state[0], b = state[1], c = state[2], d = state[3];
	u32 e = state[4], f = state[5], g = state[6], h = state[7], w[16];

	for (unsigned i = 0; i < 16; i++)
		w[i] = big_endian(p + 4 * (size_t)i);
	for (unsigned i = 0; i < 64; i += 8) {
		if (i && i % 16 == 0)
			next_words(w);
		ROUND(a, b, c, d, e, f, g, h, i);
		ROUND(h, a, b, c, d, e, f, g, i + 1);
		ROUND(g, h, a, b, c, d, e, f, i + 2);
		ROUND(f, g, h, a, b, c, d, e, i + 3);
		ROUND(e, f, g, h, a, b, c, d, i + 4);
		ROUND(d, e, f, g, h, a, b, c, i + 5);
		ROUND(c, d, e, f, g, h, a, b, i + 6);
		ROUND(b, c, d, e, f, g, h, a, i + 7);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

void sha256_blocks_c(u32 state[static 8], const u8 *p, size_t blocks)
{
	for (; blocks; blocks--, p += SHA256_BLOCK)
		block_add(state, p);
}

void sha256_begin(struct sha256 *s)
{
	static const u32 first[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(s->state, first, sizeof(first));
	s->len = 0;
	s->blocks = sha256_has_ni() ? sha256_blocks_ni : sha256_blocks_c;
}

void sha256_add(struct sha256 *s, const void *data, size_t len)
{
	const u8 *p = data;

	while (len) {
		size_t at = s->len % SHA256_BLOCK, n = MIN(len, SHA256_BLOCK - at);

		if (!at && len >= SHA256_BLOCK) {
			/* whole blocks, where they lie */
			n = len - len % SHA256_BLOCK;
			s->blocks(s->state, p, n / SHA256_BLOCK);
		} else {
			memcpy(s->block + at, p, n);
			if (at + n == SHA256_BLOCK)
				s->blocks(s->state, s->block, 1);
		}
		s->len += n;
		p += n;
		len -= n;
	}
}

void sha256_end(struct sha256 *s, char text[static SHA256_TEXT])
{
	static const u8 pad[64] = { 0x80 };
	u64 bits = s->len * 8;
	u8 length[8];

	for (unsigned i = 0; i < 8; i++)
		length[i] = (u8)(bits >> (56 - 8 * i));
	sha256_add(s, pad, 1 + (119 - s->len % 64) % 64);
	sha256_add(s, length, sizeof(length));
	for (unsigned i = 0; i < 8; i++)
		snprintf(text + 8 * (size_t)i, 9, "%08x", s->state[i]);
}

void sha256_text(char text[static SHA256_TEXT], const void *data, size_t len)
{
	struct sha256 s;

	sha256_begin(&s);
	sha256_add(&s, data, len);
	sha256_end(&s, text);
}

int sha256_file(char text[static SHA256_TEXT], const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	u8 buf[65536];
	struct sha256 s;
	ssize_t n;
	u64 at = 0;

	text[0] = '\0';
	if (fd < 0)
		return -errno;
	sha256_begin(&s);
	while ((n = io_pread_full(fd, buf, sizeof(buf), at)) > 0) {
		sha256_add(&s, buf, (size_t)n);
		at += (u64)n;
	}
	if (n < 0)
		return (int)n;
	sha256_end(&s, text);
	return 0;
}
