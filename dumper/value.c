/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "value.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "value_int.h"

#define MARKS_MAX (VALUE_MARKS / 8) /* one page in eight is then marked by chance */
#define NODES_MAX 4096		    /* of radix trees */
#define NODE_BYTES 576		    /* struct xa_node: with 64 slots */
#define SLOT_BITS 6
#define TEXT_AFTER 4 /* pages */
#define IMAGE_WINDOW ((size_t)64 << 10)
#define GAP_PAGES 64

void *survey_alloc(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void survey_free(void *p, size_t bytes)
{
	munmap(p, bytes);
}

void survey_mark(struct survey *s, u64 pfn)
{
	if (s->marks == MARKS_MAX || value_marked(s->v, pfn))
		return;
	bit_set(s->v->marks, value_hash(pfn));
	s->marks++;
}

const u64 *survey_image(struct survey *s, size_t at)
{
	size_t got;

	if (at - s->window_first >= s->window_pages) {
		s->window_pages = 0;
		if (window_get(&s->image, (s->v->image_pfn + at) << PAGE_SHIFT, IMAGE_WINDOW,
			       &s->window, &got, NULL))
			return NULL;
		s->window_first = at;
		s->window_pages = got / PAGE_SIZE;
	}
	if (s->window_pages == 0)
		return NULL;
	return (const u64 *)(const void *)(s->window + (at - s->window_first) * PAGE_SIZE);
}

void survey_want_text(struct survey *s, u64 va)
{
	u64 at = (va - s->image_va) >> PAGE_SHIFT;

	if (va < s->image_va || at >= VALUE_IMAGE_PAGES)
		return;
	for (u64 i = at ? at - 1 : 0; i <= at + TEXT_AFTER && i < VALUE_IMAGE_PAGES; i++)
		bit_set(s->v->called, i);
}

/* Of what the kernel may not write: whether it has addresses, as its tables and what it found out
 * when it booted, or is text to be read, as its strings; what is left is for machines. *boot: has
 * an address that no file of the kernel has. */
static bool is_wanted_constant(const struct survey *s, const u64 *words, bool *boot)
{
	const u8 *c = (const u8 *)words;
	size_t readable = 0;
	bool addresses = false, direct = false;

	for (size_t i = 0; i < PAGE_SIZE / 8; i++) {
		direct |= survey_is_direct(s, words[i]);
		addresses |= words[i] >> 47 == 0x1ffff;
	}
	/* one byte of a few is enough */
	for (size_t i = 0; i < PAGE_SIZE && !addresses; i += 5)
		readable += c[i] >= ' ' && c[i] < 0x7f;
	*boot = direct;
	return addresses || direct || readable > PAGE_SIZE / 5 * 3 / 4;
}

/* Takes from s->v->text what is wanted with the data: constants, see there; what is between two
 * pages written when the kernel booted; and few pages among others that the kernel may write. */
static void sort_constants(struct survey *s)
{
	u64 *text = s->v->text;
	size_t last = VALUE_IMAGE_PAGES, n = VALUE_IMAGE_PAGES;

	for (size_t at = bit_next(text, n, 0, true), end; at < n;
	     at = bit_next(text, n, end, true)) {
		end = bit_next(text, n, at, false);
		for (size_t k = at; k < end && end - at < GAP_PAGES; k++)
			bit_clear(text, k);
	}
	for (size_t at = bit_next(text, n, 0, true); at < n; at = bit_next(text, n, at + 1, true)) {
		const u64 *words = bit_test(s->run, at) ? NULL : survey_image(s, at);
		bool boot;

		if (!words)
			continue;
		if (is_wanted_constant(s, words, &boot))
			bit_clear(text, at);
		if (!boot)
			continue;
		for (size_t k = last; at - last <= GAP_PAGES && k < at; k++)
			bit_clear(text, k);
		last = at;
	}
}

/* A pointer to a node of a radix tree has 2 added to it, from another node or from the tree. */
static bool is_node(const struct survey *s, u64 word)
{
	return (word & 3) == 2 && survey_is_direct(s, word);
}

/* Marks the nodes of the tree from word on. A node begins with the bits of the index below its own
 * slots, which are fewer from node to node, and how many slots are used (include/linux/xarray.h,
 * struct xa_node). */
static void mark_nodes(struct survey *s, u64 word, unsigned below)
{
	u64 node[NODE_BYTES / 8];
	u8 head[3]; /* shift, offset, count */

	if (s->nodes == NODES_MAX ||
	    window_read(&s->km.win, (word & ~(u64)3) - s->direct_va, node, sizeof(node), NULL))
		return;
	memcpy(head, node, sizeof(head));
	if (head[0] % SLOT_BITS || head[0] >= below || !head[2] || head[2] > 1 << SLOT_BITS)
		return;
	s->nodes++;
	survey_mark(s, survey_pfn(s, word));
	survey_mark(s, survey_pfn(s, word + NODE_BYTES - 1));
	for (size_t i = 1; i < ARRAY_SIZE(node); i++) {
		if (is_node(s, node[i]))
			mark_nodes(s, node[i], head[0]);
	}
}

void survey_trees(struct survey *s, const u64 *words)
{
	for (size_t i = 0; i < PAGE_SIZE / 8; i++) {
		if (is_node(s, words[i]))
			mark_nodes(s, words[i], 64);
	}
}

/* What the page allocator never had looks like the page that the page tables begin with. */
static void learn_boot_flags(struct survey *s)
{
	u64 va = memmap_page_va(s->mm, s->core->xlat.root_pa >> PAGE_SHIFT), flags;

	if (s->core->xlat.root_pa && va &&
	    kmem_read(&s->km, va + s->core->ki.page.flags, &flags, 8, NULL) == 0)
		s->v->boot_flags = flags & VALUE_FLAGS_MASK;
}

static void survey_run(struct survey *s)
{
	const struct core *core = s->core;

	/* with KASLR it is anywhere in its mapping */
	if (vmcoreinfo_symbol(core->vi, "_stext", &s->image_va) || s->image_va < XLAT_KERNEL_TEXT)
		s->image_va = XLAT_KERNEL_TEXT;
	s->image_va -= s->image_va % PAGE_SIZE;
	s->v->image_pfn = (s->image_va - XLAT_KERNEL_TEXT + core->image_pa) >> PAGE_SHIFT;
	s->direct_va = core->direct_va;
	if (core->direct_va)
		s->direct_bytes = core->src->max_pfn << PAGE_SHIFT;
	learn_boot_flags(s);
	survey_tables(s);
	sort_constants(s);
	if (s->direct_bytes)
		survey_tasks(s);
}

/* Both windows are there, or none. */
static bool open_windows(struct survey *s)
{
	if (kmem_open(&s->km, s->core, NULL))
		return false;
	if (window_open(&s->image, s->core->src, IMAGE_WINDOW, NULL) == 0)
		return true;
	kmem_close(&s->km);
	return false;
}

struct value *value_open(const struct core *core, const struct memmap *mm)
{
	struct value *v = calloc(1, sizeof(*v));
	struct survey *s = v ? survey_alloc(sizeof(*s)) : NULL;

	if (!s) {
		free(v);
		return NULL;
	}
	s->v = v;
	s->core = core;
	s->mm = mm;
	if (open_windows(s)) {
		survey_run(s);
		window_close(&s->image);
		kmem_close(&s->km);
	}
	survey_free(s, sizeof(*s));
	return v;
}

void value_close(struct value *v)
{
	free(v);
}
