/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../dumper/base/clock.h"

#define PREFIX "crashpod: "
#define LINE_BYTES 1024
#define PATIENCE_MS 3000
#define PATIENCE_TARDY_MS 20

void console_init(struct console *c)
{
	*c = (struct console){ .fd = -1 };
}

int console_open(struct console *c)
{
	c->fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (c->fd >= 0)
		return 0;
	c->fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	c->kmsg = c->fd >= 0;
	return c->fd >= 0 ? 0 : -errno;
}

/* The console does not block: a terminal held by flow control would hold PID 1 as well. */
static void put(struct console *c, const char *p, size_t len)
{
	u64 until = clock_ms() + (c->tardy ? PATIENCE_TARDY_MS : PATIENCE_MS);

	while (c->fd >= 0 && len) {
		struct pollfd pfd = { .fd = c->fd, .events = POLLOUT };
		ssize_t n = write(c->fd, p, len);

		if (n > 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return;
		if (clock_ms() >= until) {
			c->tardy = true;
			return;
		}
		poll(&pfd, 1, PATIENCE_TARDY_MS);
	}
}

void console_drain(struct console *c)
{
	u64 until = clock_ms() + (c->tardy ? PATIENCE_TARDY_MS : PATIENCE_MS);
	int left = 0;

	/* tcdrain() would wait for ever where flow control holds the terminal */
	while (c->fd >= 0 && ioctl(c->fd, TIOCOUTQ, &left) == 0 && left > 0 && clock_ms() < until)
		clock_sleep_ms(PATIENCE_TARDY_MS);
}

size_t console_escape(char *out, size_t cap, size_t *out_len, const char *text, size_t len,
		      bool newlines)
{
	static const char hex[] = "0123456789abcdef";
	size_t i, n = 0;

	for (i = 0; i < len && cap - n > 4; i++) {
		u8 b = (u8)text[i];

		if ((b >= 0x20 && b < 0x7f) || (newlines && b == '\n')) {
			out[n++] = (char)b;
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[b >> 4];
		out[n++] = hex[b & 15];
	}
	out[n] = '\0';
	*out_len = n;
	return i;
}

void console_say(struct console *c, const char *fmt, ...)
{
	char text[LINE_BYTES], line[LINE_BYTES + 32] = PREFIX;
	size_t n = sizeof(PREFIX) - 1, out;
	va_list ap;

	if (c->kmsg)
		n = (size_t)snprintf(line, sizeof(line), "<4>" PREFIX);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	console_escape(line + n, sizeof(line) - n - 1, &out, text, strlen(text), false);
	line[n + out] = '\n';
	put(c, line, n + out + 1);
}

void console_text(struct console *c, const char *text, size_t len)
{
	char part[256];

	while (len && c->fd >= 0) {
		size_t out, used = console_escape(part, sizeof(part), &out, text, len, true);

		put(c, part, out);
		text += used;
		len -= used;
	}
}
