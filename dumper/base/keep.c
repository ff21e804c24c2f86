/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard.h"
#include "naming.h"
#include "record_read.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DUMPS_MAX 100000

#define SERIES_S 3600

struct old {
	char dir[64];
	u64 stamp, serial; /* of naming_age() */
	u64 bytes;	   /* on the disk, of all its files */
	bool complete;
	bool go;
};

struct olds {
	struct old *v;
	size_t n, cap;
};

static int by_age(const void *a, const void *b)
{
	const struct old *x = a, *y = b;

	if (x->stamp != y->stamp)
		return x->stamp < y->stamp ? -1 : 1;
	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static bool is_file(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* In a directory where all may write, as Ubuntu's /var/crash, anyone could make ours look old. */
static bool is_own_dir(int dir)
{
	struct stat st;

	return fstat(dir, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & 022);
}

/* Bytes of a directory's files. */
static u64 dir_bytes(int fd)
{
	int copy = openat(fd, ".", DIR_FLAGS);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *d;
	struct stat st;
	u64 bytes = 0;

	if (!dir) {
		if (copy >= 0)
			close(copy);
		return 0;
	}
	while ((d = readdir(dir)))
		if (fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    st.st_nlink == 1) /* under another name it would go on taking its room */
			bytes += (u64)st.st_blocks * 512;
	closedir(dir);
	return bytes;
}

/* Whether name is a dump of crashpod's, and what is to be known of it. */
static bool look_at(int path, const char *name, struct old *o)
{
	_cleanup_close_ int dir = -1;
	struct naming n;

	if (!naming_parse(&n, name))
		return false;
	dir = openat(path, name, DIR_FLAGS);
	if (dir < 0 || !is_own_dir(dir) || !is_file(dir, NAMING_RECORD))
		return false;
	memset(o, 0, sizeof(*o));
	snprintf(o->dir, sizeof(o->dir), "%.*s", (int)sizeof(o->dir) - 1, n.dir);
	naming_age(o->dir, &o->stamp, &o->serial);
	o->complete = is_file(dir, n.dump);
	o->bytes = dir_bytes(dir);
	return true;
}

static int add(struct olds *o, const struct old *one)
{
	if (o->n == o->cap) {
		size_t cap = o->cap ? o->cap * 2 : 64;
		struct old *v = cap > DUMPS_MAX ? NULL : realloc(o->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		o->v = v;
		o->cap = cap;
	}
	o->v[o->n++] = *one;
	return 0;
}

/* Oldest first. */
static int collect(int path, const char *newest, struct olds *o, struct err *e)
{
	int fd = openat(path, ".", DIR_FLAGS), rc = 0;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;
	struct old one;

	if (!dir) {
		rc = err_sys(e, -errno, "the directory of dumps");
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (!rc && (d = readdir(dir)))
		if (strcmp(d->d_name, newest) != 0 && look_at(path, d->d_name, &one))
			rc = add(o, &one);
	closedir(dir);
	if (o->n)
		qsort(o->v, o->n, sizeof(*o->v), by_age);
	return rc ? err_sys(e, rc, "the list of dumps") : 0;
}

static int remove_file(int dir, const char *name)
{
	char temp[sizeof(((struct naming *)NULL)->dump) + sizeof(NAMING_INCOMPLETE)];
	int rc = 0;

	snprintf(temp, sizeof(temp), "%s" NAMING_INCOMPLETE, name);
	if (unlinkat(dir, name, 0) && errno != ENOENT)
		rc = -errno;
	if (unlinkat(dir, temp, 0) && errno != ENOENT && !rc)
		rc = -errno;
	return rc;
}

/* What is left of a first try where the machine died in the second. */
static int remove_first(int dir, const char *dump)
{
	char name[sizeof(((struct naming *)NULL)->dump) + sizeof(NAMING_FIRST)];

	snprintf(name, sizeof(name), "%s" NAMING_FIRST, dump);
	return unlinkat(dir, name, 0) && errno != ENOENT ? -errno : 0;
}

/* Removes what a dump consists of, the dump first. Where there is more it is not of our making: it
 * stays, and so does the directory. */
static int remove_dump(int path, const char *name)
{
	_cleanup_close_ int dir = openat(path, name, DIR_FLAGS);
	struct naming n;
	int rc;

	if (dir < 0)
		return -errno;
	if (!naming_parse(&n, name) || !is_own_dir(dir))
		return -EPERM;
	rc = remove_file(dir, n.dump);
	if (!rc)
		rc = remove_first(dir, n.dump);
	if (!rc)
		rc = remove_file(dir, n.dmesg);
	if (!rc)
		rc = remove_file(dir, NAMING_RECORD);
	if (rc || unlinkat(path, name, AT_REMOVEDIR) == 0)
		return rc;
	return errno == ENOTEMPTY || errno == EEXIST ? 0 : -errno;
}

/* Removes those that are to go. */
static int remove_marked(int path, const struct olds *o,
			 void (*removed)(void *arg, const char *dir), void *arg, struct err *e)
{
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < o->n; i++) {
		int one;

		if (!o->v[i].go)
			continue;
		any = true;
		one = remove_dump(path, o->v[i].dir);
		if (!one && removed)
			removed(arg, o->v[i].dir);
		if (one && !rc)
			rc = err_sys(e, one, "old dump %s", o->v[i].dir);
	}
	if (any && fsync(path) && !rc)
		rc = err_sys(e, -errno, "fsync of the directory of dumps");
	return rc;
}

static bool is_first(const struct keep *k, const struct old *one)
{
	return k->keep >= 2 && strcmp(k->first, one->dir) == 0;
}

static const struct old *largest(const struct olds *o, bool parts)
{
	const struct old *found = NULL;

	for (size_t i = 0; i < o->n; i++)
		if ((!parts || !o->v[i].complete) && (!found || o->v[i].bytes > found->bytes))
			found = &o->v[i];
	return found;
}

/* Marks the oldest of one kind that are more than stay. */
static void mark(struct olds *o, const struct keep *k, bool complete, size_t stay)
{
	const struct old *best = complete ? NULL : largest(o, true);
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		n += o->v[i].complete == complete;
	for (size_t i = 0; i < o->n && n > stay; i++) {
		struct old *one = &o->v[i];

		if (one->complete != complete || one == best || is_first(k, one))
			continue;
		one->go = true;
		n--;
	}
}

int keep_prune(int path, const struct keep *k, void (*removed)(void *arg, const char *dir),
	       void *arg, struct err *e)
{
	struct olds o = { 0 };
	int rc = k->keep ? collect(path, k->newest, &o, e) : 0;

	if (!rc && k->keep) {
		mark(&o, k, false, k->keep);
		if (k->complete)
			mark(&o, k, true, k->keep - 1);
		rc = remove_marked(path, &o, removed, arg, e);
	}
	free(o.v);
	return rc;
}

/* Of those of one kind that may go, unmarks what is not needed. Gives what they have. */
static u64 mark_enough(struct olds *o, bool complete, u64 have, u64 need)
{
	for (size_t i = 0; i < o->n; i++) {
		struct old *one = &o->v[i];

		if (one->complete != complete || !one->go)
			continue;
		if (have >= need)
			one->go = false;
		else
			have += one->bytes;
	}
	return have;
}

int keep_make_room(int path, const struct keep *k, u64 need, bool *made,
		   void (*removed)(void *arg, const char *dir), void *arg, struct err *e)
{
	struct olds o = { 0 };
	const struct old *best;
	u64 have = 0;
	int rc = k->keep ? collect(path, k->newest, &o, e) : 0;

	*made = false;
	best = largest(&o, true);
	for (size_t i = 0; i < o.n; i++)
		if (!o.v[i].complete)
			o.v[i].go = !is_first(k, &o.v[i]) && (need || &o.v[i] != best);
	if (k->keep)
		mark(&o, k, true, k->keep - 1);
	if (!need && o.n)
		need = largest(&o, false)->bytes;
	have = mark_enough(&o, false, have, need);
	have = mark_enough(&o, true, have, need);
	if (!rc && have && have >= need) {
		rc = remove_marked(path, &o, removed, arg, e);
		*made = rc == 0;
	}
	free(o.v);
	return rc;
}

/* When the capture of this dump was over, by its record. */
static bool within(int dir, u64 now)
{
	struct stat st;
	u64 then;

	if (fstatat(dir, NAMING_RECORD, &st, AT_SYMLINK_NOFOLLOW) || st.st_mtime < 0)
		return false;
	then = (u64)st.st_mtime;
	/* a clock that is not kept over a reset may have gone back */
	return now > then ? now - then <= SERIES_S : then - now <= SERIES_S;
}

void keep_series(int path, const char *newest, u64 now, char *first, size_t cap)
{
	_cleanup_close_ int dir = -1;
	struct olds o = { 0 };
	struct old one;

	first[0] = '\0';
	if (collect(path, newest, &o, NULL) == 0 && o.n) {
		const char *last = o.v[o.n - 1].dir;

		dir = openat(path, last, DIR_FLAGS);
		if (dir >= 0 && within(dir, now) &&
		    (record_read(dir, NAMING_RECORD, NAMING_SERIES, first, cap) ||
		     !look_at(path, first, &one)))
			snprintf(first, cap, "%s", last);
	}
	free(o.v);
}
