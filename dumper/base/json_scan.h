/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json_scan.h - the words of JSON text: for record_read.c and json_read.c only.
 * In:     hostile text that need not end in NUL. */
#ifndef CRASHPOD_JSON_SCAN_H
#define CRASHPOD_JSON_SCAN_H

#include "types.h"

struct scanner {
	const char *p, *end;
};

void scan_blanks(struct scanner *s);
/* Passes over blanks and c; false, and nothing more than blanks, where there is another one. */
bool scan_take(struct scanner *s, char c);
/* Reads a string, its first quote included, into out (which may be of 0 bytes). It is cut to fit;
 * what is not printable ASCII becomes '?', or ' ' where it moves a cursor. -EINVAL: no string. */
int scan_string(struct scanner *s, char *out, size_t cap);

#endif
