/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view.h"

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
#include "core.h"
#include "dmesg.h"

#define LOG_MAX ((size_t)4 << 20) /* the newest part of a longer one */

static char *read_log(const char *dir, const char *name)
{
	_cleanup_close_ int top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	char *text;
	struct stat st;
	ssize_t n;
	u64 from;

	if (top < 0 || !name[0] || fstatat(top, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(st.st_mode))
		return NULL;
	fd = openat(top, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	text = fd >= 0 ? malloc(LOG_MAX + 1) : NULL;
	if (!text)
		return NULL;
	from = (u64)st.st_size > LOG_MAX ? (u64)st.st_size - LOG_MAX : 0;
	n = io_pread_full(fd, text, LOG_MAX, from);
	text[n > 0 ? n : 0] = '\0';
	/* a NUL in it ends it no earlier than its end */
	for (ssize_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = '?';
	return text;
}

static char *log_of_dump(const struct view *v)
{
	char path[PATH_MAX], *text = NULL;
	struct core *core;
	size_t len;

	if (!view_has_dump(v) || core_open(&core, view_path(v, path), CORE_PARTIAL, NULL))
		return NULL;
	dmesg_text(core, LOG_MAX, &text, &len, NULL, NULL);
	core_close(core);
	return text;
}

static int find_newest(struct view *v, const char *path, struct err *e)
{
	struct dumps d = { 0 };
	char dir[PATH_MAX];
	int rc = dumps_scan(&d, path, e);

	dumps_sort(&d);
	if (!rc && !d.n)
		rc = err_set(e, -ENOENT, "%s: there is no dump", path);
	if (!rc)
		snprintf(dir, sizeof(dir), "%s", d.v[0].dir);
	dumps_free(&d);
	return rc ? rc : dump_find(&v->entry, dir, &v->record, e);
}

int view_load(struct view *v, const char *path, struct err *e)
{
	char real[PATH_MAX];
	struct naming n;
	struct stat st;
	int rc;

	memset(v, 0, sizeof(*v));
	if (!realpath(path, real) || stat(real, &st))
		return err_sys(e, -errno, "%s", path);
	if (S_ISDIR(st.st_mode) && !naming_parse(&n, strrchr(real, '/') + 1))
		rc = find_newest(v, real, e);
	else
		rc = dump_find(&v->entry, real, &v->record, e);
	if (rc)
		return rc;
	v->log = read_log(v->entry.dir, v->entry.dmesg);
	if (!v->log) {
		v->log = log_of_dump(v);
		v->log_from_dump = v->log != NULL;
	}
	if (v->log)
		log_facts(&v->facts, v->log, v->entry.panic);
	composition_make(&v->memory, &v->entry, &v->record);
	return 0;
}

void view_find_debug(struct view *v, const char *root)
{
	char path[PATH_MAX];

	if (view_has_dump(v))
		debugkernel_find(&v->debug, root, view_path(v, path), true, NULL);
}

void view_free(struct view *v)
{
	json_doc_free(&v->record);
	free(v->log);
	v->log = NULL;
}

bool view_has_dump(const struct view *v)
{
	return v->entry.file[0] && v->entry.state != DUMPS_RAW;
}

const char *view_path(const struct view *v, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s", v->entry.dir, v->entry.file);

	if (!view_has_dump(v) || n >= PATH_MAX)
		path[0] = '\0';
	return path;
}
