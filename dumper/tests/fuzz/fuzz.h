/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz.h - what the fuzz targets share. A target is one file fuzz_NAME.c with one function, which
 * libFuzzer calls (make fuzz), and test_fuzz_replay.c without it.
 * Errors: a property that does not hold ends the program with its text and place. */
#ifndef CRASHPOD_TESTS_FUZZ_H
#define CRASHPOD_TESTS_FUZZ_H

#include "../../core.h"

/* The function of a target: libFuzzer knows it by a fixed name, the replay by the target's. */
#ifdef FUZZ_REPLAY
#define FUZZ_TARGET(name) fuzz_##name
#else
#define FUZZ_TARGET(name) LLVMFuzzerTestOneInput
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int fuzz_conf(const uint8_t *data, size_t size);
int fuzz_dmesg(const uint8_t *data, size_t size);
int fuzz_elf(const uint8_t *data, size_t size);
int fuzz_flat(const uint8_t *data, size_t size);
int fuzz_kdump(const uint8_t *data, size_t size);
int fuzz_memmap(const uint8_t *data, size_t size);
int fuzz_record(const uint8_t *data, size_t size);
int fuzz_vmcoreinfo(const uint8_t *data, size_t size);
int fuzz_whole(const uint8_t *data, size_t size);
int fuzz_xlat(const uint8_t *data, size_t size);
int fuzz_zpage(const uint8_t *data, size_t size);

#define FUZZ_CHECK(cond)                                      \
	do {                                                  \
		if (!(cond))                                  \
			fuzz_fail(#cond, __FILE__, __LINE__); \
	} while (0)

void fuzz_fail(const char *what, const char *file, int line) __attribute__((noreturn));

/* Takes up to 8 bytes from the front of the input, little endian; what is not there is zero. */
u64 fuzz_take(const uint8_t **data, size_t *size, size_t bytes);

/* A file in memory that can be opened by path until fd is closed. */
struct fuzz_file {
	int fd;
	char path[32];
};

void fuzz_file_make(struct fuzz_file *f, const void *buf, size_t len);

/* A dead kernel whose physical memory is an array: 256 KiB from address 0, zeros where the input
 * has ended. */
#define FUZZ_MEM_PAGES 64
#define FUZZ_MEM_SIZE (FUZZ_MEM_PAGES * PAGE_SIZE)
#define FUZZ_VA 0xffffffff80000000ull
#define FUZZ_TABLES ((size_t)0x1000) /* three page table pages: 2 MiB at FUZZ_VA are 2 MiB at 0 */
#define FUZZ_FREE ((size_t)0x4000)   /* first byte that they leave to the input */

struct fuzz_mem {
	struct core core;
	struct source src;
	unsigned gets; /* window_get() calls so far */
	u8 *mem;       /* of its own, so that one byte past it is found */
};

/* vmcoreinfo is text, or NULL. */
struct fuzz_mem *fuzz_mem_new(const char *vmcoreinfo);
void fuzz_mem_free(struct fuzz_mem *m);
/* Copies the input to address at on, as much as there is room for. */
void fuzz_mem_fill(struct fuzz_mem *m, size_t at, const uint8_t *data, size_t size);
/* The tables of FUZZ_TABLES. */
void fuzz_mem_map(struct fuzz_mem *m);

/* Checks that hold for every open source: bits, the next page of RAM, and what windows give. */
void fuzz_check_source(struct source *s);

/* The VMCOREINFO of fuzz_memmap, from the texts in golden/: kind 0, the kernel of 6.1; 1, that of
 * 6.12. Sections of 16 MiB, their table at FUZZ_FREE. The caller frees. */
#define FUZZ_KERNELS 2
char *fuzz_kernel_info(unsigned kind);
/* The logs of fuzz_dmesg: 0, the printk ring buffer; 1, the record log. */
extern const char *const fuzz_log_info[2];

/* Seeds: made when they are asked for, given one by one. */
typedef void (*fuzz_seed_fn)(void *arg, const char *name, const u8 *data, size_t size);

struct fuzz_seeds {
	const char *target;
	void (*make)(fuzz_seed_fn give, void *arg);
};

/* By target; ends with a NULL name. */
extern const struct fuzz_seeds fuzz_seeds[];
const struct fuzz_seeds *fuzz_seeds_find(const char *target);

/* The bytes of a kept input, whose text fuzz_text.c describes, or NULL where the file cannot be
 * read; the caller frees. A mistake in the text ends the program. */
u8 *fuzz_text_read(const char *target, const char *path, size_t *size);
/* Prints an input as such a text: what differs from the seed that is most like it. */
void fuzz_text_print(const char *target, const u8 *data, size_t size);

#endif
