/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib_golden.h - a vmcore described in golden/ with what its text expects of every page of RAM.
 * Errors: the test fails (cmocka).
 * Owner:  golden_open() writes DIR/vmcore and opens it; golden_close() removes it. */
#ifndef CRASHPOD_TESTS_LIB_GOLDEN_H
#define CRASHPOD_TESTS_LIB_GOLDEN_H

#include "../core.h"
#include "lib_core.h"
#include "lib_scratch.h"

struct class_rule {
	const char *class;
	unsigned left_out_by;
	bool never;
};

/* What the text says of a page of RAM. */
struct golden_page {
	u64 pfn;
	const struct class_rule *rule;
	bool in_file;
	bool zero;
	u8 *bytes; /* NULL where not in the file, and for zeros */
};

struct golden {
	const char *name;
	struct mkcore *mk;
	struct core *core;
	u64 max_pfn;
	struct golden_page *pages; /* RAM, in order */
	size_t npages;
};

/* more: text appended to the file's, or NULL. */
void golden_open(struct golden *g, const struct scratch *scratch, const char *file,
		 const char *more);
void golden_close(struct golden *g, const struct scratch *scratch);

/* Calls fn for each golden that is a machine, in the order of their names. */
void golden_each(void (*fn)(const char *file, unsigned number));

const struct class_rule *golden_rule(const char *class);
/* Whether a dump of that level should have the page, and whether it can: zero pages, which an ELF
 * dump leaves out at level 1, are another matter. */
bool golden_wanted(const struct golden_page *p, unsigned level);
bool golden_kept(const struct golden_page *p, unsigned level);

#endif
