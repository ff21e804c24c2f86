/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dmesg_out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int dmesg_out_flush(struct dmesg_out *o)
{
	if (!o->rc && o->len)
		o->rc = o->sink(o->arg, o->buf, o->len);
	o->len = 0;
	return o->rc;
}

static void dmesg_out_put(struct dmesg_out *o, const char *text, size_t len)
{
	if (sizeof(o->buf) - o->len < len)
		dmesg_out_flush(o);
	memcpy(o->buf + o->len, text, len);
	o->len += len;
}

void dmesg_out_begin(struct dmesg_out *o, u64 ts_nsec, u64 caller)
{
	char stamp[64], who[16];
	int len;

	len = snprintf(stamp, sizeof(stamp), "[%5" PRIu64 ".%06u]", ts_nsec / 1000000000,
		       (unsigned)(ts_nsec % 1000000000 / 1000));
	if (caller != DMESG_NO_CALLER) {
		/* The kernel's own form: T and a thread's id, or C and a CPU's number. */
		snprintf(who, sizeof(who), "%c%u", caller & 0x80000000u ? 'C' : 'T',
			 (unsigned)(caller & 0x7fffffffu));
		len += snprintf(stamp + len, sizeof(stamp) - len, "[%6s]", who);
	}
	len += snprintf(stamp + len, sizeof(stamp) - len, " ");
	o->indent = len;
	dmesg_out_put(o, stamp, len);
}

void dmesg_out_text(struct dmesg_out *o, const u8 *text, size_t len)
{
	char esc[8];

	for (size_t i = 0; i < len; i++) {
		char c = (char)text[i];

		if (c == '\n') {
			dmesg_out_put(o, &c, 1);
			for (unsigned k = 0; k < o->indent; k++)
				dmesg_out_put(o, " ", 1);
		} else if (c == '\t' || (text[i] >= 0x20 && text[i] < 0x7f)) {
			dmesg_out_put(o, &c, 1);
		} else {
			snprintf(esc, sizeof(esc), "\\x%02x", text[i]);
			dmesg_out_put(o, esc, 4);
		}
	}
}

void dmesg_out_end(struct dmesg_out *o)
{
	dmesg_out_put(o, "\n", 1);
	dmesg_out_flush(o);
}

int dmesg_walk_read(struct dmesg_walk *w, u64 va, void *buf, size_t len)
{
	int rc = kmem_read(&w->km, va, buf, len, w->first.code ? NULL : &w->first);

	if (rc)
		w->failures++;
	return rc;
}

void dmesg_walk_text(struct dmesg_walk *w, u64 va, size_t len)
{
	while (len) {
		size_t n = MIN(len, sizeof(w->piece));

		if (dmesg_walk_read(w, va, w->piece, n))
			return;
		dmesg_out_text(&w->out, w->piece, n);
		va += n;
		len -= n;
	}
}

int dmesg_walk_over(const struct dmesg_walk *w)
{
	if (w->out.rc)
		return w->out.rc;
	return w->failures > DMESG_FAILURES_MAX ? w->first.code : 0;
}
