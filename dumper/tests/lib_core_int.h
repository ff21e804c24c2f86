/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib_core_int.h - between the parts of lib_core: text (lib_core.c), memory and page tables
 * (lib_core_mem.c), struct pages and sections (lib_core_page.c), the file (lib_core_elf.c). */
#ifndef CRASHPOD_TESTS_LIB_CORE_INT_H
#define CRASHPOD_TESTS_LIB_CORE_INT_H

#include "lib_core.h"

#define MK_TOKENS 40
#define MK_MAX 64    /* RAM ranges, PT_LOADs, notes, sections */
#define MK_LINES 512 /* VMCOREINFO lines, expectations */
#define MK_TABLES 64 /* page table pages */

struct mk_line {
	const char *file;
	unsigned no;
	char *copy;	      /* what tok points into */
	const char *rest;     /* all after the directive, in the text */
	char *tok[MK_TOKENS]; /* tok[0]: the directive */
	unsigned ntok;
};

struct mk_ram {
	u64 pa, size;
	u8 *bytes;
};

struct mk_load {
	u64 pa, va, size, filesz;
	u64 off; /* set when the layout is made */
};

struct mk_note {
	char name[24];
	u32 type, namesz, descsz; /* as they are said to be */
	size_t size;		  /* bytes there are */
};

struct mk_section {
	u64 nr, pa, va; /* of its first struct page */
};

struct mkcore {
	struct mk_line *lines;
	size_t nlines;
	struct mk_ram ram[MK_MAX];
	size_t nram;
	struct mk_load loads[MK_MAX];
	size_t nloads;
	struct mk_note notes[MK_MAX];
	size_t nnotes;
	bool no_vmcoreinfo;
	char *info[MK_LINES];
	size_t ninfo;
	struct mk_section sections[MK_MAX];
	size_t nsections;
	u64 vmemmap;
	u64 tables, tables_next, tables_end; /* pa */
	struct mkcore_expect expects[MK_LINES], kepts[MK_LINES];
	size_t nexpects, nkepts;
};

struct mk_directive {
	const char *name;
	unsigned phase;
	unsigned min_tok; /* tokens after the name */
	void (*apply)(struct mkcore *mk, const struct mk_line *l);
};

extern const struct mk_directive mk_mem_directives[], mk_page_directives[], mk_elf_directives[];

enum mk_phase { MK_LAYOUT, MK_FILL, MK_TABLE, MK_PAGE, MK_PATCH, MK_FILE, MK_PHASES };

void mk_die(const struct mk_line *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
/* A number with base 0 and K, M or G after it; a pfn range A, A-B or A+COUNT. */
u64 mk_number(const struct mk_line *l, const char *text);
void mk_range(const struct mk_line *l, const char *text, u64 *first, u64 *last);
/* The value of the token KEY=VALUE, or NULL. */
const char *mk_option(const struct mk_line *l, const char *key);
u64 mk_option_number(const struct mk_line *l, const char *key, u64 otherwise);
/* A VMCOREINFO value as a number; dies when it is not there and otherwise is ~0. */
u64 mk_info_number(const struct mkcore *mk, const struct mk_line *l, u64 otherwise, const char *fmt,
		   ...) __attribute__((format(printf, 4, 5)));

/* Memory; bytes outside of RAM read as zeros, and writing there dies. */
void mk_read(const struct mkcore *mk, u64 pa, void *buf, size_t len);
void mk_write(struct mkcore *mk, const struct mk_line *l, u64 pa, const void *buf, size_t len);
void mk_write64(struct mkcore *mk, const struct mk_line *l, u64 pa, u64 value);
/* Maps size bytes from va to pa with leaves of leaf bytes (4K, 2M, 1G). */
void mk_map(struct mkcore *mk, const struct mk_line *l, u64 va, u64 pa, u64 size, u64 leaf);
/* Fills bytes that look random but are always the same for a seed. */
void mk_seed(u8 *buf, size_t len, u64 seed);

#endif
