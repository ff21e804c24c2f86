/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sink_flat.c - makedumpfile's flattened stream: each write goes out as a record with its offset,
 * in the order they come, so that it can leave through a pipe. `makedumpfile -R` makes the file.
 * Readers take the first record that holds an offset, so no byte may come twice: what is written
 * again lies in a fixed record, which is changed in place where the stream is a file. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "kdump_fmt.h"
#include "sink.h"

#define FIXED_MAX 4

struct sink_flat {
	struct sink sink;
	struct sink *file; /* NULL: standard output */
	u64 pos;	   /* in the stream */
	u64 whole;	   /* where the last whole record ends */
	bool ended;	   /* the end mark is written */
	bool broken;	   /* a write failed: what came after it could not be told from data */
	pthread_mutex_t lock;
	struct fixed {
		u64 off, len; /* in the dump */
		u64 pos;      /* of its data in the stream */
	} fixed[FIXED_MAX];
	size_t nfixed;
};

static struct sink_flat *flat_of(struct sink *s)
{
	return (struct sink_flat *)s;
}

static int stream_write(struct sink_flat *f, const void *buf, size_t len, struct err *e)
{
	int rc;

	if (f->broken)
		return err_set(e, -EIO, "the flattened stream broke off earlier");
	if (f->file) {
		rc = sink_pwrite(f->file, buf, len, f->pos, e);
	} else {
		rc = io_write_all(STDOUT_FILENO, buf, len);
		if (rc)
			err_sys(e, rc, "write to standard output");
	}
	f->broken = rc != 0;
	f->pos += len;
	return rc;
}

static const struct fixed *fixed_find(const struct sink_flat *f, u64 off, size_t len)
{
	for (size_t i = 0; i < f->nfixed; i++) {
		const struct fixed *x = &f->fixed[i];

		if (off >= x->off && off - x->off <= x->len && len <= x->len - (off - x->off))
			return x;
	}
	return NULL;
}

static int record_write(struct sink_flat *f, const void *buf, size_t len, u64 off, struct err *e)
{
	struct kdump_flat_record r = { htobe64(off), htobe64(len) };
	int rc = stream_write(f, &r, sizeof(r), e);

	if (rc == 0)
		rc = stream_write(f, buf, len, e);
	if (rc == 0)
		f->whole = f->pos;
	return rc;
}

static int flat_pwrite(struct sink *s, const void *buf, size_t len, u64 off, struct err *e)
{
	struct sink_flat *f = flat_of(s);
	const struct fixed *x;
	int rc;

	pthread_mutex_lock(&f->lock);
	x = fixed_find(f, off, len);
	if (x)
		rc = f->file->ops->pwrite(f->file, buf, len, x->pos + (off - x->off), e);
	else
		rc = record_write(f, buf, len, off, e);
	pthread_mutex_unlock(&f->lock);
	return rc;
}

static int zeros_write(struct sink_flat *f, u64 len, struct err *e)
{
	static const u8 zeros[4096];
	int rc = 0;

	while (len && rc == 0) {
		size_t n = MIN(len, sizeof(zeros));

		rc = stream_write(f, zeros, n, e);
		len -= n;
	}
	return rc;
}

static int flat_zero(struct sink *s, u64 off, u64 len, bool reserve, struct err *e)
{
	struct sink_flat *f = flat_of(s);
	struct kdump_flat_record r = { htobe64(off), htobe64(len) };
	int rc;

	(void)reserve;
	if (!f->file || len == 0 || fixed_find(f, off, len))
		return 0;
	if (f->nfixed == FIXED_MAX)
		return err_set(e, -E2BIG, "more than %d fixed records", FIXED_MAX);
	rc = stream_write(f, &r, sizeof(r), e);
	f->fixed[f->nfixed] = (struct fixed){ off, len, f->pos };
	if (rc == 0)
		rc = zeros_write(f, len, e);
	if (rc == 0) {
		f->nfixed++;
		f->whole = f->pos;
	}
	return rc;
}

/* The stream has no size of its own; every byte of the dump is in some record. */
static int flat_set_size(struct sink *s, u64 size, struct err *e)
{
	(void)s;
	(void)size;
	(void)e;
	return 0;
}

static int flat_sync(struct sink *s, struct err *e)
{
	struct sink_flat *f = flat_of(s);

	if (f->file)
		return f->file->ops->sync(f->file, e);
	if (fsync(STDOUT_FILENO) && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
		return err_sys(e, -errno, "fsync standard output");
	return 0;
}

static int write_end(struct sink_flat *f, struct err *e)
{
	struct kdump_flat_record r = { htobe64((u64)KDUMP_FLAT_END), htobe64((u64)KDUMP_FLAT_END) };
	int rc = f->ended ? 0 : stream_write(f, &r, sizeof(r), e);

	f->ended |= rc == 0;
	return rc;
}

static int flat_readback(struct sink *s, int *fd, struct err *e)
{
	struct sink_flat *f = flat_of(s);
	int rc;

	if (!f->file)
		return -ENOTSUP;
	rc = write_end(f, e);
	return rc ? rc : f->file->ops->readback(f->file, fd, e);
}

static int flat_commit(struct sink *s, bool sync, struct err *e)
{
	struct sink_flat *f = flat_of(s);
	int rc = write_end(f, e);

	atomic_store(&s->size, f->pos);
	if (rc == 0 && sync)
		rc = flat_sync(s, e);
	if (rc == 0 && f->file)
		rc = f->file->ops->commit(f->file, sync, e);
	return rc;
}

static void flat_abandon(struct sink *s, bool keep)
{
	struct sink_flat *f = flat_of(s);

	/* Readers want whole records and the end one, even of a dump that stopped early. A disk
	 * that is full has room for it again once the record that did not fit is cut off. */
	if (keep && f->file && f->file->ops->set_size(f->file, f->whole, NULL) == 0) {
		f->pos = f->whole;
		f->broken = f->ended = false;
	}
	if (keep)
		write_end(f, NULL);
	atomic_store(&s->size, f->pos);
	if (f->file)
		f->file->ops->abandon(f->file, keep);
}

static u64 flat_room(struct sink *s)
{
	struct sink_flat *f = flat_of(s);

	return f->file ? f->file->ops->room(f->file) : UINT64_MAX;
}

static void flat_close(struct sink *s)
{
	struct sink_flat *f = flat_of(s);

	if (f->file)
		f->file->ops->close(f->file);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static const struct sink_ops flat_ops = {
	.name = "flattened",
	.pwrite = flat_pwrite,
	.zero = flat_zero,
	.set_size = flat_set_size,
	.sync = flat_sync,
	.readback = flat_readback,
	.commit = flat_commit,
	.abandon = flat_abandon,
	.room = flat_room,
	.close = flat_close,
};

static int write_header(struct sink_flat *f, struct err *e)
{
	u8 block[KDUMP_FLAT_HEADER_SIZE] = { 0 };
	struct kdump_flat_header h = { .type_be = htobe64(KDUMP_FLAT_TYPE),
				       .version_be = htobe64(KDUMP_FLAT_VERSION) };

	memcpy(h.signature, KDUMP_FLAT_SIGNATURE, sizeof(KDUMP_FLAT_SIGNATURE));
	memcpy(block, &h, sizeof(h));
	f->whole = sizeof(block);
	return stream_write(f, block, sizeof(block), e);
}

int sink_flat_open(struct sink **out, const char *path, struct err *e)
{
	struct sink_flat *f = calloc(1, sizeof(*f));
	int rc = 0;

	if (!f)
		return err_sys(e, -ENOMEM, "%s", path);
	f->sink.ops = &flat_ops;
	f->sink.align = 1;
	pthread_mutex_init(&f->lock, NULL);
	if (strcmp(path, "-") != 0)
		rc = sink_file_open(&f->file, path, false, e);
	f->sink.once = !f->file;
	if (rc == 0)
		rc = write_header(f, e);
	if (rc) {
		if (f->file)
			f->file->ops->abandon(f->file, false);
		flat_close(&f->sink);
		return rc;
	}
	*out = &f->sink;
	return 0;
}
