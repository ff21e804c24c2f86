/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk of page tables, beside a second one that is written down plainly.
 * Input: levels (bit 0 of a byte), index of the root page (1 byte), which bits of entries are not
 * address (1 byte, of bits 45 to 52), two addresses (8 bytes each), then memory from 0 on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* As the processor does it: 0 or -1; pa and bytes that follow it in the same leaf. */
static int xlat_plain(const struct fuzz_mem *m, u64 va, u64 *pa, u64 *contig)
{
	const struct xlat *x = &m->core.xlat;
	u64 table = x->root_pa;

	for (int level = (int)x->levels - 1; level >= 0; level--) {
		unsigned shift = 12 + 9 * (unsigned)level;
		u64 entry, in_leaf = va & (((u64)1 << shift) - 1);

		if (table >= FUZZ_MEM_SIZE)
			return -1;
		memcpy(&entry, m->mem + table + (va >> shift & 0x1ff) * 8, 8);
		entry &= ~x->sme_mask;
		if (!(entry & 1))
			return -1;
		table = entry & 0xffffffffff000;
		if (level == 0 || (level < 3 && (entry & 0x80))) {
			*pa = (table >> shift << shift) | in_leaf;
			*contig = ((u64)1 << shift) - in_leaf;
			return 0;
		}
	}
	return -1;
}

static bool xlat_canonical(const struct xlat *x, u64 va)
{
	return va >> (x->levels == 5 ? 56 : 47) == (x->levels == 5 ? 0xff : 0x1ffff);
}

static void xlat_check(struct fuzz_mem *m, struct kmem *km, u64 va)
{
	const struct xlat *x = &m->core.xlat;
	u64 pa = 0, contig = 0, pa2 = 0, contig2 = 0;
	int plain, rc;

	m->gets = 0;
	rc = xlat_va(x, &km->cache, &km->win, va, &pa, &contig, NULL);
	FUZZ_CHECK(m->gets <= x->levels);
	plain = xlat_canonical(x, va) ? xlat_plain(m, va, &pa2, &contig2) : -1;
	FUZZ_CHECK((rc == 0) == (plain == 0));
	if (rc)
		return;
	FUZZ_CHECK(pa == pa2 && contig == contig2);
	FUZZ_CHECK(contig >= 1 && contig <= (u64)1 << 30 && pa < (u64)1 << 52);
	/* the tables are known now */
	m->gets = 0;
	FUZZ_CHECK(xlat_va(x, &km->cache, &km->win, va, &pa2, &contig2, NULL) == 0);
	FUZZ_CHECK(m->gets == 0 && pa == pa2 && contig == contig2);
}

/* Bytes read through the tables are those that lie where the plain walk says. */
static void xlat_check_read(struct fuzz_mem *m, struct kmem *km, u64 va)
{
	u8 buf[96];
	int rc = kmem_read(km, va, buf, sizeof(buf), NULL);

	for (size_t i = 0; i < sizeof(buf) && rc == 0; i++) {
		u64 pa, contig;

		FUZZ_CHECK(xlat_plain(m, va + i, &pa, &contig) == 0);
		FUZZ_CHECK(pa < FUZZ_MEM_SIZE && m->mem[pa] == buf[i]);
	}
}

int FUZZ_TARGET(xlat)(const uint8_t *data, size_t size)
{
	struct fuzz_mem *m = fuzz_mem_new(NULL);
	struct kmem *km = malloc(sizeof(*km));
	struct xlat *x = &m->core.xlat;
	u64 va[2];

	FUZZ_CHECK(km && kmem_open(km, &m->core, NULL) == 0);
	x->levels = fuzz_take(&data, &size, 1) & 1 ? 5 : 4;
	x->root_pa = (1 + fuzz_take(&data, &size, 1)) * PAGE_SIZE;
	x->sme_mask = fuzz_take(&data, &size, 1) << 45;
	va[0] = fuzz_take(&data, &size, 8);
	va[1] = fuzz_take(&data, &size, 8);
	fuzz_mem_fill(m, 0, data, size);
	for (size_t i = 0; i < ARRAY_SIZE(va); i++) {
		xlat_check(m, km, va[i]);
		xlat_check(m, km, va[i] + PAGE_SIZE);
		xlat_check_read(m, km, va[i] | 0xfc0);
	}
	kmem_close(km);
	free(km);
	fuzz_mem_free(m);
	return 0;
}
