/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib_core.h - ELF vmcores for tests, made from readable text: physical memory, the dead kernel's
 * page tables, its section table and struct pages, notes, and damage. What the text means is told
 * apart from what the code under test thinks of it: nothing here calls that code.
 * In:     lines of a directive and its words, each described above its apply function in
 * lib_core*.c;
 *         '#' begins a comment. The text is trusted: a mistake in it ends the program with its
 * line. Units:  pa, va in bytes; pfn ranges inclusive. Owner:  mkcore_make() allocates,
 * mkcore_free() frees. */
#ifndef CRASHPOD_TESTS_LIB_CORE_H
#define CRASHPOD_TESTS_LIB_CORE_H

#include "../base/types.h"

struct mkcore;

/* An "expect" or "kept" line. */
struct mkcore_expect {
	u64 first, last;
	char class[16]; /* of "expect" */
	unsigned level; /* of "kept" */
};

/* Makes memory from text; more is appended to it (may be NULL), so that one text serves many
 * variants. dir is where "include FILE" looks. */
struct mkcore *mkcore_make(const char *text, const char *more, const char *dir);
struct mkcore *mkcore_load(const char *dir, const char *file, const char *more);
void mkcore_free(struct mkcore *mk);

/* Writes the vmcore to path. */
void mkcore_write(const struct mkcore *mk, const char *path);

/* What the vmcore holds of a page: whether it is RAM, and whether its bytes are in the file. bytes
 * (PAGE_SIZE of them, or NULL) gets them, with zeros where there is no memory. */
bool mkcore_page(const struct mkcore *mk, u64 pfn, u8 *bytes, bool *in_file);
u64 mkcore_max_pfn(const struct mkcore *mk);

/* The expectations, in the order of the text. */
const struct mkcore_expect *mkcore_expects(const struct mkcore *mk, size_t *n);
const struct mkcore_expect *mkcore_kepts(const struct mkcore *mk, size_t *n);

/* A VMCOREINFO value by its whole key, or NULL; and the i-th key, or NULL at the end. */
const char *mkcore_info(const struct mkcore *mk, const char *key);
const char *mkcore_info_line(const struct mkcore *mk, size_t i);

#endif
