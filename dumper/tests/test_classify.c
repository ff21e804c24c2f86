/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../classify.h"

enum {
	LRU = 1,
	PRIVATE = 2,
	SWAPCACHE = 4,
	SWAPBACKED = 8,
	SLAB = 16,
	POISON = 32,
	HEAD = 64,
	HUGE = 128
};

/* Up to 6.9: page types are bits that are cleared. */
static const struct kinfo old_kernel = {
	.page = { .size = 64, .dtor = 16 },
	.flag_lru = LRU,
	.flag_private = PRIVATE,
	.flag_swapcache = SWAPCACHE,
	.flag_swapbacked = SWAPBACKED,
	.flag_slab = SLAB,
	.flag_hwpoison = POISON,
	.flag_head = HEAD,
	.hugetlb_dtor = 2,
	.max_orders = 11,
	.buddy = { 0xf0000080, 0xf0000000 },
	.offline = { 0xf0000100, 0xf0000000 },
	.unaccepted = { 0, 1 },
	.slab = { 0, 1 },
	.hugetlb = { 0, 1 },
};

/* From 6.12: the top byte's value. */
static const struct kinfo new_kernel = {
	.page = { .size = 64, .dtor = KINFO_ABSENT },
	.flag_lru = LRU,
	.flag_private = PRIVATE,
	.flag_swapcache = SWAPCACHE,
	.flag_swapbacked = SWAPBACKED,
	.flag_hwpoison = POISON,
	.flag_head = HEAD,
	.flag_hugetlb = 0,
	.max_orders = 11,
	.buddy = { 0xff000000, 0xf0000000 },
	.offline = { 0xff000000, 0xf1000000 },
	.hugetlb = { 0xff000000, 0xf4000000 },
	.slab = { 0xff000000, 0xf5000000 },
	.unaccepted = { 0xff000000, 0xf7000000 },
};

#define ANON 0xffff888000000001ull
#define FILE_MAPPING 0xffff888000000000ull
#define NONE 0xffffffffu

static const struct classify_case {
	const struct kinfo *ki;
	struct page_fields f;
	enum page_class class;
	unsigned order;
} cases[] = {
	{ &old_kernel, { .mapcount = NONE }, PC_KERNEL, 0 },
	{ &old_kernel, { .mapcount = 0xffffff7f, .priv = 10 }, PC_FREE, 10 },
	{ &old_kernel, { .mapcount = 0xffffff7f, .priv = 11 }, PC_UNKNOWN, 0 },
	{ &old_kernel, { .mapcount = 0xffffff7f, .priv = ~0ull }, PC_UNKNOWN, 0 },
	{ &old_kernel, { .mapcount = 0xfffffeff }, PC_OFFLINE, 0 },
	/* two types at once; a count of mappings that has the bit clear */
	{ &old_kernel, { .mapcount = 0xfffffe7f, .priv = 1 }, PC_OFFLINE, 0 },
	{ &old_kernel, { .mapcount = 0x7f, .mapping = FILE_MAPPING }, PC_KERNEL, 0 },
	/* a slab is none of these, whatever lies over its fields */
	{ &old_kernel, { .flags = SLAB, .mapcount = 0xffffff7f, .priv = 3 }, PC_SLAB, 0 },
	{ &old_kernel, { .flags = SLAB, .mapcount = NONE, .mapping = ANON }, PC_SLAB, 0 },
	{ &old_kernel, { .flags = LRU, .mapcount = 0, .mapping = FILE_MAPPING }, PC_CACHE, 0 },
	{ &old_kernel, { .flags = LRU | PRIVATE, .mapcount = NONE }, PC_CACHE_PRIVATE, 0 },
	{ &old_kernel, { .flags = PRIVATE, .mapcount = NONE }, PC_KERNEL, 0 },
	{ &old_kernel, { .flags = SWAPCACHE, .mapcount = NONE }, PC_KERNEL, 0 },
	{ &old_kernel, { .flags = SWAPCACHE | SWAPBACKED, .mapcount = NONE }, PC_CACHE, 0 },
	{ &old_kernel, { .flags = LRU, .mapcount = 0, .mapping = ANON }, PC_USER, 0 },
	{ &old_kernel, { .flags = LRU | SWAPBACKED | SWAPCACHE, .mapping = ANON }, PC_USER, 0 },
	{ &old_kernel, { .flags = HEAD, .mapcount = NONE, .dtor = 2 }, PC_USER, 0 },
	{ &old_kernel, { .flags = HEAD, .mapcount = NONE, .dtor = 1 }, PC_KERNEL, 0 },
	/* the byte of the next page means nothing where this is no head */
	{ &old_kernel, { .mapcount = NONE, .dtor = 2 }, PC_KERNEL, 0 },
	{ &old_kernel, { .flags = POISON | LRU, .mapcount = 0xffffff7f }, PC_HWPOISON, 0 },

	{ &new_kernel, { .mapcount = NONE }, PC_KERNEL, 0 },
	{ &new_kernel, { .mapcount = 0xf0000000, .priv = 0 }, PC_FREE, 0 },
	{ &new_kernel, { .mapcount = 0xf0abcdef, .priv = 9 }, PC_FREE, 9 },
	{ &new_kernel, { .mapcount = 0xffffff7f, .priv = 1 }, PC_KERNEL, 0 },
	{ &new_kernel, { .mapcount = 0xf7000000 }, PC_FREE, 10 },
	{ &new_kernel, { .mapcount = 0xf1000001 }, PC_OFFLINE, 0 },
	{ &new_kernel, { .mapcount = 0xf4000000, .flags = HEAD }, PC_USER, 0 },
	{ &new_kernel, { .mapcount = 0xf5000000, .mapping = ANON }, PC_SLAB, 0 },
	{ &new_kernel, { .mapcount = NONE, .dtor = 2, .flags = HEAD }, PC_KERNEL, 0 },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned order = 99;
		enum page_class pc = classify_page(cases[i].ki, &cases[i].f, &order);

		if (pc != cases[i].class || order != cases[i].order)
			fail_msg("case %zu: %s, order %u", i, page_class_table[pc].name, order);
	}
}

/* 6.6 to 6.8: a flag of the first tail. */
static void test_hugetlb_flag(void **state)
{
	struct kinfo ki = old_kernel;
	struct page_fields f = { .flags = HEAD, .tail_flags = HUGE, .mapcount = NONE };
	unsigned order;

	(void)state;
	ki.page.dtor = KINFO_ABSENT;
	ki.hugetlb_dtor = 0;
	ki.flag_hugetlb = HUGE;
	assert_int_equal(classify_page(&ki, &f, &order), PC_USER);
	f.flags = 0;
	assert_int_equal(classify_page(&ki, &f, &order), PC_KERNEL);
}

/* makedumpfile(8)'s table of levels. */
static void test_levels(void **state)
{
	static const struct {
		enum page_class pc;
		unsigned left_out_by; /* ~0: always */
	} t[] = {
		{ PC_KERNEL, 0 },    { PC_UNKNOWN, 0 },	      { PC_NO_MEMMAP, 0 }, { PC_MEMMAP, 0 },
		{ PC_CACHE, 2 | 4 }, { PC_CACHE_PRIVATE, 4 }, { PC_VITAL, 0 },	   { PC_TEXT, 0 },
		{ PC_CALLED, 0 },    { PC_IMAGE, 0 },	      { PC_SLAB, 0 },	   { PC_USER, 8 },
		{ PC_FREE, 16 },     { PC_HWPOISON, ~0u },    { PC_OFFLINE, ~0u }, { PC_HOLE, ~0u },
	};

	(void)state;
	assert_int_equal(ARRAY_SIZE(t), PC_COUNT);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		for (unsigned level = 0; level <= LEVEL_MAX; level++)
			assert_int_equal(page_class_dumped(t[i].pc, level),
					 t[i].left_out_by != ~0u && !(t[i].left_out_by & level));
		assert_true(page_class_table[t[i].pc].round < PC_ROUNDS);
	}
}

static void test_heads(void **state)
{
	static const struct {
		u64 compound, va, head;
	} t[] = {
		{ 0xffffea0000001001, 0xffffea0000001240, 0xffffea0000001000 },
		/* masks of 2 and of 512 struct pages of 64 bytes */
		{ 0xffffffffffffff81, 0xffffea0000001240, 0xffffea0000001200 },
		{ 0xffffffffffff8001, 0xffffea000000fec0, 0xffffea0000008000 },
		/* not ones down to a bit: an address */
		{ 0xffffffffff00ff01, 0xffffea0000001240, 0xffffffffff00ff00 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct page_fields f = { .compound = t[i].compound };

		assert_true(page_is_tail(&f));
		assert_int_equal(page_head_va(&f, t[i].va), t[i].head);
		f.compound--;
		assert_false(page_is_tail(&f));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases),
					    cmocka_unit_test(test_hugetlb_flag),
					    cmocka_unit_test(test_levels),
					    cmocka_unit_test(test_heads) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
