/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crashkernel.h - what a kernel command line reserves, and words of command lines.
 * Units:  bytes.
 * Source: Documentation/admin-guide/kdump/kdump.rst, "crashkernel syntax" */
#ifndef CRASHPOD_CRASHKERNEL_H
#define CRASHPOD_CRASHKERNEL_H

#include "base/types.h"

#define CRASHKERNEL_WORD 128

/* What the last crashkernel= of text reserves on a machine of ram bytes; word gets it as it stands
 * (cut off at its end; empty: there is none). 0 also where it is not understood. Comments: lines
 * that begin with '#' are passed over. */
u64 crashkernel_read(const char *text, u64 ram, char word[static CRASHKERNEL_WORD]);

/* The line with word in the place of the last crashkernel= that counts, or where there is none
 * behind the last word (in the quotes, where the line ends with one). The caller frees the result;
 * NULL: no memory. */
char *crashkernel_replace(const char *line, const char *word);

#endif
