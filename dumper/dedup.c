/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dedup.h"

#include <stdatomic.h>
#include <stdlib.h>

#define ENTRIES_MIN ((u64)1 << 10)
#define ENTRIES_MAX ((u64)1 << 15)
#define LOCKS 256
#define LANES 4
#define SEED 0x9fb21c651e98df25ull

struct entry {
	u64 pfn, offset;
	u32 tag;
	u16 size; /* 0: empty */
	u16 flags;
};

struct dedup {
	u64 mask; /* of an entry's number */
	atomic_flag locks[LOCKS];
	struct entry e[];
};

struct dedup *dedup_open(u64 pages)
{
	u64 n = ENTRIES_MIN;
	struct dedup *d;

	while (n < ENTRIES_MAX && n < pages / 4)
		n *= 2;
	d = calloc(1, sizeof(*d) + n * sizeof(d->e[0]));
	if (!d)
		return NULL;
	d->mask = n - 1;
	for (size_t i = 0; i < LOCKS; i++)
		atomic_flag_clear(&d->locks[i]);
	return d;
}

void dedup_close(struct dedup *d)
{
	free(d);
}

static u64 mix(u64 h)
{
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

u64 dedup_hash(const u8 *page)
{
	const u64 *p = (const u64 *)(const void *)page;
	u64 lane[LANES] = { SEED, SEED * 3, SEED * 5, SEED * 7 }, h = 0;

	/* two words a multiplication: what is lost of them in one half of the product is in the
	 * other */
	for (size_t i = 0; i < PAGE_SIZE / 8; i += 2 * LANES) {
		for (size_t k = 0; k < LANES; k++) {
			unsigned __int128 x = (unsigned __int128)(lane[k] ^ p[i + 2 * k]) *
					      (p[i + 2 * k + 1] ^ SEED);

			lane[k] = (u64)x ^ (u64)(x >> 64) ^ lane[k];
		}
	}
	for (size_t k = 0; k < LANES; k++)
		h = mix(h ^ lane[k]);
	return h;
}

/* The entry of a hash, locked, or NULL: another thread is at it. */
static struct entry *entry_lock(struct dedup *d, u64 hash)
{
	u64 at = hash & d->mask;

	if (atomic_flag_test_and_set_explicit(&d->locks[at % LOCKS], memory_order_acquire))
		return NULL;
	return &d->e[at];
}

static void entry_unlock(struct dedup *d, u64 hash)
{
	atomic_flag_clear_explicit(&d->locks[(hash & d->mask) % LOCKS], memory_order_release);
}

void dedup_add(struct dedup *d, u64 hash, const struct dedup_page *p)
{
	struct entry *e = entry_lock(d, hash);

	if (!e)
		return;
	*e = (struct entry){ .pfn = p->pfn,
			     .offset = p->offset,
			     .tag = (u32)(hash >> 32),
			     .size = (u16)p->size,
			     .flags = (u16)p->flags };
	entry_unlock(d, hash);
}

bool dedup_find(struct dedup *d, u64 hash, struct dedup_page *p)
{
	struct entry *e = entry_lock(d, hash);
	bool found;

	if (!e)
		return false;
	found = e->size && e->tag == (u32)(hash >> 32);
	if (found)
		*p = (struct dedup_page){ e->pfn, e->offset, e->size, e->flags };
	entry_unlock(d, hash);
	return found;
}

bool dedup_equal(const u8 *a, const u8 *b)
{
	const u64 *p = (const u64 *)(const void *)a, *q = (const u64 *)(const void *)b;

	for (size_t i = 0; i < PAGE_SIZE / 8; i += 8) {
		u64 d = (p[i] ^ q[i]) | (p[i + 1] ^ q[i + 1]) | (p[i + 2] ^ q[i + 2]) |
			(p[i + 3] ^ q[i + 3]) | (p[i + 4] ^ q[i + 4]) | (p[i + 5] ^ q[i + 5]) |
			(p[i + 6] ^ q[i + 6]) | (p[i + 7] ^ q[i + 7]);
		if (d)
			return false;
	}
	return true;
}
