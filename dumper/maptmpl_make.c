/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maptmpl_make.c - the frame of a template. Matches are sought not between bytes but between what
 * the bytes stand for, so that they hold wherever the page lies; zstd then makes a frame of these
 * matches, with the literals as they are. */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_compressSequences(), and literals that stay raw */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/bits.h"
#include "maptmpl_int.h"

/* What a byte stands for. Equal symbols are equal bytes at every address. */
enum {
	SYM_NEAR_1 = 0x100, /* byte 1 of a near word: four bits of the address, four of the word */
	SYM_NEAR = 0x110,   /* bytes 2 to 7 of near words: the address's alone */
	SYM_OTHER = 0x120,  /* words that may be others */
	SYM_FAR = 0x200,    /* bytes 1 to 7 of a far word, which only that address has */
};

/* How far back matches are sought, in bytes, and what one costs, about, in bits: struct pages of 64
 * bytes, of which each fourth has the same lowest byte in its addresses, and two equal words. */
static const struct match_kind {
	u16 back;
	u16 bits;
} kinds[] = { { 256, 6 }, { 64, 7 }, { 8, 7 }, { 128, 9 }, { 512, 9 }, { 1024, 9 } };

#define LITERAL_BITS 8
#define MATCH_MIN 3
#define SEQUENCES_MAX 512
/* Another address, and other words, to try a template with. */
#define ELSEWHERE 0x0123456789a5c000ull
#define OTHER 0x5a3c960fe1d2b487ull

/* Scratch to make templates one after the other. */
struct maptmpl_making {
	ZSTD_CCtx *c;
	ZSTD_DCtx *d;
	u16 sym[PAGE_SIZE];
	u32 bits[PAGE_SIZE + 1]; /* that the rest of the page takes from here on */
	u16 len[PAGE_SIZE];	 /* of the match to take here; 0: a literal */
	u16 back[PAGE_SIZE];
	ZSTD_Sequence seq[SEQUENCES_MAX + 1];
	size_t nseq;
	u64 literals[PAGE_SIZE / 64];
	u64 page[MAPTMPL_WORDS], out[MAPTMPL_WORDS];
	u8 frame[MAPTMPL_FRAME_MAX];
};

/* Fills in the template's words and masks. */
static void describe(struct maptmpl_one *t, const u64 *page, u64 va)
{
	for (size_t i = 0; i < MAPTMPL_WORDS; i++) {
		bool address = maptmpl_is_address(page[i], va);

		t->mask[i] = address ? ~(u64)0 : 0;
		t->word[i] = address ? page[i] - va : page[i];
	}
}

/* From which record on they step evenly, addresses as addresses, and which words may be others. */
static void find_steps(struct maptmpl_one *t)
{
	const size_t last = MAPTMPL_WORDS - MAPTMPL_RECORD;
	size_t i = MAPTMPL_WORDS;

	for (size_t k = 0; k < MAPTMPL_RECORD; k++)
		t->step[k] = t->word[last + k] - t->word[last + k - MAPTMPL_RECORD];
	while (i > MAPTMPL_RECORD &&
	       t->word[i - 1] - t->word[i - 1 - MAPTMPL_RECORD] ==
		       t->step[(i - 1) % MAPTMPL_RECORD] &&
	       t->mask[i - 1] == t->mask[i - 1 - MAPTMPL_RECORD])
		i--;
	/* the record that word i - 1 is of does not follow from the one before it */
	t->even = (i - 1) / MAPTMPL_RECORD;
	for (size_t k = 0; k < MAPTMPL_RECORD; k++) {
		const u64 *next = t->word + MAPTMPL_RECORD;
		bool other = false;

		if (t->even == 0)
			other = !t->mask[k] && !t->step[k] && t->word[k];
		else if (t->even == 1)
			other = t->word[k] + t->step[k] != next[k] ||
				t->mask[k] != t->mask[k + MAPTMPL_RECORD];
		t->care[k] = other ? 0 : ~(u64)0;
	}
}

static void word_symbols(const struct maptmpl_one *t, u16 *sym, size_t i, size_t far)
{
	size_t k = i % MAPTMPL_RECORD;

	for (unsigned b = 0; b < 8; b++) {
		u8 byte = (u8)(t->word[i] >> (8 * b));

		if (maptmpl_is_other(t, i))
			sym[b] = (u16)(SYM_OTHER + k * 8 + b);
		else if (!t->mask[i] || b == 0)
			sym[b] = byte;
		else if (t->word[i] >= PAGE_SIZE)
			sym[b] = (u16)(SYM_FAR + far * 8 + b);
		else
			sym[b] = (u16)(b == 1 ? SYM_NEAR_1 + (byte & 0xfu) : SYM_NEAR + b);
	}
}

/* Equal far words share their symbols. */
static void find_symbols(const struct maptmpl_one *t, u16 *sym)
{
	size_t far = 0;

	for (size_t i = 0; i < MAPTMPL_WORDS; i++) {
		if (t->mask[i] && t->word[i] >= PAGE_SIZE &&
		    !(t->mask[far] && t->word[i] == t->word[far]))
			far = i;
		word_symbols(t, sym + i * 8, i, far);
	}
}

/* Takes a match from p on if that is the cheapest way on from there so far. */
static void take_match(struct maptmpl_making *mk, size_t p, u16 len, const struct match_kind *kind)
{
	u32 bits = mk->bits[p + len] + kind->bits;

	if (bits >= mk->bits[p])
		return;
	mk->bits[p] = bits;
	mk->len[p] = len;
	mk->back[p] = kind->back;
}

/* The cheapest way through the page, from its end backwards. */
static void find_matches(struct maptmpl_making *mk)
{
	u16 run[ARRAY_SIZE(kinds)] = { 0 };

	mk->bits[PAGE_SIZE] = 0;
	for (size_t p = PAGE_SIZE; p-- > 0;) {
		mk->bits[p] = mk->bits[p + 1] + LITERAL_BITS;
		mk->len[p] = 0;
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			size_t back = kinds[k].back;

			if (p < back || mk->sym[p] != mk->sym[p - back])
				run[k] = 0;
			else if (++run[k] >= MATCH_MIN)
				take_match(mk, p, run[k], &kinds[k]);
		}
	}
}

static int list_sequences(struct maptmpl_making *mk)
{
	u32 literals = 0;

	memset(mk->literals, 0, sizeof(mk->literals));
	mk->nseq = 0;
	for (size_t p = 0; p < PAGE_SIZE;) {
		if (mk->len[p] == 0) {
			bit_set(mk->literals, p++);
			literals++;
			continue;
		}
		if (mk->nseq == SEQUENCES_MAX)
			return -E2BIG;
		mk->seq[mk->nseq++] = (ZSTD_Sequence){ .offset = mk->back[p],
						       .litLength = literals,
						       .matchLength = mk->len[p] };
		p += mk->len[p];
		literals = 0;
	}
	if (mk->nseq == 0)
		return -ENOENT;
	/* the end of the block, after its last literals */
	mk->seq[mk->nseq++] = (ZSTD_Sequence){ .litLength = literals };
	return 0;
}

static int make_frame(struct maptmpl_one *t, const struct maptmpl_making *mk, const u64 *page)
{
	size_t n = ZSTD_compressSequences(mk->c, t->frame, sizeof(t->frame), mk->seq, mk->nseq,
					  page, PAGE_SIZE);

	if (ZSTD_isError(n))
		return -EINVAL;
	t->len = n;
	return 0;
}

/* Where the raw literals begin in a frame of one compressed block without a window descriptor; 0:
 * this frame is not so. */
static size_t literals_at(const u8 *f, size_t len, size_t *n)
{
	size_t at = 10;

	/* one segment with two bytes of content size, then a last block, compressed, whose literals
	 * are raw */
	if (len < 16 || (f[4] & 0xe7) != 0x60 || (f[7] & 7) != 5 || (f[10] & 3) != 0)
		return 0;
	switch (f[at] >> 2 & 3) { /* how their number is written */
	case 1:
		*n = (size_t)(f[at] >> 4 | f[at + 1] << 4);
		at += 2;
		break;
	case 3:
		*n = (size_t)(f[at] >> 4 | f[at + 1] << 4 | f[at + 2] << 12);
		at += 3;
		break;
	default:
		*n = f[at] >> 3;
		at++;
	}
	return *n <= len - at ? at : 0;
}

/* Lists the literals that depend on the address. */
static int list_fixes(struct maptmpl_one *t, const struct maptmpl_making *mk)
{
	size_t n = 0, at = literals_at(t->frame, t->len, &n);

	t->nfix = 0;
	if (at == 0 || n != bit_count(mk->literals, ARRAY_SIZE(mk->literals)))
		return -EINVAL;
	for (size_t p = bit_next(mk->literals, PAGE_SIZE, 0, true); p < PAGE_SIZE;
	     p = bit_next(mk->literals, PAGE_SIZE, p + 1, true)) {
		if (mk->sym[p] >= SYM_NEAR_1) {
			if (t->nfix == MAPTMPL_FIXES_MAX)
				return -E2BIG;
			t->fix[t->nfix++] = (struct maptmpl_fix){ (u16)at, (u16)p };
		}
		at++;
	}
	return 0;
}

/* Whether the template's frame at an address decompresses to the page that it describes there, with
 * other words where there may be others. */
static bool try_at(const struct maptmpl_one *t, struct maptmpl_making *mk, u64 va, u64 other)
{
	for (size_t i = 0; i < MAPTMPL_WORDS; i++)
		mk->page[i] = (t->word[i] + (va & t->mask[i])) ^
			      (maptmpl_is_other(t, i) ? other : 0);
	maptmpl_frame(t, mk->page, mk->frame);
	return ZSTD_decompressDCtx(mk->d, mk->out, PAGE_SIZE, mk->frame, t->len) == PAGE_SIZE &&
	       memcmp(mk->out, mk->page, PAGE_SIZE) == 0;
}

struct maptmpl_making *maptmpl_making_open(void)
{
	struct maptmpl_making *mk = malloc(sizeof(*mk));

	if (!mk)
		return NULL;
	mk->c = ZSTD_createCCtx();
	mk->d = ZSTD_createDCtx();
	if (!mk->c || !mk->d) {
		maptmpl_making_close(mk);
		return NULL;
	}
	/* an offset that was just used costs next to nothing, if zstd is told to look for such */
	ZSTD_CCtx_setParameter(mk->c, ZSTD_c_searchForExternalRepcodes, ZSTD_ps_enable);
	ZSTD_CCtx_setParameter(mk->c, ZSTD_c_literalCompressionMode, ZSTD_ps_disable);
	ZSTD_CCtx_setParameter(mk->c, ZSTD_c_blockDelimiters, ZSTD_sf_explicitBlockDelimiters);
	ZSTD_CCtx_setParameter(mk->c, ZSTD_c_compressionLevel, 1);
	return mk;
}

void maptmpl_making_close(struct maptmpl_making *mk)
{
	if (!mk)
		return;
	ZSTD_freeCCtx(mk->c);
	ZSTD_freeDCtx(mk->d);
	free(mk);
}

int maptmpl_make(struct maptmpl_making *mk, struct maptmpl_one *t, const u64 *page, u64 va)
{
	int rc;

	describe(t, page, va);
	find_steps(t);
	find_symbols(t, mk->sym);
	find_matches(mk);
	rc = list_sequences(mk);
	if (rc == 0)
		rc = make_frame(t, mk, page);
	if (rc == 0)
		rc = list_fixes(t, mk);
	if (rc == 0 && !(try_at(t, mk, va, 0) && try_at(t, mk, ELSEWHERE, OTHER)))
		rc = -EBADMSG;
	return rc;
}
