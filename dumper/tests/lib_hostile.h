/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib_hostile.h - a vmcore of a golden machine, damaged; its dumps at three levels and in both
 * formats must be whole and sound, with every page that the undamaged kernel would have kept and
 * every page whose class is in doubt, as the vmcore has them. Failures end the test. */
#ifndef CRASHPOD_LIB_HOSTILE_H
#define CRASHPOD_LIB_HOSTILE_H

#include "lib_golden.h"

#define ANY (~(u64)0)
#define TABLES 0x200000 /* of machine.txt: page tables */
#define ROOTS 0x210000	/* the roots of the section table; a page of sections follows */
#define SECTIONS (ROOTS + 0x4000)
#define STRUCT_PAGE(pfn) (0x400000 + 64ull * (pfn))
#define GROUP 64

/* The one machine under test. */
extern struct hostile {
	struct scratch scratch;
	struct golden g;
	char vmcore[256];
} hostile;

struct hostile_want {
	u64 first, last;	/* pages of RAM whose class is not known: kept, whatever it was */
	u64 unknown, no_memmap; /* counted; ANY: not computable */
	const char *reason;	/* a part of it, or NULL */
};

u64 hostile_random(u64 *x);

/* Makes the vmcore of a golden file, with more lines. */
void hostile_start(const char *file, const char *more);

/* Writes into every place that the vmcore's file has for a physical address, or reads. */
void hostile_poke(u64 pa, void *data, size_t len, bool write);
void hostile_poke64(u64 pa, u64 value);
void hostile_poke_random(u64 pa, size_t len, u64 *x);

/* Dumps the vmcore in all kinds and checks each. */
void hostile_check(const char *what, const struct hostile_want *w);
u64 hostile_ram_pages(u64 first, u64 last);
/* Nothing can be told: everything is there. */
struct hostile_want hostile_all_of(const char *reason);

int hostile_clean(void **state);
int hostile_setup(void **state);
int hostile_teardown(void **state);

#endif
