/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void scan_blanks(struct scanner *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
		s->p++;
}

bool scan_take(struct scanner *s, char c)
{
	scan_blanks(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* The character after a backslash. \u stands for one byte where it is ASCII. */
static int unescape(struct scanner *s)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/    ";
	const char *at;
	char hex[5] = "";

	if (s->p == s->end)
		return -EINVAL;
	if (*s->p == 'u') {
		unsigned long v;

		if (s->end - s->p < 5)
			return -EINVAL;
		memcpy(hex, s->p + 1, 4);
		if (strspn(hex, "0123456789abcdefABCDEF") != 4)
			return -EINVAL;
		s->p += 5;
		v = strtoul(hex, NULL, 16);
		return v >= 0x20 && v < 0x7f ? (int)v : '?';
	}
	at = *s->p ? strchr(from, *s->p) : NULL;
	if (!at)
		return -EINVAL;
	s->p++;
	/* "bfnrt" move a terminal's cursor: a blank will do */
	return at - from < 3 ? to[at - from] : ' ';
}

int scan_string(struct scanner *s, char *out, size_t cap)
{
	size_t n = 0;

	if (!scan_take(s, '"'))
		return -EINVAL;
	while (s->p < s->end && *s->p != '"') {
		int c = (u8)*s->p++;

		if (c == '\\')
			c = unescape(s);
		if (c < 0)
			return c;
		if (n + 1 < cap)
			out[n++] = (char)(c >= 0x20 && c < 0x7f ? c : '?');
	}
	if (cap)
		out[n] = '\0';
	return scan_take(s, '"') ? 0 : -EINVAL;
}
