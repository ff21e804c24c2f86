/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log kept in memory, and the line in it that tells why the kernel died. */
#include "dmesg.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_GROW 16384

struct text {
	char *buf;
	size_t len, cap, max;
	u64 cut;
};

/* Makes room for n more bytes by leaving out the oldest lines. */
static void text_drop(struct text *t, size_t n)
{
	/* A quarter at a time, so that a long log is not moved for every line. */
	size_t drop = MIN(t->len, MAX(n, t->max / 4));
	char *nl;

	if (drop < t->len) {
		nl = memchr(t->buf + drop, '\n', t->len - drop);
		if (nl)
			drop = nl + 1 - t->buf;
	}
	memmove(t->buf, t->buf + drop, t->len - drop);
	t->len -= drop;
	t->cut += drop;
}

static int text_sink(void *arg, const char *text, size_t len)
{
	struct text *t = arg;

	if (len > t->max) {
		text += len - t->max;
		t->cut += len - t->max;
		len = t->max;
	}
	if (t->max - t->len < len)
		text_drop(t, len - (t->max - t->len));
	if (t->cap - t->len < len) {
		size_t cap = MIN(t->max, MAX(t->cap * 2, t->len + len + TEXT_GROW));
		char *buf = realloc(t->buf, cap + 1);

		/* In a small crash kernel the newest lines are still worth having. */
		if (!buf && t->cap < len)
			return -ENOMEM;
		if (!buf) {
			t->max = t->cap;
			if (t->max - t->len < len)
				text_drop(t, len - (t->max - t->len));
		} else {
			t->buf = buf;
			t->cap = cap;
		}
	}
	memcpy(t->buf + t->len, text, len);
	t->len += len;
	return 0;
}

int dmesg_text(const struct core *core, size_t max, char **text, size_t *len, u64 *cut,
	       struct err *e)
{
	struct text t = { .max = max };
	int rc = dmesg_write(core, text_sink, &t, e);

	/* a log without a line is a text all the same */
	if (!t.buf && !rc) {
		t.buf = malloc(1);
		if (!t.buf)
			rc = err_sys(e, -ENOMEM, "text of the log");
	}
	if (t.buf)
		t.buf[t.len] = '\0';
	*text = t.buf;
	*len = t.len;
	if (cut)
		*cut = t.cut;
	return rc;
}

/* What the line of a death begins with. rank: how much it tells; the last line of the highest rank
 * is the answer. */
static const struct {
	const char *begins;
	unsigned rank;
} text_deaths[] = {
	/* says only that something before it was fatal */
	{ "Kernel panic - not syncing: Fatal exception", 1 },
	{ "Oops: ", 2 },
	{ "Internal error: ", 2 },
	{ "BUG: ", 3 },
	{ "kernel BUG at ", 3 },
	{ "watchdog: BUG: ", 3 },
	{ "Unable to handle kernel ", 3 },
	{ "general protection fault", 3 },
	{ "divide error: ", 3 },
	{ "double fault: ", 3 },
	{ "PANIC: double fault", 3 },
	{ "traps: PANIC: double fault", 3 },
	{ "sysrq: Trigger a crash", 4 },
	{ "sysrq: SysRq : Trigger a crash", 4 },
	{ "SysRq : Trigger a crash", 4 },
	{ "Kernel panic - not syncing: ", 4 },
};

static unsigned text_rank(const char *line, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(text_deaths); i++) {
		size_t n = strlen(text_deaths[i].begins);

		if (len >= n && !memcmp(line, text_deaths[i].begins, n))
			return text_deaths[i].rank;
	}
	return 0;
}

/* Length of "[    1.234567] " and of "[    1.234567][    T1] " at the start of a line. */
static size_t text_stamp(const char *line, size_t len)
{
	size_t i = 0;

	while (i < len && line[i] == '[') {
		size_t k = i + 1;

		while (k < len && line[k] == ' ')
			k++;
		if (i > 0 && k < len && (line[k] == 'T' || line[k] == 'C'))
			k++;
		while (k < len && (isdigit((unsigned char)line[k]) || (i == 0 && line[k] == '.')))
			k++;
		if (k >= len || line[k] != ']')
			break;
		i = k + 1;
	}
	return i < len && line[i] == ' ' ? i + 1 : i;
}

/* 5.10's real-time kernels log the reason as a line of its own. */
static const char text_split_panic[] = "Kernel panic - not syncing:";

/* One line of the text, from at: without its stamp; *next is where the one after it begins. */
static const char *text_line(const char *text, size_t len, size_t at, size_t *n, size_t *next)
{
	const char *nl = memchr(text + at, '\n', len - at);
	size_t whole = nl ? (size_t)(nl - (text + at)) : len - at;
	size_t stamp = text_stamp(text + at, whole);

	*n = whole - stamp;
	*next = at + whole + 1;
	return text + at + stamp;
}

int dmesg_panic_line(const char *text, size_t len, char *buf, size_t cap)
{
	unsigned best = 0;

	if (!cap)
		return -ENOENT;
	for (size_t at = 0, next; at < len; at = next) {
		size_t n, reason_n = 0, after;
		const char *line = text_line(text, len, at, &n, &next), *reason = "";
		unsigned rank = text_rank(line, n);

		if (n == strlen(text_split_panic) && !memcmp(line, text_split_panic, n)) {
			rank = 4;
			if (next < len)
				reason = text_line(text, len, next, &reason_n, &after);
		}
		if (rank && rank >= best) {
			best = rank;
			snprintf(buf, cap, "%.*s%s%.*s", (int)MIN(n, cap), line,
				 reason_n ? " " : "", (int)MIN(reason_n, cap), reason);
		}
	}
	return best ? 0 : -ENOENT;
}
