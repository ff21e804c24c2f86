/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list_print.h - how `crashpod list` shows dumps.
 * Units:  width: columns of the terminal, 0: as many as it takes.
 * Errors: 0 or -errno. */
#ifndef CRASHPOD_LIST_PRINT_H
#define CRASHPOD_LIST_PRINT_H

#include <stdio.h>

#include "dumps.h"
#include "seen.h"

/* A table with a line of heads; nothing at all for no dump. The cause is cut to fit the width. */
void list_table(FILE *out, const struct dumps *d, unsigned width);
int list_json(FILE *out, const char *path, const struct dumps *d, const struct seen *s);

#endif
