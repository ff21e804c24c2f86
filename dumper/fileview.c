/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fileview.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

int fileview_plain(struct fileview *v, int fd, struct err *e)
{
	/* stat tells no size of a block device; seeking does. */
	off_t end = lseek(fd, 0, SEEK_END);

	*v = (struct fileview){ .fd = fd };
	if (end < 0)
		return err_sys(e, -errno, "size of the file");
	v->size = end;
	return 0;
}

int fileview_part(struct fileview *v, int fd, u64 off, u64 size, struct err *e)
{
	*v = (struct fileview){ .fd = fd, .size = size, .npieces = 1 };
	if (off > INT64_MAX || size > INT64_MAX - off)
		return err_set(e, -EINVAL, "%" PRIu64 " bytes at %" PRIu64 " are in no file", size,
			       off);
	v->pieces = malloc(sizeof(*v->pieces));
	if (!v->pieces)
		return err_sys(e, -ENOMEM, "a part of the file");
	v->pieces[0] = (struct fileview_piece){ 0, off, size };
	return 0;
}

void fileview_deinit(struct fileview *v)
{
	free(v->pieces);
	v->pieces = NULL;
	v->npieces = 0;
}

/* The piece that holds off, or the first after it, or npieces. */
static size_t fileview_find(const struct fileview *v, u64 off)
{
	size_t lo = 0, hi = v->npieces;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct fileview_piece *p = &v->pieces[mid];

		if (p->off <= off && off - p->off >= p->size)
			lo = mid + 1;
		else if (p->off > off)
			hi = mid;
		else
			return mid;
	}
	return lo;
}

static ssize_t fileview_pread_flat(const struct fileview *v, u8 *buf, size_t len, u64 off)
{
	size_t i = fileview_find(v, off), done = 0;

	while (done < len && i < v->npieces) {
		const struct fileview_piece *p = &v->pieces[i];
		u64 at = off + done, n;
		ssize_t rc;

		if (p->off > at) {
			/* Where records are lost a gap is not known to be zeros. */
			if (v->cut)
				break;
			n = MIN(len - done, p->off - at);
			memset(buf + done, 0, n);
			done += n;
			continue;
		}
		n = MIN(len - done, p->size - (at - p->off));
		rc = io_pread_full(v->fd, buf + done, n, p->file_off + (at - p->off));
		if (rc < 0)
			return rc;
		done += rc;
		if ((u64)rc < n)
			break;
		i++;
	}
	return done;
}

ssize_t fileview_pread(const struct fileview *v, void *buf, size_t len, u64 off)
{
	if (off >= v->size)
		return 0;
	len = MIN(len, v->size - off);
	return v->pieces ? fileview_pread_flat(v, buf, len, off)
			 : io_pread_full(v->fd, buf, len, off);
}

int fileview_read(const struct fileview *v, void *buf, size_t len, u64 off, const char *what,
		  struct err *e)
{
	ssize_t got = fileview_pread(v, buf, len, off);

	if (got < 0)
		return err_sys(e, got, "%s: read %zu bytes at %" PRIu64, what, len, off);
	if ((size_t)got != len)
		return err_set(e, -EIO, "%s: read %zd of %zu bytes at %" PRIu64, what, got, len,
			       off);
	return 0;
}
