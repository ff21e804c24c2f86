/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib_kernel.h - a dead kernel of 256 KiB for tests: memory in an array, mapped from FAKE_VA on by
 * page tables that lie in it, and a vmcoreinfo given as text. */
#ifndef CRASHPOD_TESTS_LIB_KERNEL_H
#define CRASHPOD_TESTS_LIB_KERNEL_H

#include "../core.h"

#define FAKE_VA 0xffffffff80000000ull
#define FAKE_SIZE ((size_t)256 << 10)
#define FAKE_FREE 0x4000 /* the page tables lie below */

struct fake_kernel {
	struct core core;
	struct source src;
	u64 bad_pfn; /* cannot be read: -EIO; ~0 for none */
	u8 mem[FAKE_SIZE];
};

/* Allocates; fake_kernel_free() frees. vmcoreinfo may be NULL. */
struct fake_kernel *fake_kernel_new(const char *vmcoreinfo);
void fake_kernel_free(struct fake_kernel *fk);

void fake_put(struct fake_kernel *fk, u64 va, const void *data, size_t len);
void fake_put64(struct fake_kernel *fk, u64 va, u64 value);
void fake_put32(struct fake_kernel *fk, u64 va, u32 value);
void fake_put16(struct fake_kernel *fk, u64 va, u16 value);

#endif
