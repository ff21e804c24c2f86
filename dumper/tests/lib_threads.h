/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib_threads.h - how many threads a test's dump has. */
#ifndef CRASHPOD_TESTS_LIB_THREADS_H
#define CRASHPOD_TESTS_LIB_THREADS_H

#include <stdlib.h>

/* n; where that is more than one, CRASHPOD_TEST_THREADS instead, which `make tsan` sets. */
static inline unsigned test_threads(unsigned n)
{
	const char *more = getenv("CRASHPOD_TEST_THREADS");

	return n > 1 && more ? (unsigned)atoi(more) : n;
}

#endif
