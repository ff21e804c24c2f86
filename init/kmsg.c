/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../dumper/base/types.h"

#define LEVEL_MASK 7
#define LEVEL_WARNING 4
#define RECORD_MAX 2048 /* of text; the kernel refuses to give a longer one */
#define RECORDS_MAX 1000
#define LINE_BYTES 900 /* what a record takes since 3.5 */

int kmsg_begin(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* "PRIORITY,SEQUENCE,TIME,FLAGS;TEXT\n", then lines " KEY=VALUE". */
bool kmsg_warning(const char *rec, size_t len, char *out, size_t cap)
{
	const char *text = memchr(rec, ';', len), *nl;
	unsigned priority = 0;
	size_t n;

	*out = '\0';
	if (!text)
		return false;
	for (const char *p = rec; p < text && *p >= '0' && *p <= '9'; p++)
		priority = priority * 10 + (unsigned)(*p - '0');
	if ((priority & LEVEL_MASK) > LEVEL_WARNING)
		return false;
	n = len - (size_t)(++text - rec);
	nl = memchr(text, '\n', n);
	if (nl)
		n = (size_t)(nl - text);
	n = MIN(n, cap - 1);
	memcpy(out, text, n);
	out[n] = '\0';
	return n != 0;
}

bool kmsg_complaint(int fd, char *out, size_t cap)
{
	char rec[RECORD_MAX + 256];

	*out = '\0';
	for (unsigned i = 0; fd >= 0 && i < RECORDS_MAX; i++) {
		ssize_t n = read(fd, rec, sizeof(rec));

		/* EPIPE: older ones were overwritten, the next read goes on */
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return false;
		if (kmsg_warning(rec, (size_t)n, out, cap))
			return true;
	}
	return false;
}

static int write_line(int fd, const char *text, size_t len)
{
	char rec[LINE_BYTES + 8];
	int n = snprintf(rec, sizeof(rec), "<7>%.*s\n", (int)len, text);

	return write(fd, rec, (size_t)n) < 0 ? -errno : 0;
}

int kmsg_write_lines(const char *text, size_t len)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC), rc = fd < 0 ? -errno : 0;

	while (!rc && len) {
		const char *nl = memchr(text, '\n', MIN(len, (size_t)LINE_BYTES));
		size_t n = nl ? (size_t)(nl - text) : MIN(len, (size_t)LINE_BYTES);

		rc = write_line(fd, text, n);
		n += nl ? 1 : 0;
		text += n;
		len -= n;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}
