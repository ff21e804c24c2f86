/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib_golden.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Which level bits leave a class out; as makedumpfile(8) has it, not as the code has it. */
static const struct class_rule class_rules[] = {
	{ "kernel", 0, false },	       { "unknown", 0, false }, { "no_memmap", 0, false },
	{ "memmap", 0, false },	       { "free", 16, false },	{ "cache", 2 | 4, false },
	{ "cache_private", 4, false }, { "user", 8, false },	{ "hwpoison", 0, true },
	{ "offline", 0, true },
};

static const u8 zeros[PAGE_SIZE];

const struct class_rule *golden_rule(const char *class)
{
	for (size_t i = 0; i < ARRAY_SIZE(class_rules); i++) {
		if (strcmp(class_rules[i].class, class) == 0)
			return &class_rules[i];
	}
	fail_msg("unknown class %s", class);
	return NULL;
}

static int compare_pages(const void *a, const void *b)
{
	const struct golden_page *x = a, *y = b;

	return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

/* The pages that "expect" lines name, each with the last line's class. */
static void list_pages(struct golden *g)
{
	size_t n, total = 0, w = 0;
	const struct mkcore_expect *x = mkcore_expects(g->mk, &n);

	for (size_t i = 0; i < n; i++)
		total += x[i].last - x[i].first + 1;
	g->pages = calloc(total, sizeof(*g->pages));
	for (size_t i = n; i-- > 0;) {
		size_t known = g->npages;

		for (u64 pfn = x[i].first; pfn <= x[i].last; pfn++) {
			struct golden_page p = { .pfn = pfn, .rule = golden_rule(x[i].class) };

			if (!bsearch(&p, g->pages, known, sizeof(p), compare_pages))
				g->pages[g->npages++] = p;
		}
		qsort(g->pages, g->npages, sizeof(*g->pages), compare_pages);
	}
	for (size_t i = 0; i < g->npages; i++) {
		if (w && g->pages[i].pfn == g->pages[w - 1].pfn)
			fail_msg("%s: one line names %#llx twice", g->name,
				 (unsigned long long)g->pages[i].pfn);
		g->pages[w++] = g->pages[i];
	}
}

/* Every page of RAM must be expected, and no other. */
static void load_pages(struct golden *g)
{
	u8 page[PAGE_SIZE];
	size_t i = 0;

	for (u64 pfn = 0; pfn < g->max_pfn; pfn++) {
		struct golden_page *p = i < g->npages ? &g->pages[i] : NULL;
		bool in_file, ram = mkcore_page(g->mk, pfn, NULL, &in_file);

		if (ram != (p && p->pfn == pfn))
			fail_msg("%s: pfn %#llx: RAM and expectations differ", g->name,
				 (unsigned long long)pfn);
		if (!ram)
			continue;
		mkcore_page(g->mk, pfn, page, &in_file);
		p->in_file = in_file;
		p->zero = memcmp(page, zeros, PAGE_SIZE) == 0;
		if (in_file && !p->zero) {
			p->bytes = malloc(PAGE_SIZE);
			memcpy(p->bytes, page, PAGE_SIZE);
		}
		i++;
	}
	assert_int_equal(i, g->npages);
}

void golden_open(struct golden *g, const struct scratch *scratch, const char *file,
		 const char *more)
{
	char dir[256], path[256];
	struct err e = { 0 };

	scratch_beside(__FILE__, "golden", dir, sizeof(dir));
	g->name = file;
	g->mk = mkcore_load(dir, file, more);
	g->max_pfn = mkcore_max_pfn(g->mk);
	list_pages(g);
	load_pages(g);
	mkcore_write(g->mk, scratch_path(scratch, path, sizeof(path), "vmcore"));
	if (core_open(&g->core, path, 0, &e))
		fail_msg("%s: %s", file, e.msg);
	if (g->core->why.code)
		fail_msg("%s: %s", file, g->core->why.msg);
}

void golden_close(struct golden *g, const struct scratch *scratch)
{
	core_close(g->core);
	scratch_unlink(scratch, "vmcore");
	for (size_t i = 0; i < g->npages; i++)
		free(g->pages[i].bytes);
	free(g->pages);
	mkcore_free(g->mk);
}

bool golden_wanted(const struct golden_page *p, unsigned level)
{
	return !p->rule->never && !(p->rule->left_out_by & level);
}

/* Whether the text has the page in a dump of that level (zero pages are another matter). */
bool golden_kept(const struct golden_page *p, unsigned level)
{
	return p->in_file && golden_wanted(p, level);
}

static int is_golden(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	/* kernel-*.txt and machine*.txt are included by the others */
	return len > 4 && strcmp(d->d_name + len - 4, ".txt") == 0 &&
	       strncmp(d->d_name, "kernel-", 7) != 0 && strncmp(d->d_name, "machine", 7) != 0;
}

void golden_each(void (*fn)(const char *file, unsigned number))
{
	struct dirent **list;
	char dir[256];
	int n;

	scratch_beside(__FILE__, "golden", dir, sizeof(dir));
	n = scandir(dir, &list, is_golden, alphasort);
	assert_true(n >= 12);
	for (int i = 0; i < n; i++) {
		fn(list[i]->d_name, (unsigned)i);
		free(list[i]);
	}
	free(list);
}
