/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sink_file.c - a dump as a file. While it is written its name ends in "-incomplete". */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
	/* The directory as it was found: its name may come to mean another one. */
	int dir_fd;
	dev_t dev;
	ino_t ino;
	char *path, *temp;	      /* for messages */
	const char *name, *temp_name; /* of these, in the directory */
};

static struct sink_file *file_of(struct sink *s)
{
	return (struct sink_file *)s;
}

static bool is_aligned(const void *buf, size_t len, u64 off)
{
	return ((uintptr_t)buf | len | off) % DIRECT_ALIGN == 0;
}

/* As the file system says it of a file that is too large: what fits is written all the same. */
static int check_max(struct sink_file *f, u64 off, u64 len, struct err *e)
{
	if (off <= f->sink.max && len <= f->sink.max - off)
		return 0;
	return err_sys(e, -EFBIG, "%llu bytes at %llu of %s", (unsigned long long)len,
		       (unsigned long long)off, f->temp);
}

static int file_pwrite(struct sink *s, const void *buf, size_t len, u64 off, struct err *e)
{
	struct sink_file *f = file_of(s);
	int rc = check_max(f, off, len, e);

	if (rc)
		return rc;
	rc = -EINVAL;
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

/* A file system without holes (vfat, exfat) writes zeros as a file grows: in steps, so that it can
 * be seen to move. */
static int file_set_size(struct sink *s, u64 size, struct err *e)
{
	struct sink_file *f = file_of(s);
	int rc = check_max(f, 0, size, e);
	struct stat st;

	if (rc)
		return rc;
	if (fstat(f->fd, &st))
		return err_sys(e, -errno, "size of %s", f->temp);
	for (u64 at = (u64)st.st_size; at < size && size - at > SINK_STEP_BYTES; sink_move(s)) {
		at += SINK_STEP_BYTES;
		if (ftruncate(f->fd, (off_t)at))
			return err_sys(e, -errno, "%llu bytes of size of %s",
				       (unsigned long long)at, f->temp);
	}
	if (ftruncate(f->fd, (off_t)size))
		return err_sys(e, -errno, "size of %s", f->temp);
	sink_grow(s, size);
	return 0;
}

static int sync_dir(struct sink_file *f)
{
	_cleanup_close_ int fd = openat(f->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

static int file_sync(struct sink *s, struct err *e)
{
	struct sink_file *f = file_of(s);

	int rc = fsync(f->fd) ? -errno : sync_dir(f);

	return rc ? err_sys(e, rc, "fsync %s", f->temp) : 0;
}

static int file_readback(struct sink *s, int *fd, struct err *e)
{
	struct sink_file *f = file_of(s);

	*fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	return *fd < 0 ? err_sys(e, -errno, "read %s", f->temp) : 0;
}

/* In a directory where others may write, the name may be that of another file by now. */
static bool is_ours(struct sink_file *f)
{
	struct stat st;

	return fstatat(f->dir_fd, f->temp_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == f->dev && st.st_ino == f->ino;
}

/* rename(2) that never replaces. */
static int rename_new(struct sink_file *f)
{
	if (!is_ours(f))
		return -ESTALE;
	if (syscall(SYS_renameat2, f->dir_fd, f->temp_name, f->dir_fd, f->name, RENAME_NOREPLACE) ==
	    0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* a file system without the flag: a hard link does not replace either */
	if (linkat(f->dir_fd, f->temp_name, f->dir_fd, f->name, 0))
		return -errno;
	return unlinkat(f->dir_fd, f->temp_name, 0) ? -errno : 0;
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
	rc = rename_new(f);
	if (rc)
		return err_sys(e, rc, "rename %s to %s", f->temp, f->path);
	rc = sync ? sync_dir(f) : 0;
	return rc ? err_sys(e, rc, "fsync the directory of %s", f->path) : 0;
}

static void file_abandon(struct sink *s, bool keep)
{
	struct sink_file *f = file_of(s);

	if (!keep && is_ours(f))
		unlinkat(f->dir_fd, f->temp_name, 0);
}

static u64 file_room(struct sink *s)
{
	return MIN(io_room(file_of(s)->fd), s->max);
}

static void file_close(struct sink *s)
{
	struct sink_file *f = file_of(s);

	if (f->fd >= 0)
		close(f->fd);
	if (f->direct_fd >= 0)
		close(f->direct_fd);
	if (f->dir_fd >= 0)
		close(f->dir_fd);
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

static int open_dir(struct sink_file *f, struct err *e)
{
	size_t len = (size_t)(f->name - f->path);
	_cleanup_free_ char *dir = len ? strndup(f->path, len) : strdup(".");

	if (!dir)
		return err_sys(e, -ENOMEM, "%s", f->path);
	if (!f->name[0])
		return err_sys(e, -EISDIR, "%s", f->path);
	f->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return f->dir_fd < 0 ? err_sys(e, -errno, "%s", f->path) : 0;
}

/* The name must be free: a dump is never written over something. */
static int check_free(struct sink_file *f, const char *name, const char *path, struct err *e)
{
	struct stat st;

	if (fstatat(f->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, -EEXIST, "%s exists: it is never overwritten", path);
	return errno == ENOENT ? 0 : err_sys(e, -errno, "%s", path);
}

static int make_file(struct sink_file *f, struct err *e)
{
	struct stat st;

	f->fd = openat(f->dir_fd, f->temp_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       0600);
	if (f->fd < 0 || fstat(f->fd, &st)) {
		int code = errno;

		return err_sys(e, -code, "%s%s", f->temp, io_full_hint(f->dir_fd, code));
	}
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	return 0;
}

/* By the descriptor, so that it is the same file; without /proc there is none. */
static void open_direct(struct sink_file *f)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", f->fd);
	f->direct_fd = open(self, O_WRONLY | O_DIRECT | O_CLOEXEC);
	if (f->direct_fd >= 0)
		f->sink.align = DIRECT_ALIGN;
}

int sink_file_open(struct sink **out, const char *path, bool direct, struct err *e)
{
	struct sink_file *f = calloc(1, sizeof(*f));
	const char *slash;
	int rc;

	if (!f)
		return err_sys(e, -ENOMEM, "%s", path);
	f->fd = f->direct_fd = f->dir_fd = -1;
	f->path = strdup(path);
	if (!f->path || asprintf(&f->temp, "%s" NAMING_INCOMPLETE, path) < 0) {
		free(f->path);
		free(f);
		return err_sys(e, -ENOMEM, "%s", path);
	}
	slash = strrchr(f->path, '/');
	f->name = slash ? slash + 1 : f->path;
	f->temp_name = f->temp + (f->name - f->path);
	f->sink.ops = &file_ops;
	f->sink.holes = true;
	f->sink.align = 1;
	rc = open_dir(f, e);
	if (rc == 0)
		rc = check_free(f, f->name, f->path, e);
	if (rc == 0)
		rc = check_free(f, f->temp_name, f->temp, e);
	if (rc == 0)
		rc = make_file(f, e);
	if (rc) {
		file_close(&f->sink);
		return rc;
	}
	f->sink.max = io_file_safe(io_file_max(f->fd));
	if (direct)
		open_direct(f);
	*out = &f->sink;
	return 0;
}
