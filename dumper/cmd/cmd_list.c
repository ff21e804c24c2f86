/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_list.c - crashpod list: the dumps below a directory, newest first. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/conf.h"
#include "../base/guard.h"
#include "../base/io.h"
#include "../base/naming.h"
#include "../base/record_read.h"
#include "../../service/mounts.h"
#include "../../service/rawcheck.h"
#include "cmd.h"

struct found {
	char name[160]; /* DIR/FILE below the path */
	bool complete;
	u64 size; /* bytes; 0 where there is no dump, only its log or record */
	time_t mtime;
	char kernel[72], panic[200];
};

struct list {
	struct found *v;
	size_t n, cap;
};

static struct found *list_add(struct list *l)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 32;
		struct found *v = realloc(l->v, cap * sizeof(*v));

		if (!v)
			return NULL;
		l->v = v;
		l->cap = cap;
	}
	memset(&l->v[l->n], 0, sizeof(l->v[0]));
	return &l->v[l->n++];
}

static bool stat_file(int dir, const char *name, const char *suffix, struct stat *st)
{
	char full[96];

	snprintf(full, sizeof(full), "%s%s", name, suffix);
	return fstatat(dir, full, st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st->st_mode);
}

/* Dumps of other tools have no record; their names are the same, so they are shown too. */
static bool look(int dir, const struct naming *n, struct found *f)
{
	struct stat st;
	const char *suffix = "";

	f->complete = stat_file(dir, n->dump, "", &st);
	if (!f->complete && stat_file(dir, n->dump, NAMING_INCOMPLETE, &st))
		suffix = NAMING_INCOMPLETE;
	else if (!f->complete && !stat_file(dir, NAMING_RECORD, "", &st))
		return false;
	else if (!f->complete)
		st.st_size = 0;
	f->size = (u64)st.st_size;
	f->mtime = st.st_mtime;
	snprintf(f->name, sizeof(f->name), "%s/%s%s", n->dir, n->dump, suffix);
	record_read(dir, NAMING_RECORD, "kernel", f->kernel, sizeof(f->kernel));
	record_read(dir, NAMING_RECORD, "panic", f->panic, sizeof(f->panic));
	return true;
}

static int scan(const char *path, struct list *l, struct err *e)
{
	DIR *top = opendir(path);
	struct dirent *d;
	int rc = 0;

	if (!top)
		return err_sys(e, -errno, "%s", path);
	while (!rc && (d = readdir(top))) {
		_cleanup_close_ int dir = -1;
		struct found *f;
		struct naming n;

		if (!naming_parse(&n, d->d_name))
			continue;
		dir = openat(dirfd(top), d->d_name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir < 0 && errno != ENOTDIR && errno != ELOOP)
			rc = err_sys(e, -errno, "%s/%s", path, d->d_name);
		if (dir < 0)
			continue;
		f = list_add(l);
		if (!f)
			rc = err_sys(e, -ENOMEM, "%s", path);
		else if (!look(dir, &n, f))
			l->n--;
	}
	closedir(top);
	return rc;
}

static int newest_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->mtime != y->mtime)
		return x->mtime > y->mtime ? -1 : 1;
	return -strcmp(x->name, y->name);
}

static const char *state(const struct found *f)
{
	if (f->complete)
		return "complete";
	return f->size ? "incomplete" : "no dump";
}

static int print(const char *path, const struct list *l)
{
	char dir[PATH_MAX];

	cmd_shown(dir, sizeof(dir), strcmp(path, "/") ? path : "");
	for (size_t i = 0; i < l->n; i++) {
		const struct found *f = &l->v[i];

		printf("%s/%s\t%" PRIu64 "\t%s\t%s\t%s\n", dir, f->name, f->size, state(f),
		       f->kernel[0] ? f->kernel : "-", f->panic[0] ? f->panic : "-");
	}
	return fflush(stdout) ? -EIO : 0;
}

/* Where the configuration, whose problems are not this command's to tell, has the dumps. Only a
 * file that was named must be there. */
static int configured_dir(const char *file, char dir[static PATH_MAX], struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct conf c;
	size_t len;
	int rc = io_read_file(file ? file : CONF_FILE, CONF_FILE_MAX, &text, &len, e);

	if (rc && file)
		return rc;
	conf_defaults(&c);
	if (!rc)
		conf_parse(&c, text, len, file ? file : CONF_FILE, NULL, NULL);
	rc = mounts_dump_dir(dir, "", &c, e);
	if (rc)
		return err_sys(e, rc, "%s", c.path);
	if (e->msg[0])
		fprintf(stderr, "crashpod list: %s\n", e->msg);
	for (unsigned i = 0; i < c.ntargets; i++) {
		unsigned n = rawcheck_waiting("", &c.targets[i]);

		if (n)
			fprintf(stderr,
				"crashpod list: raw %s holds %u more: crashpod raw collect\n",
				c.targets[i].device, n);
	}
	return 0;
}

static int list(const char *path)
{
	struct list l = { 0 };
	struct err e = { 0 };
	int rc = scan(path, &l, &e);

	if (!rc) {
		if (l.n)
			qsort(l.v, l.n, sizeof(*l.v), newest_first);
		rc = print(path, &l);
		if (rc)
			err_set(&e, rc, "cannot write to standard output");
	}
	free(l.v);
	return rc ? cmd_fail("list", 1, &e) : 0;
}

int cmd_list(int argc, char **argv)
{
	const char *conf = NULL, *dir = NULL;
	char path[PATH_MAX];
	struct err e = { 0 };

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0) {
			if (++i == argc)
				return cmd_usage("list", "-c needs a file");
			conf = argv[i];
		} else if (argv[i][0] == '-' || dir) {
			return cmd_usage("list", argv[i][0] == '-' ? "unknown option"
								   : "more than one directory");
		} else {
			dir = argv[i];
		}
	}
	if (!dir && configured_dir(conf, path, &e))
		return cmd_fail("list", 1, &e);
	return list(dir ? dir : path);
}
