/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lines.h"

#include <string.h>

bool lines_have(const char *text, const char *line, size_t len)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");

		if (n == len && !memcmp(text, line, n))
			return true;
		text += n + (text[n] == '\n');
	}
	return false;
}
