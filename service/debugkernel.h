/* SPDX-License-Identifier: GPL-2.0-or-later */
/* debugkernel.h - a kernel's vmlinux with its debug information, where distributions have it.
 * In:     root: "" or another root directory, as in tree.h; release: hostile, from a dump. */
#ifndef CRASHPOD_DEBUGKERNEL_H
#define CRASHPOD_DEBUGKERNEL_H

#include <limits.h>

#include "base/types.h"

/* False, and "", where there is none. */
bool debugkernel_find(char path[static PATH_MAX], const char *root, const char *release);

#endif
