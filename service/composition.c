/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "composition.h"

#include <string.h>

/* Counts of the record that are shares of their own. */
static const struct {
	const char *path, *key, *label;
	bool kept;
} counts[] = {
	{ "dump.pages.duplicate", "duplicate", "same as another, stored once", true },
	{ "dump.pages.zero", "zero", "zeros", true },
	{ "dump.pages.unreadable", "unreadable", "could not be read", true },
	{ "dump.pages.free", "free", "free", false },
	{ "dump.pages.user", "user", "user data", false },
	{ "dump.pages.cache", "cache", "page cache", false },
	{ "dump.pages.cache_private", "private", "page cache, private", false },
	{ "dump.pages.vmemmap_excluded", "memmap", "memory map of what is left out", false },
	{ "dump.pages.offline", "offline", "offline", false },
	{ "dump.pages.hwpoison", "poison", "failed memory", false },
};

static u64 sum(u64 a, u64 b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static u64 less(u64 a, u64 b)
{
	return a > b ? a - b : 0;
}

static void add(struct composition *c, const char *key, const char *label, bool kept, u64 pages)
{
	if (!pages || c->n == SHARES_MAX)
		return;
	c->shares[c->n++] = (struct share){ key, label, kept, pages };
	c->whole = sum(c->whole, pages);
	if (kept)
		c->kept = sum(c->kept, pages);
}

void composition_make(struct composition *c, const struct dump_entry *entry,
		      const struct json_doc *record)
{
	bool elf = strncmp(json_text(record, NULL, "dump.format"), "elf", 3) == 0;
	u64 data = entry->dumped, inside = 0, n;

	memset(c, 0, sizeof(*c));
	if (!entry->has_pages)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		if (counts[i].kept && !(elf && strcmp(counts[i].key, "zero") == 0) &&
		    json_count(record, NULL, counts[i].path, &n))
			inside = sum(inside, n);
	add(c, "data", "data", true, less(data, inside));
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		json_count(record, NULL, counts[i].path, &n);
		add(c, counts[i].key, counts[i].label, counts[i].kept, n);
	}
	/* a dump that knows no more than what is in it */
	add(c, "other", "all else", false, less(entry->ram, c->whole));
}
