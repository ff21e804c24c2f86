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

/* Two words at once, on any machine. */
typedef u64 pair __attribute__((vector_size(16), aligned(8), may_alias));

/* Whether the page at va is what the template describes. */
static bool tmpl_fits(const struct maptmpl_one *t, const u64 *page, u64 va)
{
	const pair *p = (const pair *)page, *word = (const pair *)t->word;
	const pair *mask = (const pair *)t->mask, at = { va, va };

	for (size_t i = 0; i < MAPTMPL_WORDS / 2; i += 4) {
		pair d = (p[i] - (at & mask[i])) ^ word[i];

		d |= (p[i + 1] - (at & mask[i + 1])) ^ word[i + 1];
		d |= (p[i + 2] - (at & mask[i + 2])) ^ word[i + 2];
		d |= (p[i + 3] - (at & mask[i + 3])) ^ word[i + 3];
		if (d[0] | d[1])
			return false;
	}
	return true;
}

void maptmpl_frame(const struct maptmpl_one *t, u64 va, u8 *dst)
{
	memcpy(dst, t->frame, t->len);
	for (size_t i = 0; i < t->nfix; i++) {
		const struct maptmpl_fix *f = &t->fix[i];

		dst[f->at] = (u8)((t->word[f->word] + va) >> (8 * f->byte));
	}
}

static u32 page_hash(const u64 *page, u64 va)
{
	u64 h = 0;

	for (size_t i = 0; i < MAPTMPL_WORDS; i += HASH_STEP) {
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
	maptmpl_frame(m->tmpl[0], va, dst);
	return m->tmpl[0]->len;
}
