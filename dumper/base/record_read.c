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
#include "json_scan.h"

#define RECORD_MAX ((size_t)256 << 10)

/* Passes over a value of any kind: strings are read, so that brackets in them do not count. */
static int skip_value(struct scanner *s)
{
	unsigned depth = 0;

	do {
		char c;

		scan_blanks(s);
		if (s->p == s->end)
			return -EINVAL;
		c = *s->p;
		if (c == '"') {
			if (scan_string(s, NULL, 0))
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
	if (!scan_take(&s, '{'))
		return -EINVAL;
	do {
		int rc = scan_string(&s, name, sizeof(name));

		if (rc || !scan_take(&s, ':'))
			return -EINVAL;
		scan_blanks(&s);
		if (strcmp(name, key) == 0) {
			if (s.p == s.end || *s.p != '"')
				return -ENOENT;
			rc = scan_string(&s, out, cap);
			if (rc)
				out[0] = '\0';
			return rc;
		}
		if (skip_value(&s))
			return -EINVAL;
	} while (scan_take(&s, ','));
	return -ENOENT;
}

int record_load(int dir, const char *file, char **text, size_t *len)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *buf = NULL;
	struct stat st;
	ssize_t n;

	*text = NULL;
	*len = 0;
	/* to open a device node may be to do something */
	if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	buf = malloc(RECORD_MAX);
	if (!buf)
		return -ENOMEM;
	n = io_pread_full(fd, buf, RECORD_MAX, 0);
	if (n < 0)
		return (int)n;
	*text = guard_take_ptr(buf);
	*len = (size_t)n;
	return 0;
}

int record_read(int dir, const char *file, const char *key, char *out, size_t cap)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int rc = record_load(dir, file, &text, &len);

	out[0] = '\0';
	return rc ? rc : record_find(text, len, key, out, cap);
}
