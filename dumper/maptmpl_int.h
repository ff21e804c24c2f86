/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maptmpl_int.h - one template, between maptmpl.c, which uses them, and maptmpl_make.c.
 * Words:  of a page, 512 of 64 bits. A near word is an address within the page itself; a far one
 *         lies up to MAPTMPL_FAR away; the rest are plain. The template holds plain words as they
 *         are and addresses less the page's own. Where all struct pages of a page have the same
 *         plain words (their flags, a number of a section), these may be others in the next page;
 *         and so may those in which the first alone differs (it begins a free area, in a list). */
#ifndef CRASHPOD_MAPTMPL_INT_H
#define CRASHPOD_MAPTMPL_INT_H

#include "maptmpl.h"

#define MAPTMPL_WORDS (PAGE_SIZE / 8)
#define MAPTMPL_FAR ((u64)1 << 24)
#define MAPTMPL_RECORD 8 /* words of a struct page */

/* A literal of the frame that is another in each page: byte number byte of the page. */
struct maptmpl_fix {
	u16 at, byte;
};

struct maptmpl_one {
	size_t even; /* from this record on each is the one before it plus step */
	u64 step[MAPTMPL_RECORD];
	u64 care[MAPTMPL_RECORD]; /* zero for words of the first record that may be others */
	u64 word[MAPTMPL_WORDS];
	u64 mask[MAPTMPL_WORDS]; /* all ones for addresses, zero for plain words */
	u8 frame[MAPTMPL_FRAME_MAX];
	size_t len; /* of the frame */
	struct maptmpl_fix fix[MAPTMPL_FIXES_MAX];
	size_t nfix;
};

static inline bool maptmpl_is_near(u64 word, u64 va)
{
	return word - va < PAGE_SIZE;
}

/* Near words too. */
static inline bool maptmpl_is_address(u64 word, u64 va)
{
	return word - va + MAPTMPL_FAR < 2 * MAPTMPL_FAR;
}

/* What making templates takes, about 240 KiB: only there once one is to be made. NULL: no memory.
 */
struct maptmpl_making;
struct maptmpl_making *maptmpl_making_open(void);
void maptmpl_making_close(struct maptmpl_making *mk);

/* Whether a word of the page may be another. */
static inline bool maptmpl_is_other(const struct maptmpl_one *t, size_t i)
{
	return !t->care[i % MAPTMPL_RECORD] && (t->even == 0 || i < MAPTMPL_RECORD);
}

/* Makes the template of a page; 0, or -errno: none can be made, which costs nothing but time. */
int maptmpl_make(struct maptmpl_making *mk, struct maptmpl_one *t, const u64 *page, u64 va);

/* The frame of a page that fits the template; dst has room for t->len bytes. */
void maptmpl_frame(const struct maptmpl_one *t, const u64 *page, u8 *dst);

#endif
