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
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			*c = '?';
	v->ask.line(v->ask.arg, line);
}

void verify_unended(struct verify *v, int why)
{
	v->r->unended = why;
}

bool verify_pulse(struct verify *v, u64 done, u64 total)
{
	if (v->ask.pulse && !v->ask.pulse(v->ask.arg, done, total))
		verify_unended(v, -ECANCELED);
	return !v->r->unended;
}

const char *verify_depth_name(u32 depth)
{
	static const char *const names[] = { "none", "structure", "full" };

	return depth < ARRAY_SIZE(names) ? names[depth] : "?";
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

	if (v->ask.notes) {
		if (len != v->ask.notes_len || (len && memcmp(notes, v->ask.notes, len) != 0))
			verify_problem(v, "notes: %zu bytes are not the %zu that there were", len,
				       v->ask.notes_len);
		return;
	}
	notes_begin(&it, notes, len);
	do {
		rc = notes_next(&it, &n, &e);
	} while (rc > 0);
	if (rc)
		verify_problem(v, "notes: %s", e.msg);
}

static void verify_source(struct verify *v, struct source *s)
{
	const struct kdump_file *k = source_kdump_file(s);

	snprintf(v->r->format, sizeof(v->r->format), "%s%s", s->ops->name,
		 s->flattened ? "-flattened" : "");
	verify_notes(v, s->notes, s->notes_len);
	if (k)
		verify_kdump(v, k);
	else
		verify_elf(v, s);
}

/* fd: an open file, or -1: path is to be opened. Partial, because a file that ends early is to be
 * judged to its end. */
static int verify(struct verify *v, const char *path, int fd)
{
	struct verify_result *r = v->r;
	size_t n = strlen(path);
	struct source *s = NULL;
	struct err e = { 0 };
	int rc;

	*r = (struct verify_result){ 0 };
	rc = fd < 0 ? source_open(&s, path, SOURCE_PARTIAL, &e)
		    : source_open_part(&s, fd, v->ask.part_off, v->ask.part_size, path,
				       SOURCE_PARTIAL, &e);
	if (rc == 0)
		verify_source(v, s);
	else if (rc == -ENOMEM)
		verify_unended(v, rc);
	else /* a line is about the file already */
		verify_problem(v, "%s",
			       strncmp(e.msg, path, n) || e.msg[n] != ':' ? e.msg : e.msg + n + 2);
	source_close(s);
	if (r->problems)
		return -EBADMSG;
	if (r->unended)
		return r->unended;
	if (r->incomplete || r->part)
		return -ENODATA;
	return r->unsupported ? -ENOTSUP : 0;
}

int verify_run(struct verify_result *r, const char *path, verify_line_fn line, void *arg)
{
	struct verify v = { r, { .depth = VERIFY_FULL, .line = line, .arg = arg } };

	return verify(&v, path, -1);
}

int verify_fd(struct verify_result *r, int fd, const struct verify_ask *ask)
{
	struct verify v = { r, *ask };

	return verify(&v, "the file", fd);
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
	else if (r->unended)
		snprintf(buf, cap, "not judged to its end: %s", strerror(-r->unended));
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
