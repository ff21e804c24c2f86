/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dumps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/io.h"
#include "base/naming.h"
#include "base/record_read.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DUMPS_MAX 16384

static const char *const state_names[] = {
	[DUMPS_COMPLETE] = "complete", [DUMPS_INCOMPLETE] = "incomplete", [DUMPS_CUT] = "cut",
	[DUMPS_RAW] = "raw",	       [DUMPS_NONE] = "no dump",
};

const char *dump_state_name(enum dump_state state)
{
	return state_names[state];
}

struct dump_entry *dumps_add(struct dumps *d)
{
	if (d->n == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 16;
		struct dump_entry *v = cap > DUMPS_MAX ? NULL : realloc(d->v, cap * sizeof(*v));

		if (!v)
			return NULL;
		d->v = v;
		d->cap = cap;
	}
	memset(&d->v[d->n], 0, sizeof(d->v[0]));
	return &d->v[d->n++];
}

void dumps_free(struct dumps *d)
{
	free(d->v);
	*d = (struct dumps){ 0 };
}

static bool is_file(int dir, const char *name, struct stat *st)
{
	return fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st->st_mode);
}

/* Whether a file begins as one of the formats of a dump. */
static bool begins_as_dump(int dir, const char *name)
{
	static const char *const magics[] = { "KDUMP   ", "\177ELF", "makedumpfile" };
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char head[16] = "";

	if (fd < 0 || io_pread_full(fd, head, sizeof(head), 0) < (ssize_t)sizeof(head))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (memcmp(head, magics[i], strlen(magics[i])) == 0)
			return true;
	return false;
}

/* The dump's file in the directory, under any of the names it may have. */
static bool find_file(int dir, const struct naming *n, struct dump_entry *entry, struct stat *st)
{
	static const char *const suffixes[] = { "", NAMING_INCOMPLETE, NAMING_FIRST };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		snprintf(entry->file, sizeof(entry->file), "%s%s", n->dump, suffixes[i]);
		if (is_file(dir, entry->file, st)) {
			entry->state = i ? DUMPS_CUT : DUMPS_COMPLETE;
			return true;
		}
	}
	entry->file[0] = '\0';
	entry->state = DUMPS_NONE;
	return false;
}

static int read_record(int dir, struct json_doc *doc)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int rc = record_load(dir, NAMING_RECORD, &text, &len);

	if (!rc)
		rc = json_doc_parse(doc, text, len);
	if (!rc && strncmp(json_text(doc, NULL, "program"), "crashpod ", 9) != 0) {
		json_doc_free(doc);
		rc = -EINVAL;
	}
	return rc;
}

/* All that is known of the dump in an open directory; false: there is none. */
static bool look(int dir, const struct naming *n, struct dump_entry *entry, struct json_doc *doc)
{
	struct stat st, log, own;
	bool there = find_file(dir, n, entry, &st);
	bool dump = there && begins_as_dump(dir, entry->file);

	entry->record = read_record(dir, doc) == 0;
	if (!dump && !entry->record)
		return false;
	entry->foreign = !fstat(dir, &own) && own.st_uid && own.st_uid != geteuid();
	if (is_file(dir, n->dmesg, &log))
		snprintf(entry->dmesg, sizeof(entry->dmesg), "%s", n->dmesg);
	if (there) {
		entry->bytes = (u64)st.st_size;
		entry->when = st.st_mtime;
	} else if (fstat(dir, &st) == 0) {
		entry->when = st.st_mtime;
	}
	if (entry->record)
		dump_from_record(entry, doc);
	if (dump && (!entry->record || !entry->has_level))
		dump_from_header(entry);
	return true;
}

static int scan_one(struct dumps *d, int top, const char *path, const char *name, struct err *e)
{
	_cleanup_close_ int dir = -1;
	struct json_doc doc = { 0 };
	struct dump_entry *entry;
	struct naming n;
	int rc;

	if (!naming_parse(&n, name))
		return 0;
	dir = openat(top, name, DIR_FLAGS);
	rc = dir < 0 ? errno : 0;
	if (rc == ENOTDIR || rc == ELOOP || rc == ENOENT)
		return 0;
	if (rc == EACCES)
		return err_sys(e, -rc, "%s/%s", path, name);
	entry = dumps_add(d);
	if (!entry)
		return err_sys(e, -ENOMEM, "%s", path);
	snprintf(entry->dir, sizeof(entry->dir), "%s/%s", strcmp(path, "/") ? path : "", name);
	/* a bad block under one directory does not hide the others */
	if (rc) {
		entry->state = DUMPS_CUT;
		snprintf(entry->reason, sizeof(entry->reason), "it cannot be opened: %s",
			 strerror(rc));
	} else if (!look(dir, &n, entry, &doc)) {
		d->n--;
	}
	json_doc_free(&doc);
	return 0;
}

int dumps_scan(struct dumps *d, const char *path, struct err *e)
{
	DIR *top = opendir(path);
	struct dirent *ent;
	int rc = 0;

	if (!top)
		return err_sys(e, -errno, "%s", path);
	while (!rc && (ent = readdir(top)))
		rc = scan_one(d, dirfd(top), path, ent->d_name, e);
	closedir(top);
	return rc;
}

static int newest_first(const void *a, const void *b)
{
	const struct dump_entry *x = a, *y = b;
	const char *xd = strrchr(x->dir, '/'), *yd = strrchr(y->dir, '/');
	u64 xs, xn, ys, yn;

	if (x->when != y->when)
		return x->when > y->when ? -1 : 1;
	naming_age(xd ? xd + 1 : "", &xs, &xn);
	naming_age(yd ? yd + 1 : "", &ys, &yn);
	if (xn != yn)
		return xn > yn ? -1 : 1;
	return -strcmp(x->dir, y->dir);
}

void dumps_sort(struct dumps *d)
{
	if (d->n)
		qsort(d->v, d->n, sizeof(*d->v), newest_first);
}

/* A file that lies anywhere: its record is beside it only where the names say so. */
static int find_plain(struct dump_entry *entry, const char *dir, const char *file, struct err *e)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_sys(e, -errno, "%s", dir);
	if (strlen(file) >= sizeof(entry->file) || !is_file(fd, file, &st) ||
	    !begins_as_dump(fd, file))
		return err_set(e, -ENOENT, "%s/%s: no dump", dir, file);
	snprintf(entry->dir, sizeof(entry->dir), "%s", dir);
	snprintf(entry->file, sizeof(entry->file), "%s", file);
	entry->bytes = (u64)st.st_size;
	entry->when = st.st_mtime;
	dump_from_header(entry);
	return 0;
}

static int find_in(struct dump_entry *entry, const char *dir, const struct naming *n,
		   struct json_doc *doc, struct err *e)
{
	_cleanup_close_ int fd = open(dir, DIR_FLAGS);

	if (fd < 0)
		return err_sys(e, -errno, "%s", dir);
	snprintf(entry->dir, sizeof(entry->dir), "%s", dir);
	return look(fd, n, entry, doc) ? 0 : err_set(e, -ENOENT, "%s: no dump in it", dir);
}

int dump_find(struct dump_entry *entry, const char *path, struct json_doc *doc, struct err *e)
{
	struct json_doc own = { 0 };
	char real[PATH_MAX], *base;
	struct naming n;
	struct stat st;
	int rc;

	memset(entry, 0, sizeof(*entry));
	if (!realpath(path, real) || stat(real, &st))
		return err_sys(e, -errno, "%s", path);
	base = strrchr(real, '/') + 1;
	if (S_ISDIR(st.st_mode)) {
		rc = naming_parse(&n, base) ? find_in(entry, real, &n, &own, e)
					    : err_set(e, -ENOENT, "%s: no dump's directory", path);
	} else {
		char dir[PATH_MAX], *up;

		snprintf(dir, sizeof(dir), "%.*s", (int)(base - 1 - real), real);
		up = strrchr(dir, '/');
		if (up && naming_parse(&n, up + 1) && strncmp(base, n.dump, strlen(n.dump)) == 0)
			rc = find_in(entry, dir, &n, &own, e);
		else
			rc = find_plain(entry, dir[0] ? dir : "/", base, e);
	}
	if (!rc && doc)
		*doc = own;
	else
		json_doc_free(&own);
	return rc;
}
