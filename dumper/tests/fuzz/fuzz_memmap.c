/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Section tables and struct pages, to classes. The kernel's own numbers are sane.
 * Input: which kernel (1 byte), then memory from FUZZ_FREE on: the table of sections first. */
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../block.h"
#include "fuzz.h"

#define MAP_BLOCKS 8u /* two sections of 16 MiB, four blocks each */

/* The blocks looked at: the first two, and the first of the second section. */
static const unsigned map_looked_at[] = { 0, 1, 4 };

struct map_block {
	u64 ram[16];
	u8 *cls;
	size_t pages;
};

static void map_check_phys(const struct memmap *mm)
{
	for (size_t i = 0; i < mm->phys.n; i++) {
		const struct range *r = &mm->phys.r[i];

		FUZZ_CHECK(r->size && r->size <= UINT64_MAX - r->pa);
		FUZZ_CHECK(i == 0 || r[-1].pa + r[-1].size <= r->pa);
	}
}

/* Classes are of the table; what is not RAM is a hole and nothing else is. */
static void map_check_classes(const struct map_block *b, const struct memmap *mm, u64 pfn)
{
	for (size_t i = 0; i < b->pages; i++) {
		FUZZ_CHECK(b->cls[i] < PC_COUNT);
		FUZZ_CHECK((b->cls[i] == PC_HOLE) == !bit_test(b->ram, i));
		/* whatever a level leaves out, something must describe it */
		FUZZ_CHECK(memmap_page_va(mm, pfn + i) || b->cls[i] == PC_HOLE ||
			   b->cls[i] == PC_NO_MEMMAP);
	}
}

/* Only pages of the memory map may go, and the count is of those that went. */
static void map_check_drop(struct block_view *bv, const struct map_block *b, u64 pfn)
{
	u64 keep[16], before[16];
	u8 kept[16 * 8 / BLOCK_GROUP];
	size_t dropped, gone = 0;

	memcpy(keep, b->ram, sizeof(keep));
	memcpy(before, keep, sizeof(keep));
	/* as if this block were the first of all */
	block_kept_groups(b->cls, b->pages, LEVEL_MAX, kept);
	dropped = block_drop_vmemmap(bv, pfn, b->cls, kept, b->pages, keep);
	for (size_t i = 0; i < b->pages; i++) {
		FUZZ_CHECK(bit_test(before, i) || !bit_test(keep, i));
		if (bit_test(before, i) == bit_test(keep, i))
			continue;
		FUZZ_CHECK(b->cls[i] == PC_MEMMAP);
		gone++;
	}
	FUZZ_CHECK(gone == dropped);
}

static void map_check_block(struct block_view *bv, struct map_block *b, u64 pfn)
{
	u8 *again = malloc(b->pages);

	FUZZ_CHECK(again);
	memset(b->cls, 0xee, b->pages);
	block_classify(bv, pfn, b->ram, b->cls);
	map_check_classes(b, bv->mm, pfn);
	map_check_drop(bv, b, pfn);
	/* the second pass must get what the first got, whatever was asked in between */
	memset(again, 0xdd, b->pages);
	block_classify(bv, pfn, b->ram, again);
	FUZZ_CHECK(memcmp(again, b->cls, b->pages) == 0);
	free(again);
}

static void map_run(struct fuzz_mem *m)
{
	struct map_block b = { .pages = (size_t)1 << m->core.ki.block_order };
	struct block_view bv;
	struct memmap mm;

	if (memmap_init(&mm, &m->core, MAP_BLOCKS * b.pages, NULL))
		return;
	map_check_phys(&mm);
	/* exactly as long as a block, so that a byte past it is found */
	b.cls = malloc(b.pages);
	FUZZ_CHECK(b.cls && b.pages / 64 == ARRAY_SIZE(b.ram));
	FUZZ_CHECK(block_view_open(&bv, &m->core, &mm, NULL, b.pages, NULL) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(map_looked_at); i++) {
		memset(b.ram, i % 2 ? 0xf7 : 0xff, sizeof(b.ram));
		map_check_block(&bv, &b, map_looked_at[i] * b.pages);
	}
	block_view_close(&bv);
	free(b.cls);
	memmap_deinit(&mm);
}

int FUZZ_TARGET(memmap)(const uint8_t *data, size_t size)
{
	/* both are made once, for their text is read from files */
	static char *info[FUZZ_KERNELS];
	unsigned kind = fuzz_take(&data, &size, 1) % FUZZ_KERNELS;
	struct fuzz_mem *m;

	if (!info[kind])
		info[kind] = fuzz_kernel_info(kind);
	m = fuzz_mem_new(info[kind]);
	fuzz_mem_map(m);
	fuzz_mem_fill(m, FUZZ_FREE, data, size);
	FUZZ_CHECK(kinfo_init(&m->core.ki, m->core.vi, NULL) == 0);
	map_run(m);
	fuzz_mem_free(m);
	return 0;
}
