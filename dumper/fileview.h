/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fileview.h - a dump file as its format describes it, whether it is stored so, flattened, or as a
 * part of a block device.
 * Units:   bytes; off is where the format says, file_off where the bytes lie in the file.
 * Owner:   the fd is the source's; fileview_deinit() frees the pieces.
 * Threads: immutable once made. */
#ifndef CRASHPOD_FILEVIEW_H
#define CRASHPOD_FILEVIEW_H

#include <sys/types.h>

#include "base/err.h"
#include "base/types.h"

struct fileview_piece {
	u64 off, file_off, size;
};

struct fileview {
	int fd;
	u64 size;		       /* one past the last byte of the view */
	struct fileview_piece *pieces; /* sorted and disjoint; NULL: the file as it is */
	size_t npieces;
	bool cut; /* the flattened stream ends early */
};

/* The file as it is. fd may be a block device. */
int fileview_plain(struct fileview *v, int fd, struct err *e);

/* The size bytes from off on of what fd is, which may be a block device, as if they were a file. */
int fileview_part(struct fileview *v, int fd, u64 off, u64 size, struct err *e);

/* A flattened stream. partial: accept one that ends early. Errors: -EINVAL, -ENOTSUP (version),
 * -E2BIG (more records than the index may hold, 24 bytes each), -errno. */
int fileview_flat(struct fileview *v, int fd, bool partial, struct err *e);

/* As io_pread_full(). What no record of a flattened stream wrote reads as zeros, as a file has it;
 * in a stream that ends early it ends the read. */
ssize_t fileview_pread(const struct fileview *v, void *buf, size_t len, u64 off);

/* Reads exactly len bytes, or fails with -EIO or -errno and what says which part it was. */
int fileview_read(const struct fileview *v, void *buf, size_t len, u64 off, const char *what,
		  struct err *e);

void fileview_deinit(struct fileview *v);

#endif
