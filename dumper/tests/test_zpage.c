/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of zpage.c, judged by zstd. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zstd.h>

#include "../compress.h"
#include "../zpage.h"

#define WORDS (PAGE_SIZE / 8)
#define GUARD 64

static u64 rng = 1;

static u32 draw(u32 below)
{
	rng = rng * 6364136223846793005 + 1442695040888963407;
	return (u32)((rng >> 33) % below);
}

static void fill_random(u8 *p, size_t n)
{
	while (n--)
		*p++ = (u8)draw(256);
}

/* The frame's size at this cap, or 0; the frame is judged, and what lies behind cap. */
static size_t try_cap(struct zpage *z, const u8 *page, size_t cap)
{
	u8 frame[2 * PAGE_SIZE], out[PAGE_SIZE];
	size_t n;

	memset(frame, 0xa5, sizeof(frame));
	n = zpage_compress(z, page, frame, cap);
	assert_true(n <= cap);
	for (size_t i = cap; i < cap + GUARD; i++)
		assert_int_equal(frame[i], 0xa5);
	if (n) {
		assert_int_equal(ZSTD_getFrameContentSize(frame, n), PAGE_SIZE);
		assert_int_equal(ZSTD_decompress(out, sizeof(out), frame, n), PAGE_SIZE);
		assert_memory_equal(out, page, PAGE_SIZE);
	}
	return n;
}

/* With every step; returns the size with the shortest. The page is copied to where a read beside it
 * is found out. */
static size_t try_page(const u8 *bytes)
{
	static const unsigned steps[] = { PAGE_SIZE, 7, 3, 2, 1 };
	u8 *page = malloc(PAGE_SIZE);
	size_t n = 0;

	assert_non_null(page);
	memcpy(page, bytes, PAGE_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct zpage *z = zpage_open(steps[i]);

		assert_non_null(z);
		n = try_cap(z, page, PAGE_SIZE - 1);
		zpage_close(z);
	}
	free(page);
	return n;
}

/* Every number of literals before a match, and every length of a match: all codes of both. */
static void test_lengths(void **state)
{
	u8 page[PAGE_SIZE];

	(void)state;
	for (size_t n = 1; n < PAGE_SIZE; n += n < 300 ? 1 : 97) {
		fill_random(page, sizeof(page));
		memset(page + n, 0, sizeof(page) - n);
		if (n < PAGE_SIZE - 64)
			assert_in_range(try_page(page), n, n + 40);
		else
			try_page(page);
		/* n bytes twice, and others around them */
		fill_random(page, sizeof(page));
		if (2 * n < PAGE_SIZE - 8)
			memcpy(page + PAGE_SIZE - n - draw(8), page + draw(8), n);
		try_page(page);
	}
}

/* What is found lies every distance back. */
static void test_offsets(void **state)
{
	u8 page[PAGE_SIZE];

	(void)state;
	for (size_t d = 1; d < PAGE_SIZE - 64; d += d < 300 ? 1 : 61) {
		size_t at = PAGE_SIZE - 48;

		fill_random(page, sizeof(page));
		for (size_t i = at; i < at + 40; i++)
			page[i] = page[i - d];
		assert_true(try_page(page) < PAGE_SIZE - 16 || d > PAGE_SIZE - 64);
	}
}

/* Records with addresses, counters and flags, as slabs and the memory map have them. */
static void fill_records(u64 *page, size_t words, unsigned noise)
{
	u64 base = 0xffff888000000000ull + ((u64)draw(1 << 20) << 12);

	for (size_t i = 0; i < WORDS; i++) {
		size_t field = i % words;

		page[i] = field == 0 ? 0x17ffffc0000000ull : base + i / words * 64 * (field % 5);
		if (draw(100) < noise)
			page[i] ^= (u64)draw(256) << 8 * draw(8);
		if (field > 4 && draw(3))
			page[i] = 0;
	}
}

static void test_records(void **state)
{
	u64 page[WORDS];
	size_t zstd = 0, ours = 0;

	(void)state;
	for (unsigned turn = 0; turn < 3000; turn++) {
		u8 frame[PAGE_SIZE * 2];
		size_t n;

		fill_records(page, 2 + draw(30), draw(60));
		n = ZSTD_compress(frame, sizeof(frame), page, PAGE_SIZE, -1);
		assert_false(ZSTD_isError(n));
		zstd += MIN(n, PAGE_SIZE);
		n = try_page((const u8 *)page);
		ours += n ? n : PAGE_SIZE;
	}
	assert_true(ours < zstd + zstd / 10);
}

/* Bytes of few values, in runs: as many sequences as a page can have, and skewed tables. */
static void test_few_values(void **state)
{
	u8 page[PAGE_SIZE];

	(void)state;
	for (unsigned turn = 0; turn < 3000; turn++) {
		u32 values = 1 + draw(20), run = 1 + draw(12);

		for (size_t i = 0; i < PAGE_SIZE;) {
			u8 v = (u8)draw(values);

			for (u32 k = 1 + draw(run); k && i < PAGE_SIZE; k--)
				page[i++] = v;
		}
		try_page(page);
	}
}

/* Pieces of the page itself, copied about. */
static void test_copies(void **state)
{
	u8 page[PAGE_SIZE];

	(void)state;
	for (unsigned turn = 0; turn < 3000; turn++) {
		fill_random(page, sizeof(page));
		for (u32 k = draw(400); k; k--) {
			size_t n = 4 + draw(draw(4) ? 12 : 200);

			memmove(page + draw((u32)(PAGE_SIZE - n)),
				page + draw((u32)(PAGE_SIZE - n)), n);
		}
		try_page(page);
	}
}

static void test_caps(void **state)
{
	struct zpage *z = zpage_open(1);
	u64 page[WORDS];

	(void)state;
	assert_non_null(z);
	for (unsigned turn = 0; turn < 4; turn++) {
		size_t n;

		fill_records(page, 8, 20 * turn);
		n = try_cap(z, (const u8 *)page, PAGE_SIZE - 1);
		assert_true(n);
		for (size_t cap = 0; cap < PAGE_SIZE; cap++) {
			size_t got = try_cap(z, (const u8 *)page, cap);

			assert_true(got == 0 || got == n);
			assert_true(got == n || cap < n + 16);
		}
	}
	zpage_close(z);
}

static void test_nothing_twice(void **state)
{
	u8 page[PAGE_SIZE];

	(void)state;
	fill_random(page, sizeof(page));
	assert_int_equal(try_page(page), 0);
}

/* A few matches of any length: the format's own tables, their rarest codes too. */
static void test_few_sequences(void **state)
{
	u8 page[PAGE_SIZE];

	(void)state;
	for (unsigned turn = 0; turn < 3000; turn++) {
		size_t at = 16 + draw(600);

		fill_random(page, sizeof(page));
		for (u32 k = 2 + draw(5); k; k--) {
			size_t n = 8 + draw(1u << draw(12)), d = 1 + draw((u32)at);

			for (n = MIN(n, PAGE_SIZE - at); n; n--, at++)
				page[at] = page[at - d];
			at += draw(1u << draw(9)); /* not within MIN(), which draws twice */
			at = MIN(at, PAGE_SIZE);
		}
		try_page(page);
	}
}

/* Tables of the page's own would cost more than they save. */
static void test_two_sequences(void **state)
{
	u8 page[PAGE_SIZE];

	(void)state;
	fill_random(page, sizeof(page));
	memcpy(page + 40, page + 5, 20); /* where every byte is still looked at */
	memcpy(page + 80, page + 1, 30);
	/* heads of 10 and 2 bytes and the literals; 2 and 11 of the sequences */
	assert_in_range(try_page(page), 1, 10 + 2 + PAGE_SIZE - 20 - 30 + 2 + 11);
}

/* A cap above a page's size makes no block that is larger than its window. */
static void test_large_cap(void **state)
{
	struct zpage *z = zpage_open(1);
	u8 page[PAGE_SIZE];

	(void)state;
	assert_non_null(z);
	fill_random(page, sizeof(page));
	memcpy(page + 2000, page, 7);
	assert_int_equal(try_cap(z, page, PAGE_SIZE + PAGE_SIZE / 2), 0);
	zpage_close(z);
}

struct changing {
	u8 *bytes;
	size_t n;
	atomic_bool stop;
};

static void *change(void *arg)
{
	struct changing *c = arg;
	volatile u8 *p = c->bytes;

	for (u32 r = 1; !atomic_load(&c->stop);)
		for (size_t i = 0; i < c->n; i++) {
			r = r * 1664525 + 1013904223;
			p[i] ^= r >> 29 == 0;
		}
	return NULL;
}

/* A device still writes to half the page: a frame comes out, and the other half of it is right. */
static void test_changing(void **state)
{
	struct zpage *z = zpage_open(1);
	u8 *page = calloc(1, PAGE_SIZE), frame[PAGE_SIZE], out[PAGE_SIZE];
	struct changing c = { page, PAGE_SIZE / 2, false };
	pthread_t thread;

	(void)state;
	assert_non_null(z);
	assert_non_null(page);
	for (size_t i = c.n; i < PAGE_SIZE; i++)
		page[i] = draw(2);
	assert_int_equal(pthread_create(&thread, NULL, change, &c), 0);
	for (unsigned turn = 0; turn < 1000; turn++) {
		size_t n = zpage_compress(z, page, frame, sizeof(frame));

		assert_true(n);
		assert_int_equal(ZSTD_decompress(out, sizeof(out), frame, n), PAGE_SIZE);
		assert_memory_equal(out + c.n, page + c.n, PAGE_SIZE - c.n);
	}
	atomic_store(&c.stop, true);
	pthread_join(thread, NULL);
	zpage_close(z);
	free(page);
}

/* Three offsets in turn: each is the third last when it comes again, which takes a bit, not ten. */
static void test_three_offsets(void **state)
{
	static const size_t rounds[] = { 2, 3, 5 };
	u8 page[PAGE_SIZE];
	size_t at = 195, literals = at;

	(void)state;
	fill_random(page, sizeof(page));
	/* what was there so many rounds of three before, and a byte of its own */
	for (unsigned i = 0; at + 13 <= PAGE_SIZE; i++, at += 13, literals++)
		memcpy(page + at, page + at - 39 * rounds[i % 3], 12);
	assert_in_range(try_page(page), literals, literals + 280);
}

/* By way of the compressor: text is zstd's, the rest is not, and both open. */
static void test_compressor(void **state)
{
	static const struct {
		int level;
		unsigned step;
	} t[] = { { -1, 1 }, { -2, 2 }, { -3, 3 }, { -4, 3 }, { -5, 4 }, { -131072, PAGE_SIZE } };
	struct compressor *c;
	u8 page[PAGE_SIZE], frame[PAGE_SIZE], out[PAGE_SIZE], ours[PAGE_SIZE];
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct zpage *z = zpage_open(t[i].step);

		assert_non_null(z);
		assert_int_equal(compressor_open(&c, COMPRESS_ZSTD, t[i].level, &e), 0);
		for (unsigned turn = 0; turn < 200; turn++) {
			u64 records[WORDS];
			size_t n, want;

			fill_records(records, 6, 5);
			memcpy(page, records, sizeof(page));
			for (size_t k = 0; turn % 2 && k < PAGE_SIZE; k++)
				page[k] = (u8)("etaoin shrdlu"[draw(13)]);
			n = compressor_page(c, page, frame, sizeof(frame));
			want = zpage_compress(z, page, ours, PAGE_SIZE - 1);
			if (turn % 2 == 0) {
				assert_int_equal(n, want);
				assert_memory_equal(frame, ours, n);
			} else if (t[i].level == -1) {
				assert_true(n && (n < want || !want));
			}
			if (n == 0)
				continue;
			assert_int_equal(ZSTD_decompress(out, sizeof(out), frame, n), PAGE_SIZE);
			assert_memory_equal(out, page, PAGE_SIZE);
		}
		compressor_close(c);
		zpage_close(z);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),	      cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_records),	      cmocka_unit_test(test_few_values),
		cmocka_unit_test(test_copies),	      cmocka_unit_test(test_caps),
		cmocka_unit_test(test_nothing_twice), cmocka_unit_test(test_compressor),
		cmocka_unit_test(test_few_sequences), cmocka_unit_test(test_two_sequences),
		cmocka_unit_test(test_three_offsets), cmocka_unit_test(test_large_cap),
		cmocka_unit_test(test_changing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
