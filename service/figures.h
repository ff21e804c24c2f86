/* SPDX-License-Identifier: GPL-2.0-or-later */
/* figures.h - numbers for people.
 * Units:  bytes come as "17.6 MiB", counts as "503,517", shares of a whole as "5.0%". */
#ifndef CRASHPOD_FIGURES_H
#define CRASHPOD_FIGURES_H

#include "base/types.h"

#define FIGURE_MAX 32

const char *figure_bytes(char buf[static FIGURE_MAX], u64 bytes);
const char *figure_count(char buf[static FIGURE_MAX], u64 n);
/* "<0.1%" for what is there and would be nothing. */
const char *figure_share(char buf[static FIGURE_MAX], u64 part, u64 whole);

#endif
