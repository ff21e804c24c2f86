/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "maptmpl.h"

#include <stdlib.h>
#include <string.h>

#include "maptmpl_int.h"

#define SEEN_SLOTS 256
#define HASH_STEP 3 /* every third word: pages that differ elsewhere cost a template in vain */

struct maptmpl {
	struct maptmpl_one *tmpl[MAPTMPL_MAX]; /* the one used last comes first */
	size_t n;
	struct maptmpl_making *making;
	u32 seen[SEEN_SLOTS]; /* hashes of pages that had no template */
};

struct maptmpl *maptmpl_open(void)
{
	return calloc(1, sizeof(struct maptmpl));
}

void maptmpl_close(struct maptmpl *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++)
		free(m->tmpl[i]);
	maptmpl_making_close(m->making);
	free(m);
}

/* Whether the page at va has the template's words in its records before end. */
static bool words_fit(const struct maptmpl_one *t, const u64 *page, u64 va, size_t end)
{
	const u64 *word = t->word, *mask = t->mask;
	u64 d = 0;

	for (size_t i = 0; i < MAPTMPL_RECORD; i++)
		d |= ((page[i] - (va & mask[i])) ^ word[i]) & t->care[i];
	for (size_t i = MAPTMPL_RECORD; d == 0 && i < end * MAPTMPL_RECORD; i += 4) {
		d |= (page[i] - (va & mask[i])) ^ word[i];
		d |= (page[i + 1] - (va & mask[i + 1])) ^ word[i + 1];
		d |= (page[i + 2] - (va & mask[i + 2])) ^ word[i + 2];
		d |= (page[i + 3] - (va & mask[i + 3])) ^ word[i + 3];
	}
	return d == 0;
}

/* Whether each record from p on is the one before it plus step: a third of the loads of
 * words_fit(). */
static bool steps_fit(const u64 *p, const u64 *end, const u64 *step)
{
	u64 w0 = p[0], w1 = p[1], w2 = p[2], w3 = p[3], w4 = p[4], w5 = p[5], w6 = p[6], w7 = p[7];

	for (p += MAPTMPL_RECORD; p < end; p += MAPTMPL_RECORD) {
		u64 d = p[0] ^ (w0 += step[0]);

		d |= p[1] ^ (w1 += step[1]);
		d |= p[2] ^ (w2 += step[2]);
		d |= p[3] ^ (w3 += step[3]);
		d |= p[4] ^ (w4 += step[4]);
		d |= p[5] ^ (w5 += step[5]);
		d |= p[6] ^ (w6 += step[6]);
		d |= p[7] ^ (w7 += step[7]);
		if (d)
			return false;
	}
	return true;
}

/* Whether the first record is no other than the rest: there is a smaller frame for such a page. */
static bool all_even(const u64 *page, const u64 *step)
{
	u64 d = 0;

	for (size_t i = 0; i < MAPTMPL_RECORD; i++)
		d |= (page[i] + step[i]) ^ page[i + MAPTMPL_RECORD];
	return d == 0;
}

static bool tmpl_fits(const struct maptmpl_one *t, const u64 *page, u64 va)
{
	if (t->even == 1 && all_even(page, t->step))
		return false;
	return words_fit(t, page, va, t->even + 1) &&
	       steps_fit(page + t->even * MAPTMPL_RECORD, page + MAPTMPL_WORDS, t->step);
}

void maptmpl_frame(const struct maptmpl_one *t, const u64 *page, u8 *dst)
{
	const u8 *bytes = (const u8 *)page;

	memcpy(dst, t->frame, t->len);
	for (size_t i = 0; i < t->nfix; i++)
		dst[t->fix[i].at] = bytes[t->fix[i].byte];
}

static u32 page_hash(const u64 *page, u64 va)
{
	u64 h = 0;

	/* not the first record, which often alone is another */
	for (size_t i = MAPTMPL_RECORD; i < MAPTMPL_WORDS; i += HASH_STEP) {
		u64 w = page[i];

		if (maptmpl_is_address(w, va))
			w -= va;
		h = (h ^ w) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return (u32)(h >> 32) | 1;
}

/* Whether a page like this one has been here not long ago. */
static bool seen_before(struct maptmpl *m, const u64 *page, u64 va)
{
	u32 hash = page_hash(page, va), *slot = &m->seen[hash / 2 % SEEN_SLOTS];
	bool seen = *slot == hash;

	*slot = hash;
	return seen;
}

static void to_front(struct maptmpl *m, size_t i)
{
	struct maptmpl_one *t = m->tmpl[i];

	memmove(m->tmpl + 1, m->tmpl, i * sizeof(struct maptmpl_one *));
	m->tmpl[0] = t;
}

/* Makes a template in the place of the one unused for longest. */
static bool learn(struct maptmpl *m, const u64 *page, u64 va)
{
	if (!m->making)
		m->making = maptmpl_making_open();
	if (!m->making)
		return false;
	if (m->n < MAPTMPL_MAX) {
		m->tmpl[m->n] = malloc(sizeof(struct maptmpl_one));
		if (!m->tmpl[m->n])
			return false;
		m->n++;
	}
	if (maptmpl_make(m->making, m->tmpl[m->n - 1], page, va)) {
		free(m->tmpl[--m->n]);
		return false;
	}
	to_front(m, m->n - 1);
	return true;
}

size_t maptmpl_page(struct maptmpl *m, const u8 *page, u64 va, u8 *dst)
{
	const u64 *words = (const u64 *)(const void *)page;
	size_t i = 0;

	while (i < m->n && !tmpl_fits(m->tmpl[i], words, va))
		i++;
	if (i == m->n) {
		if (!seen_before(m, words, va) || !learn(m, words, va))
			return 0;
	} else if (i) {
		to_front(m, i);
	}
	maptmpl_frame(m->tmpl[0], words, dst);
	return m->tmpl[0]->len;
}
