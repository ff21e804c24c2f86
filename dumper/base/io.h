/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io.h - reads and writes that finish or say why not. EINTR is retried, short counts go on.
 * Errors: 0 or -errno. */
#ifndef CRASHPOD_IO_H
#define CRASHPOD_IO_H

#include <sys/types.h>

#include "err.h"
#include "types.h"

/* Takes the descriptors 0 to 2 where they are closed: the next files would get them, and what is
 * printed would be written into a dump. Reads and writes of what they are now fail. */
void io_hold_std(void);

int io_write_all(int fd, const void *buf, size_t len);
int io_pwrite_all(int fd, const void *buf, size_t len, u64 off);

/* Reads until len bytes or end of file: the count read, or -errno. */
ssize_t io_pread_full(int fd, void *buf, size_t len, u64 off);

/* Reads a whole small file (at most max bytes; -EFBIG above) into a malloc'ed buffer with a NUL
 * after the last byte. The caller frees *buf. Works for files whose st_size is 0, as in /proc. */
int io_read_file(const char *path, size_t max, char **buf, size_t *len, struct err *e);

/* What ENOSPC does not tell: ", no inode is free" where that is why, else "". fd is on the file
 * system in question; errno is kept. */
const char *io_full_hint(int fd, int code);

/* Bytes that this process may still write to the file system of fd, or UINT64_MAX. */
u64 io_room(int fd);

/* How large the file system lets this file become, in bytes (vfat: 4 GiB - 1); UINT64_MAX where it
 * does not say. The offset of fd moves; nothing else does. */
u64 io_file_max(int fd);

/* How large a dump may become where the largest file has max bytes: less on vfat, whose largest
 * file its own fsck takes for damaged. */
#define IO_VFAT_MAX (((u64)1 << 32) - ((u64)1 << 20))
u64 io_file_safe(u64 max);

#endif
