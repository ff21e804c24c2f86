/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "notes.h"
#include "source_kdump.h"

void verify_problem(struct verify *v, const char *fmt, ...)
{
	char line[ERR_MSG_MAX + 80];
	va_list ap;

	if (v->r->problems++ >= VERIFY_LINES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* texts of the file are quoted in it */
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	v->line(v->arg, line);
}

void verify_cut(struct verify *v, const struct fileview *view, bool marked)
{
	if (view->cut && !marked)
		verify_problem(v, "flattened stream ends early, but is not marked incomplete");
}

void verify_notes(struct verify *v, const u8 *notes, size_t len)
{
	struct notes_iter it;
	struct err e = { 0 };
	struct note n;
	int rc;

	notes_begin(&it, notes, len);
	do {
		rc = notes_next(&it, &n, &e);
	} while (rc > 0);
	if (rc)
		verify_problem(v, "notes: %s", e.msg);
}

int verify_run(struct verify_result *r, const char *path, verify_line_fn line, void *arg)
{
	struct verify v = { r, line, arg };
	const struct kdump_file *k;
	struct source *s = NULL;
	struct err e = { 0 };

	*r = (struct verify_result){ 0 };
	/* Partial, because a file that ends early is to be judged to its end. */
	if (source_open(&s, path, SOURCE_PARTIAL, &e)) {
		size_t n = strlen(path);

		/* a line is about the file already */
		verify_problem(&v, "%s",
			       strncmp(e.msg, path, n) || e.msg[n] != ':' ? e.msg : e.msg + n + 2);
		return -EBADMSG;
	}
	k = source_kdump_file(s);
	snprintf(r->format, sizeof(r->format), "%s%s", s->ops->name,
		 s->flattened ? "-flattened" : "");
	verify_notes(&v, s->notes, s->notes_len);
	if (k)
		verify_kdump(&v, k);
	else
		verify_elf(&v, s);
	source_close(s);
	if (r->problems)
		return -EBADMSG;
	if (r->incomplete || r->part)
		return -ENODATA;
	return r->unsupported ? -ENOTSUP : 0;
}

/* What is to be added to either verdict. */
static void verify_notes_to(const struct verify_result *r, char *buf, size_t cap)
{
	size_t len = strlen(buf);

	if (r->unsupported)
		snprintf(buf + len, cap - len,
			 "; %" PRIu64 " of %" PRIu64
			 " pages not checked: unsupported compression (lzo or snappy)",
			 r->unsupported, r->pages);
	len = strlen(buf);
	if (r->unreadable)
		snprintf(buf + len, cap - len,
			 "; %" PRIu64 " page%s could not be read when the dump was made",
			 r->unreadable, r->unreadable > 1 ? "s" : "");
}

void verify_summary(const struct verify_result *r, char *buf, size_t cap)
{
	if (r->problems)
		snprintf(buf, cap, "not sound: %" PRIu64 " problem%s%s", r->problems,
			 r->problems > 1 ? "s" : "",
			 r->problems > VERIFY_LINES_MAX ? ", the first of them above" : "");
	else if (r->incomplete)
		snprintf(buf, cap,
			 "sound as far as it goes, but incomplete: %s, %" PRIu64 " of %" PRIu64
			 " pages missing%s",
			 r->format, r->missing, r->pages,
			 r->hides_missing ? ", and those never written, which read as zeros" : "");
	else
		snprintf(buf, cap, "%s: %s, %" PRIu64 " pages",
			 r->part	  ? "sound, but one part of a split dump"
			 : r->unsupported ? "sound as far as it can be read"
					  : "sound",
			 r->format, r->pages);
	verify_notes_to(r, buf, cap);
}
