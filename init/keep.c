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

#include "../dumper/base/guard.h"
#include "../dumper/base/naming.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DUMPS_MAX 100000

struct old {
	char dir[64];
	u64 stamp, serial; /* of naming_age() */
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

static bool is_complete_dump(int path, const char *name)
{
	_cleanup_close_ int dir = -1;
	struct naming n;

	if (!naming_parse(&n, name))
		return false;
	dir = openat(path, name, DIR_FLAGS);
	return dir >= 0 && is_own_dir(dir) && is_file(dir, n.dump) && is_file(dir, NAMING_RECORD);
}

static int add(struct olds *o, const char *name)
{
	struct old *v;

	if (o->n == o->cap) {
		size_t cap = o->cap ? o->cap * 2 : 64;

		v = cap > DUMPS_MAX ? NULL : realloc(o->v, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		o->v = v;
		o->cap = cap;
	}
	v = &o->v[o->n++];
	memset(v, 0, sizeof(*v));
	/* naming_parse() took it, so it fits */
	snprintf(v->dir, sizeof(v->dir), "%.*s", (int)sizeof(v->dir) - 1, name);
	naming_age(v->dir, &v->stamp, &v->serial);
	return 0;
}

static int collect(int path, const char *newest, struct olds *o, struct err *e)
{
	int fd = openat(path, ".", DIR_FLAGS), rc = 0;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	if (!dir) {
		rc = err_sys(e, -errno, "the directory of dumps");
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (!rc && (d = readdir(dir)))
		if (strcmp(d->d_name, newest) != 0 && is_complete_dump(path, d->d_name))
			rc = add(o, d->d_name);
	closedir(dir);
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
		rc = remove_file(dir, n.dmesg);
	if (!rc)
		rc = remove_file(dir, NAMING_RECORD);
	if (rc || unlinkat(path, name, AT_REMOVEDIR) == 0)
		return rc;
	return errno == ENOTEMPTY || errno == EEXIST ? 0 : -errno;
}

/* Removes the first n of the list. */
static int remove_oldest(int path, const struct olds *o, size_t n,
			 void (*removed)(void *arg, const char *dir), void *arg, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		int one = remove_dump(path, o->v[i].dir);

		if (!one && removed)
			removed(arg, o->v[i].dir);
		if (one && !rc)
			rc = err_sys(e, one, "old dump %s", o->v[i].dir);
	}
	if (n && fsync(path) && !rc)
		rc = err_sys(e, -errno, "fsync of the directory of dumps");
	return rc;
}

/* Collects what may go when the newest dump stays: *n of the list, which is sorted by age. */
static int collect_removable(int path, unsigned keep, const char *newest, struct olds *o, size_t *n,
			     struct err *e)
{
	size_t others = keep ? keep - 1 : 0; /* besides the newest */
	int rc = collect(path, newest, o, e);

	*n = !rc && keep && o->n > others ? o->n - others : 0;
	if (*n)
		qsort(o->v, o->n, sizeof(*o->v), by_age);
	return rc;
}

int keep_prune(int path, unsigned keep, const char *newest,
	       void (*removed)(void *arg, const char *dir), void *arg, struct err *e)
{
	struct olds o = { 0 };
	size_t n;
	int rc = collect_removable(path, keep, newest, &o, &n, e);

	if (!rc)
		rc = remove_oldest(path, &o, n, removed, arg, e);
	free(o.v);
	return rc;
}

/* What the dump takes on the disk; 0 where it cannot be looked at. */
static u64 dump_bytes(int path, const char *name)
{
	_cleanup_close_ int dir = openat(path, name, DIR_FLAGS);
	struct naming n;
	struct stat st;

	if (dir < 0 || !naming_parse(&n, name) || fstatat(dir, n.dump, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	/* under another name it would go on taking its room */
	if (st.st_nlink > 1)
		return 0;
	return (u64)st.st_blocks * 512;
}

static u64 largest(int path, const struct olds *o)
{
	u64 bytes = 0;

	for (size_t i = 0; i < o->n; i++) {
		u64 one = dump_bytes(path, o->v[i].dir);

		bytes = MAX(bytes, one);
	}
	return bytes;
}

int keep_make_room(int path, unsigned keep, const char *newest, u64 need, bool *made,
		   void (*removed)(void *arg, const char *dir), void *arg, struct err *e)
{
	struct olds o = { 0 };
	size_t n, enough = 0;
	u64 sum = 0;
	int rc = collect_removable(path, keep, newest, &o, &n, e);

	if (!need)
		need = largest(path, &o);
	while (enough < n && sum < need)
		sum += dump_bytes(path, o.v[enough++].dir);
	*made = !rc && enough && sum >= need;
	if (*made)
		rc = remove_oldest(path, &o, enough, removed, arg, e);
	if (rc)
		*made = false;
	free(o.v);
	return rc;
}
