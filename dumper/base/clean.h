/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clean.h - text of a dead kernel, or of a file that anyone may have written, as a terminal may
 * have it: printable ASCII. */
#ifndef CRASHPOD_CLEAN_H
#define CRASHPOD_CLEAN_H

#include "types.h"

/* In place: a tab becomes a blank, every other byte that is not printable ASCII '?'. */
static inline void clean_text(char *text)
{
	for (char *p = text; *p; p++)
		if (*p == '\t')
			*p = ' ';
		else if (*p < ' ' || *p > '~')
			*p = '?';
}

#endif
