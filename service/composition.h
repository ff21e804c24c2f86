/* SPDX-License-Identifier: GPL-2.0-or-later */
/* composition.h - what a machine's memory was made of, by what became of its pages in a dump.
 * In:     a record's counts (docs/record.md, "pages"), which may be anything.
 * Units:  pages of 4 KiB. */
#ifndef CRASHPOD_COMPOSITION_H
#define CRASHPOD_COMPOSITION_H

#include "dumps.h"

#define SHARES_MAX 13

struct share {
	const char *key;   /* a word, as a name of a style */
	const char *label; /* for people */
	bool kept;	   /* in the dump; else left out */
	u64 pages;	   /* not 0 */
};

struct composition {
	struct share shares[SHARES_MAX]; /* what is in the dump first */
	unsigned n;
	u64 whole, kept; /* sums of the shares */
};

/* Without counts there are no shares. */
void composition_make(struct composition *c, const struct dump_entry *entry,
		      const struct json_doc *record);

#endif
