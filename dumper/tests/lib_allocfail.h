/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib_allocfail.h - lets allocations fail, and counts what was not given back. A test that uses it
 * is linked with --wrap and the static libraries (ALLOC_TESTS of the Makefile), so that zstd's,
 * zlib's, libelf's and libblkid's allocations count too; the C library's own do not.
 * Counted: malloc, calloc, realloc, reallocarray, posix_memalign, strdup, strndup, asprintf, mmap,
 *          pthread_create, opendir and fdopendir, in the order in which they are called.
 * Threads: run may start some, and must end them. */
#ifndef CRASHPOD_TESTS_LIB_ALLOCFAIL_H
#define CRASHPOD_TESTS_LIB_ALLOCFAIL_H

#include "../base/types.h"

/* Calls run with each allocation in it failing in turn, first alone, then with all that come after
 * it, until none is left to fail; then check, in which none fails. The test fails where run has not
 * given back what it took: memory, mappings, directories, file descriptors. what: for messages.
 * Returns how many allocations run makes when none fails. */
unsigned allocfail_each(const char *name, void (*run)(void *arg),
			void (*check)(void *arg, const char *what, bool failed), void *arg);

#endif
