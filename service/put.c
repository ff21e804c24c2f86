/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "put.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "base/io.h"

int put_parents(const char *path, struct err *e)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s", path);
	for (char *p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(dir, 0755) && errno != EEXIST)
			return err_sys(e, -errno, "%s", dir);
		*p = '/';
	}
	return 0;
}

/* After a rename or removal: what the directory says is on the disk. */
static int sync_parent(const char *path)
{
	char dir[PATH_MAX], *slash;
	int fd, rc = 0;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		rc = -errno;
	close(fd);
	/* some file systems cannot, and need not */
	return rc == -EINVAL || rc == -ENOTSUP ? 0 : rc;
}

static int fill(int fd, const void *text, size_t len, const struct stat *old, mode_t mode)
{
	int rc = io_write_all(fd, text, len);

	if (!rc && old && fchown(fd, old->st_uid, old->st_gid) && errno != EPERM)
		rc = -errno;
	if (!rc && fchmod(fd, old ? old->st_mode & 07777 : mode))
		rc = -errno;
	if (!rc && fsync(fd))
		rc = -errno;
	return rc;
}

/* old: the file whose owner and mode are kept, or NULL. */
static int replace(const char *to, const void *text, size_t len, const struct stat *old,
		   mode_t mode, struct err *e)
{
	char temp[PATH_MAX];
	int n = snprintf(temp, sizeof(temp), "%s.crashpod-XXXXXX", to), fd, rc;

	if (n < 0 || (size_t)n >= sizeof(temp))
		return err_sys(e, -ENAMETOOLONG, "%s", to);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, -errno, "%s", to);
	rc = fill(fd, text, len, old, mode);
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc && rename(temp, to))
		rc = -errno;
	if (rc) {
		unlink(temp);
		return err_sys(e, rc, "%s", to);
	}
	rc = sync_parent(to);
	return rc ? err_sys(e, rc, "%s", to) : 0;
}

int put_file(const char *path, const void *text, size_t len, mode_t mode, struct err *e)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	const char *to = real ? real : path;
	struct stat st;
	bool there = !stat(to, &st);
	int rc;

	if (there && !S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s is not a regular file", path);
	rc = put_parents(to, e);
	return rc ? rc : replace(to, text, len, there ? &st : NULL, mode, e);
}

int put_output(const char *path, const void *text, size_t len, mode_t mode, struct err *e)
{
	struct stat st;

	if (!lstat(path, &st) && !S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s is not a regular file%s", path,
			       S_ISLNK(st.st_mode) ? " but a symbolic link" : "");
	return replace(path, text, len, NULL, mode, e);
}

int put_remove(const char *path, struct err *e)
{
	int rc = 0;

	if (unlink(path) && errno != ENOENT)
		rc = -errno;
	if (!rc)
		rc = sync_parent(path);
	return rc && rc != -ENOENT ? err_sys(e, rc, "%s", path) : 0;
}
