/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines.h - texts as sets of lines. */
#ifndef CRASHPOD_LINES_H
#define CRASHPOD_LINES_H

#include "base/types.h"

/* Whether text (NULL: none) has this whole line of len bytes. */
bool lines_have(const char *text, const char *line, size_t len);

#endif
