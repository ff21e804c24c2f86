/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "guard.h"

#define ROOM_RESERVE_MAX ((u64)16 << 20)

void io_hold_std(void)
{
	int fd;

	/* there may be no /dev/null yet */
	do {
		fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int io_write_all(int fd, const void *buf, size_t len)
{
	const u8 *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int io_pwrite_all(int fd, const void *buf, size_t len, u64 off)
{
	const u8 *p = buf;

	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		p += n;
		off += (u64)n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t io_pread_full(int fd, void *buf, size_t len, u64 off)
{
	u8 *p = buf;
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, p + got, len - got, (off_t)(off + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int io_read_file(const char *path, size_t max, char **buf, size_t *len, struct err *e)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *b = NULL;
	size_t cap = 0, got = 0;

	if (fd < 0)
		return err_sys(e, -errno, "%s", path);
	for (;;) {
		ssize_t n;

		if (got == cap) {
			size_t want = cap ? cap * 2 : 4096;
			char *grown;

			if (got > max)
				return err_set(e, -EFBIG, "%s: more than %zu bytes", path, max);
			grown = realloc(b, want + 1);
			if (!grown)
				return err_sys(e, -ENOMEM, "%s", path);
			b = grown;
			cap = want;
		}
		n = read(fd, b + got, cap - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, -errno, "read %s", path);
		if (n == 0)
			break;
		got += (size_t)n;
	}
	if (got > max)
		return err_set(e, -EFBIG, "%s: more than %zu bytes", path, max);
	b[got] = '\0';
	*buf = guard_take_ptr(b);
	*len = got;
	return 0;
}

const char *io_full_hint(int fd, int code)
{
	struct statvfs st;
	int saved = errno;
	bool none = code == ENOSPC && fstatvfs(fd, &st) == 0 && st.f_files && !st.f_ffree;

	errno = saved;
	return none ? ", no inode is free" : "";
}

u64 io_room(int fd)
{
	struct statvfs st;
	u64 unit, room, rest;

	if (fstatvfs(fd, &st))
		return UINT64_MAX;
	unit = st.f_frsize;
	if (geteuid())
		return st.f_bavail * unit;
	/* Root may use what is set aside for it, but not what ext4 has for its own metadata
	 * (reserved_clusters), which counts as free as well. */
	rest = MIN(st.f_blocks / 50 * unit, ROOM_RESERVE_MAX);
	room = st.f_bfree * unit;
	return MAX(st.f_bavail * unit, room > rest ? room - rest : 0);
}

/* lseek(2) refuses what the file system's largest file has not: asking changes nothing. */
u64 io_file_max(int fd)
{
	u64 good = 0, bad = (u64)INT64_MAX + 1;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return UINT64_MAX;
	while (bad - good > 1) {
		u64 mid = good + (bad - good) / 2;

		if (lseek(fd, (off_t)mid, SEEK_SET) < 0)
			bad = mid;
		else
			good = mid;
	}
	lseek(fd, 0, SEEK_SET);
	return good;
}

/* A file of 4 GiB less one byte fills clusters of 4 GiB. fsck.fat (dosfstools 4.2) counts these in
 * 32 bits, takes the file to have none, and cuts it to no bytes: what is in it must end a cluster
 * before. The largest clusters, of 128 sectors of 4 KiB, have half a MiB. */
u64 io_file_safe(u64 max)
{
	return max == UINT32_MAX ? IO_VFAT_MAX : max;
}
