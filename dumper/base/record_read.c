/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard.h"
#include "io.h"

#define RECORD_MAX ((size_t)256 << 10)

struct scanner {
	const char *p, *end;
};

static void skip_blanks(struct scanner *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
		s->p++;
}

static bool take(struct scanner *s, char c)
{
	skip_blanks(s);
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

/* Reads a string, its first quote included, into out (which may be of 0 bytes). */
static int string(struct scanner *s, char *out, size_t cap)
{
	size_t n = 0;

	if (!take(s, '"'))
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
	return take(s, '"') ? 0 : -EINVAL;
}

/* Passes over a value of any kind: strings are read, so that brackets in them do not count. */
static int skip_value(struct scanner *s)
{
	unsigned depth = 0;

	do {
		char c;

		skip_blanks(s);
		if (s->p == s->end)
			return -EINVAL;
		c = *s->p;
		if (c == '"') {
			if (string(s, NULL, 0))
				return -EINVAL;
			continue;
		}
		if (!depth && (c == '}' || c == ']' || c == ','))
			return 0;
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		s->p++;
		/* the rest of a number or word is passed over a byte at a time */
	} while (depth || (s->p < s->end && !strchr(",}", *s->p)));
	return 0;
}

int record_find(const char *text, size_t len, const char *key, char *out, size_t cap)
{
	struct scanner s = { text, text + len };
	char name[64];

	out[0] = '\0';
	if (!take(&s, '{'))
		return -EINVAL;
	do {
		int rc = string(&s, name, sizeof(name));

		if (rc || !take(&s, ':'))
			return -EINVAL;
		skip_blanks(&s);
		if (strcmp(name, key) == 0) {
			if (s.p == s.end || *s.p != '"')
				return -ENOENT;
			rc = string(&s, out, cap);
			if (rc)
				out[0] = '\0';
			return rc;
		}
		if (skip_value(&s))
			return -EINVAL;
	} while (take(&s, ','));
	return -ENOENT;
}

int record_read(int dir, const char *file, const char *key, char *out, size_t cap)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = malloc(RECORD_MAX);
	struct stat st;
	ssize_t n;

	out[0] = '\0';
	/* to open a device node may be to do something */
	if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!text)
		return -ENOMEM;
	n = io_pread_full(fd, text, RECORD_MAX, 0);
	return n < 0 ? (int)n : record_find(text, (size_t)n, key, out, cap);
}
