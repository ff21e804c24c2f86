/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tempdir.h - a directory for a test, and small files in it. Errors end the test. */
#ifndef CRASHPOD_INIT_TESTS_TEMPDIR_H
#define CRASHPOD_INIT_TESTS_TEMPDIR_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tempdir {
	char path[64];
	int fd;
};

static inline void tempdir_open(struct tempdir *t)
{
	snprintf(t->path, sizeof(t->path), "/tmp/crashpod-test.XXXXXX");
	assert_non_null(mkdtemp(t->path));
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(t->fd >= 0);
}

static inline int tempdir_remove(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static inline void tempdir_close(struct tempdir *t)
{
	close(t->fd);
	assert_int_equal(nftw(t->path, tempdir_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Makes a directory and what lies above it, relative to the temporary one. */
static inline void tempdir_mkdir(struct tempdir *t, const char *path)
{
	char part[256];

	for (const char *p = path; *p; p += strspn(p, "/")) {
		p += strcspn(p, "/");
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		mkdirat(t->fd, part, 0755);
	}
}

static inline void tempdir_write(struct tempdir *t, const char *path, const void *buf, size_t len)
{
	int fd = openat(t->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, buf, len), len);
	assert_int_equal(close(fd), 0);
}

static inline void tempdir_puts(struct tempdir *t, const char *path, const char *text)
{
	tempdir_write(t, path, text, strlen(text));
}

static inline int tempdir_has(struct tempdir *t, const char *path)
{
	return faccessat(t->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

#endif
