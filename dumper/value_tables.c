/* SPDX-License-Identifier: GPL-2.0-or-later */
/* value_tables.c - the kernel's half of its page tables. What they map page by page is what the
 * kernel took page by page: stacks, modules, per-CPU memory. */
#include <string.h>

#include "value_int.h"

#define PTE_PRESENT 1ull
#define PTE_WRITE 2ull
#define PTE_LEAF 0x80ull
#define PTE_NX (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull
#define ENTRIES 512
#define TABLES_MAX 8192 /* read at most: with all of them full, 16 GiB in small pages */

/* CPU_ENTRY_AREA, Documentation/arch/x86/x86_64/mm.rst */
#define ENTRY_AREA 0xfffffe0000000000ull
#define ENTRY_AREA_END 0xfffffe8000000000ull
#define ENTRY_PAGES_MAX 512 /* some 20 a CPU */

struct tables {
	struct survey *s;
	u64 map_va, map_end; /* where the memory map is seen */
	unsigned left, entry_left;
	u64 entries[5][ENTRIES];
};

/* The linear mappings, of which only the upper tables matter: they are as large as memory. */
static bool is_linear(const struct tables *t, u64 first, u64 last)
{
	const struct survey *s = t->s;

	return (last >= s->direct_va && first < s->direct_va + s->direct_bytes) ||
	       (last >= t->map_va && first < t->map_end);
}

/* A page of the CPUs' entry areas: perhaps of the stack of an NMI, which stopped the CPU. */
static void read_entry_page(struct tables *t, u64 pa)
{
	u64 words[ENTRIES];

	t->entry_left--;
	if (window_read(&t->s->km.win, pa, words, sizeof(words), NULL))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		survey_want_text(t->s, words[i]);
}

/* Pages mapped at va in one piece. */
static void leaf(struct tables *t, u64 va, u64 pa, unsigned level, u64 rights, bool mark)
{
	struct survey *s = t->s;
	u64 n = (u64)1 << 9 * level, at = (pa >> PAGE_SHIFT) - s->v->image_pfn;

	if (va >= XLAT_KERNEL_TEXT && pa - s->core->image_pa == va - XLAT_KERNEL_TEXT) {
		for (u64 i = at; n; i++, n--) {
			if (i >= VALUE_IMAGE_PAGES)
				continue;
			bit_set(rights & PTE_WRITE ? s->written : s->v->text, i);
			if (!(rights & PTE_NX))
				bit_set(s->run, i);
		}
	} else if (level == 0 && mark) {
		survey_mark(s, pa >> PAGE_SHIFT);
		if (va >= ENTRY_AREA && va < ENTRY_AREA_END && t->entry_left)
			read_entry_page(t, pa);
	}
}

/* A table without a hole is part of an area of 2 MiB and more: no stack, and not a module. */
static bool has_hole(const u64 *entries)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		if (!(entries[i] & PTE_PRESENT))
			return true;
	}
	return false;
}

static void walk(struct tables *t, unsigned level, u64 pa, u64 va, u64 rights)
{
	struct survey *s = t->s;
	u64 *entries = t->entries[level];
	unsigned shift = PAGE_SHIFT + 9 * level;
	bool top = level == s->core->xlat.levels - 1, mark;

	if (t->left == 0 || window_read(&s->km.win, pa, entries, PAGE_SIZE, NULL))
		return;
	t->left--;
	survey_mark(s, pa >> PAGE_SHIFT);
	mark = level == 0 && has_hole(entries);
	/* from the end, where the image and the modules are */
	for (unsigned i = ENTRIES; i-- > (top ? ENTRIES / 2 : 0);) {
		u64 entry = entries[i] & ~s->core->xlat.sme_mask;
		u64 at = va | (u64)i << shift, to = entry & PTE_ADDR;
		u64 has = ((rights & entry) & PTE_WRITE) | ((rights | entry) & PTE_NX);

		if (!(entry & PTE_PRESENT))
			continue;
		if (top)
			at |= ~(u64)0 << shift << 8;
		if (level == 0 || (level <= 2 && (entry & PTE_LEAF)))
			leaf(t, at, to & ~(((u64)1 << shift) - 1), level, has, mark);
		else if (level <= 2 && is_linear(t, at, at + (((u64)1 << shift) - 1)))
			survey_mark(s, to >> PAGE_SHIFT);
		else
			walk(t, level - 1, to, at, has);
	}
}

void survey_tables(struct survey *s)
{
	struct tables *t = s->core->xlat.root_pa ? survey_alloc(sizeof(*t)) : NULL;
	const struct ranges *map = &s->mm->sections;

	if (!t)
		return;
	t->s = s;
	t->left = TABLES_MAX;
	t->entry_left = ENTRY_PAGES_MAX;
	t->map_va = ~(u64)0;
	for (size_t i = 0; i < map->n; i++) {
		t->map_va = MIN(t->map_va, map->r[i].off);
		t->map_end = MAX(t->map_end, map->r[i].off + map->r[i].size);
	}
	walk(t, s->core->xlat.levels - 1, s->core->xlat.root_pa, 0, PTE_WRITE);
	survey_free(t, sizeof(*t));
}
