/* SPDX-License-Identifier: GPL-2.0-or-later */
/* types.h - short integer names, and the page geometry of x86_64.
 * Units: pa = physical address in bytes; va = kernel virtual address; pfn = pa / PAGE_SIZE. */
#ifndef CRASHPOD_TYPES_H
#define CRASHPOD_TYPES_H

#include <limits.h> /* musl defines PAGE_SIZE there: seen first, it stays out of the way */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef int16_t s16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#undef PAGE_SHIFT
#undef PAGE_SIZE
#define PAGE_SHIFT 12
#define PAGE_SIZE ((size_t)1 << PAGE_SHIFT)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

static inline u64 align_up(u64 v, u64 to)
{
	return (v + to - 1) / to * to;
}

#endif
