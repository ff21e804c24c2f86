/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/io.h"
#include "source_backends.h"

/* The kinds of source, by their first bytes. */
static const struct source_kind {
	const char *magic;
	int (*open)(struct source *s, unsigned flags, struct err *e);
} source_kinds[] = {
	{ "\177ELF", source_elf_open },
	{ "KDUMP   ", source_kdump_open },
	{ "makedumpfile", source_flat_open },
};

static int open_kind(struct source *s, unsigned flags, struct err *e)
{
	char head[16] = { 0 };
	size_t want = s->part_size ? MIN(sizeof(head), s->part_size) : sizeof(head);
	ssize_t got = io_pread_full(s->fd, head, want, s->part_off);

	if (got < 0)
		return err_sys(e, (int)got, "read");
	for (size_t i = 0; i < ARRAY_SIZE(source_kinds); i++) {
		size_t len = strlen(source_kinds[i].magic);

		if ((size_t)got >= len && memcmp(head, source_kinds[i].magic, len) == 0)
			return source_kinds[i].open(s, flags, e);
	}
	if ((size_t)got < sizeof(head))
		return err_set(e, -EINVAL, "only %zd bytes: too short for a vmcore", got);
	return err_set(e, -EINVAL, "neither an ELF vmcore nor a kdump file: unknown first bytes");
}

static bool same_file(const struct stat *st, const char *path)
{
	struct stat other;

	return stat(path, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

int source_open(struct source **out, const char *path, unsigned flags, struct err *e)
{
	/* O_NONBLOCK: a FIFO without a writer would wait for ever */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? err_sys(e, -errno, "%s", path) : source_open_fd(out, fd, path, flags, e);
}

int source_open_fd(struct source **out, int fd, const char *path, unsigned flags, struct err *e)
{
	return source_open_part(out, fd, 0, 0, path, flags, e);
}

int source_view(const struct source *s, struct fileview *view, struct err *e)
{
	return s->part_size ? fileview_part(view, s->fd, s->part_off, s->part_size, e)
			    : fileview_plain(view, s->fd, e);
}

int source_open_part(struct source **out, int fd, u64 off, u64 size, const char *path,
		     unsigned flags, struct err *e)
{
	struct source *s = calloc(1, sizeof(*s));
	struct stat st = { 0 };
	int rc;

	if (!s) {
		close(fd);
		return err_sys(e, -ENOMEM, "%s", path);
	}
	s->fd = fd;
	s->part_off = off;
	s->part_size = size;
	s->path = strdup(path);
	if (fstat(s->fd, &st) == 0) {
		s->proc = same_file(&st, "/proc/vmcore");
	}
	if (!s->path)
		rc = err_sys(e, -ENOMEM, "open");
	else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		rc = err_set(e, -EINVAL, "neither a file nor a block device");
	else
		rc = open_kind(s, flags, e);
	if (rc) {
		rc = err_ctx(e, "%s", path);
		source_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void source_close(struct source *s)
{
	if (!s)
		return;
	if (s->ops)
		s->ops->close(s);
	if (s->fd >= 0)
		close(s->fd);
	free((char *)s->path);
	free(s);
}

int window_open(struct window *w, struct source *s, size_t cap_bytes, struct err *e)
{
	int rc;

	memset(w, 0, sizeof(*w));
	w->src = s;
	w->cap = align_up(cap_bytes, PAGE_SIZE);
	rc = s->ops->window_open(w, e);
	/* there is nothing to close then */
	if (rc)
		w->src = NULL;
	return rc;
}

int window_get(struct window *w, u64 pa, size_t want, const u8 **p, size_t *got, struct err *e)
{
	return w->src->ops->window_get(w, pa, want, p, got, e);
}

void window_close(struct window *w)
{
	if (w->src)
		w->src->ops->window_close(w);
	w->src = NULL;
}

int window_read(struct window *w, u64 pa, void *buf, size_t len, struct err *e)
{
	u8 *to = buf;

	while (len) {
		const u8 *p;
		size_t got;
		int rc = window_get(w, pa, len, &p, &got, e);

		if (rc)
			return rc;
		memcpy(to, p, got);
		to += got;
		pa += got;
		len -= got;
	}
	return 0;
}
