/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernels.h - the kernels that are installed: those whose modules and image are both there.
 * In:     root: "" or another root directory, as in tree.h.
 * Errors: 0 or -errno. */
#ifndef CRASHPOD_KERNELS_H
#define CRASHPOD_KERNELS_H

#include "base/err.h"
#include "base/types.h"

#define KERNELS_MAX 64
#define KERNELS_RELEASE 128

struct kernels {
	char release[KERNELS_MAX][KERNELS_RELEASE];
	unsigned n;
};

/* Sorted by name; those beyond KERNELS_MAX are left out (-E2BIG). */
int kernels_find(struct kernels *k, const char *root, struct err *e);

#endif
