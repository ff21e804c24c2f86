/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../dumper/base/guard.h"
#include "../dumper/base/io.h"
#include "../dumper/base/naming.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PART_MAX 256

static int open_part(int parent, const char *name, int *out, struct err *e)
{
	struct stat st;
	int fd = openat(parent, name, DIR_FLAGS), code = errno;

	if (fd >= 0) {
		*out = fd;
		return 0;
	}
	/* the kernel says ENOTDIR of a symbolic link too */
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		return err_set(e, -ELOOP, "%s: a symbolic link, which is not followed", name);
	return err_sys(e, -code, "%s", name);
}

int path_check_private(int *dir, const char *name, struct err *e)
{
	struct stat st;
	int rc = 0;

	if (fstat(*dir, &st))
		rc = err_sys(e, -errno, "%s", name);
	else if (st.st_uid != geteuid() || (st.st_mode & 077))
		rc = err_set(e, -EPERM, "%s: of user %u with mode %o, where only root may be", name,
			     st.st_uid, st.st_mode & 07777);
	if (rc)
		close(guard_take_fd(*dir));
	return rc;
}

int path_new_dir(int parent, const char *name, int *out, struct err *e)
{
	int rc;

	if (mkdirat(parent, name, 0700))
		return err_sys(e, -errno, "mkdir %s%s", name, io_full_hint(parent, errno));
	rc = open_part(parent, name, out, e);
	if (rc == 0)
		rc = path_check_private(out, name, e);
	if (rc)
		return rc;
	if (fsync(parent)) {
		rc = err_sys(e, -errno, "fsync of what holds %s", name);
		close(guard_take_fd(*out));
		return rc;
	}
	return 0;
}

static int open_or_make(int parent, const char *name, bool make, int *out, struct err *e)
{
	struct err first = { 0 };
	int rc = open_part(parent, name, out, &first);

	if (rc == -ENOENT && make)
		return path_new_dir(parent, name, out, e);
	if (rc)
		return err_set(e, rc, "%s", first.msg);
	return 0;
}

int path_open_dir(int root, const char *path, bool make, int *out, struct err *e)
{
	_cleanup_close_ int at = openat(root, ".", DIR_FLAGS);
	const char *p = path;

	if (at < 0)
		return err_sys(e, -errno, "the root of the target");
	for (;;) {
		char part[PART_MAX];
		size_t n;
		int next = -1, rc;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (!n)
			break;
		if (n >= sizeof(part))
			return err_set(e, -ENAMETOOLONG, "a part of the path is too long");
		memcpy(part, p, n);
		part[n] = '\0';
		if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
			return err_set(e, -EINVAL, "'%s' in the path", part);
		rc = open_or_make(at, part, make, &next, e);
		if (rc)
			return rc;
		close(at);
		at = next;
		p += n;
	}
	*out = guard_take_fd(at);
	return 0;
}

static int write_new(int dir, const char *name, const void *buf, size_t len, struct err *e)
{
	_cleanup_close_ int fd = openat(dir, name,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return err_sys(e, -errno, "%s%s", name, io_full_hint(dir, errno));
	rc = io_write_all(fd, buf, len);
	if (rc)
		return err_sys(e, rc, "write %s", name);
	if (fsync(fd))
		return err_sys(e, -errno, "fsync %s", name);
	if (close(guard_take_fd(fd)))
		return err_sys(e, -errno, "close %s", name);
	return 0;
}

/* ext2, ext3 and exfat set no room aside but by a write. */
static int write_zeros(int fd, u64 bytes)
{
	static const char zeros[4096];
	int rc = 0;

	for (u64 n; bytes && !rc; bytes -= n) {
		n = MIN(bytes, (u64)sizeof(zeros));
		rc = io_write_all(fd, zeros, n);
	}
	return rc;
}

int path_reserve(int dir, const char *name, u64 bytes, struct err *e)
{
	_cleanup_close_ int fd = -1;
	char temp[128];
	int rc;

	if (snprintf(temp, sizeof(temp), "%s" NAMING_INCOMPLETE, name) >= (int)sizeof(temp))
		return err_set(e, -ENAMETOOLONG, "%s: the name is too long", name);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, -errno, "%s%s", temp, io_full_hint(dir, errno));
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) == 0)
		return 0;
	if (errno != EOPNOTSUPP)
		return err_sys(e, -errno, "room for %s", temp);
	rc = write_zeros(fd, bytes);
	return rc ? err_sys(e, rc, "room for %s", temp) : 0;
}

/* Over what is there, where there is room for it: for a file system in which nothing new can be
 * made. A machine that dies in these moments leaves neither the old nor the new. */
static int overwrite(int dir, const char *name, const void *buf, size_t len)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int rc;

	if (fd < 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)len))
		return -errno;
	rc = io_pwrite_all(fd, buf, len, 0);
	if (!rc && (ftruncate(fd, (off_t)len) || fsync(fd)))
		rc = -errno;
	return rc;
}

/* What replaces a file could not be made, or not be given its name. Where blocks are free again
 * only when that is written down (btrfs), there may be room then. */
static int replace_in_place(int dir, const char *name, const char *temp, const void *buf,
			    size_t len)
{
	int rc;

	unlinkat(dir, temp, 0);
	rc = overwrite(dir, name, buf, len);
	if (err_is_full(rc) && syncfs(dir) == 0)
		rc = overwrite(dir, name, buf, len);
	return rc;
}

int path_write_file(int dir, const char *name, const void *buf, size_t len, bool replace,
		    struct err *e)
{
	char temp[128];
	struct stat st;
	int rc;

	if (snprintf(temp, sizeof(temp), "%s" NAMING_INCOMPLETE, name) >= (int)sizeof(temp))
		return err_set(e, -ENAMETOOLONG, "%s: the name is too long", name);
	/* nobody else writes here, so that looking first is enough */
	if (!replace && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_sys(e, -EEXIST, "%s", name);
	if (replace && unlinkat(dir, temp, 0) && errno != ENOENT)
		return err_sys(e, -errno, "unlink %s", temp);
	rc = write_new(dir, temp, buf, len, e);
	if (!rc && renameat(dir, temp, dir, name))
		rc = err_sys(e, -errno, "rename %s", temp);
	if (rc && replace && err_is_full(rc))
		return replace_in_place(dir, name, temp, buf, len) ? rc : 0;
	if (rc)
		return rc;
	if (fsync(dir))
		return err_sys(e, -errno, "fsync of the directory of %s", name);
	return 0;
}
