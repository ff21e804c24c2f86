/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sink_file.c - a dump as a file. While it is written its name ends in "-incomplete". */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/io.h"
#include "base/naming.h"
#include "sink.h"

#define DIRECT_ALIGN 4096

struct sink_file {
	struct sink sink;
	int fd;
	int direct_fd; /* -1: not used */
	char *path, *temp;
};

static struct sink_file *file_of(struct sink *s)
{
	return (struct sink_file *)s;
}

static bool is_aligned(const void *buf, size_t len, u64 off)
{
	return ((uintptr_t)buf | len | off) % DIRECT_ALIGN == 0;
}

static int file_pwrite(struct sink *s, const void *buf, size_t len, u64 off, struct err *e)
{
	struct sink_file *f = file_of(s);
	int rc = -EINVAL;

	if (f->direct_fd >= 0 && is_aligned(buf, len, off))
		rc = io_pwrite_all(f->direct_fd, buf, len, off);
	if (rc == -EINVAL) /* also where O_DIRECT was taken by open() but not by the write */
		rc = io_pwrite_all(f->fd, buf, len, off);
	return rc ? err_sys(e, rc, "write of %zu bytes at %llu of %s", len, (unsigned long long)off,
			    f->temp)
		  : 0;
}

static int file_zero(struct sink *s, u64 off, u64 len, bool reserve, struct err *e)
{
	struct sink_file *f = file_of(s);

	/* Room for the descriptors now, rather than an error when they are known. A file system
	 * without fallocate leaves a hole, which reads as zeros too. */
	if (reserve && len && fallocate(f->fd, 0, (off_t)off, (off_t)len) && errno == ENOSPC)
		return err_sys(e, -ENOSPC, "%llu bytes for headers of %s", (unsigned long long)len,
			       f->temp);
	return 0;
}

static int file_set_size(struct sink *s, u64 size, struct err *e)
{
	struct sink_file *f = file_of(s);

	if (ftruncate(f->fd, (off_t)size))
		return err_sys(e, -errno, "size of %s", f->temp);
	sink_grow(s, size);
	return 0;
}

static int file_sync(struct sink *s, struct err *e)
{
	struct sink_file *f = file_of(s);

	int rc = fsync(f->fd) ? -errno : io_fsync_dir_of(f->temp);

	return rc ? err_sys(e, rc, "fsync %s", f->temp) : 0;
}

static int file_readback(struct sink *s, int *fd, struct err *e)
{
	struct sink_file *f = file_of(s);

	*fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	return *fd < 0 ? err_sys(e, -errno, "read %s", f->temp) : 0;
}

/* rename(2) that never replaces. */
static int rename_new(const char *from, const char *to)
{
	if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* a file system without the flag: a hard link does not replace either */
	if (link(from, to))
		return -errno;
	return unlink(from) ? -errno : 0;
}

static int file_commit(struct sink *s, bool sync, struct err *e)
{
	struct sink_file *f = file_of(s);
	int rc;

	if (f->direct_fd >= 0)
		close(f->direct_fd);
	f->direct_fd = -1;
	if (close(f->fd)) {
		f->fd = -1;
		return err_sys(e, -errno, "close %s", f->temp);
	}
	f->fd = -1;
	rc = rename_new(f->temp, f->path);
	if (rc)
		return err_sys(e, rc, "rename %s to %s", f->temp, f->path);
	rc = sync ? io_fsync_dir_of(f->path) : 0;
	return rc ? err_sys(e, rc, "fsync the directory of %s", f->path) : 0;
}

static void file_abandon(struct sink *s, bool keep)
{
	struct sink_file *f = file_of(s);

	if (!keep)
		unlink(f->temp);
}

static u64 file_room(struct sink *s)
{
	struct statvfs st;

	if (fstatvfs(file_of(s)->fd, &st))
		return UINT64_MAX;
	/* PID 1 is root and may use the reserve; a limit for others is none for it */
	return (geteuid() ? st.f_bavail : st.f_bfree) * (u64)st.f_frsize;
}

static void file_close(struct sink *s)
{
	struct sink_file *f = file_of(s);

	if (f->fd >= 0)
		close(f->fd);
	if (f->direct_fd >= 0)
		close(f->direct_fd);
	free(f->path);
	free(f->temp);
	free(f);
}

static const struct sink_ops file_ops = {
	.name = "file",
	.pwrite = file_pwrite,
	.zero = file_zero,
	.set_size = file_set_size,
	.sync = file_sync,
	.readback = file_readback,
	.commit = file_commit,
	.abandon = file_abandon,
	.room = file_room,
	.close = file_close,
};

/* The name must be free: a dump is never written over something. */
static int check_free(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return err_set(e, -EEXIST, "%s exists: it is never overwritten", path);
	return errno == ENOENT ? 0 : err_sys(e, -errno, "%s", path);
}

int sink_file_open(struct sink **out, const char *path, bool direct, struct err *e)
{
	struct sink_file *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return err_sys(e, -ENOMEM, "%s", path);
	f->fd = f->direct_fd = -1;
	f->path = strdup(path);
	if (!f->path || asprintf(&f->temp, "%s" NAMING_INCOMPLETE, path) < 0) {
		free(f->path);
		free(f);
		return err_sys(e, -ENOMEM, "%s", path);
	}
	f->sink.ops = &file_ops;
	f->sink.holes = true;
	f->sink.align = 1;
	rc = check_free(f->path, e);
	if (rc == 0)
		rc = check_free(f->temp, e);
	if (rc == 0) {
		f->fd = open(f->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		rc = f->fd < 0 ? err_sys(e, -errno, "%s", f->temp) : 0;
	}
	if (rc) {
		file_close(&f->sink);
		return rc;
	}
	if (direct)
		f->direct_fd = open(f->temp, O_WRONLY | O_DIRECT | O_NOFOLLOW | O_CLOEXEC);
	if (f->direct_fd >= 0)
		f->sink.align = DIRECT_ALIGN;
	*out = &f->sink;
	return 0;
}
