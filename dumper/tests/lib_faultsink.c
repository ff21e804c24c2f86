/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib_faultsink.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct fault_sink {
	struct sink sink;
	struct sink *inner;
	struct fault *fault;
	pthread_mutex_t lock;
};

static struct fault_sink *fault_of(struct sink *s)
{
	return (struct fault_sink *)s;
}

/* 0, or the code with which this call fails. */
static int fault_next(struct fault_sink *fs, const char *where, struct err *e)
{
	struct fault *f = fs->fault;
	int rc = 0;

	pthread_mutex_lock(&fs->lock);
	f->calls++;
	if (f->at && (f->calls == f->at || (f->forever && f->calls > f->at))) {
		rc = err_sys(e, f->code, "%s number %u", where, f->calls);
		if (!f->where)
			f->where = where;
	}
	pthread_mutex_unlock(&fs->lock);
	return rc;
}

/* A write that goes wrong and says that it did not. */
static int damaged_pwrite(struct fault_sink *fs, const void *buf, size_t len, u64 off,
			  struct err *e)
{
	struct sink *inner = fs->inner;
	u8 *copy;
	int rc;

	if (fs->fault->lost)
		return 0;
	/* as writes with O_DIRECT want it */
	assert(posix_memalign((void **)&copy, PAGE_SIZE, len) == 0);
	memcpy(copy, buf, len);
	copy[fs->fault->damage - off] ^= 0xff;
	rc = inner->ops->pwrite(inner, copy, len, off, e);
	free(copy);
	return rc;
}

static bool is_damaged(struct fault_sink *fs, size_t len, u64 off)
{
	struct fault *f = fs->fault;
	bool hit = f->damage_from && f->damage >= off && f->damage - off < len;

	if (!hit)
		return false;
	pthread_mutex_lock(&fs->lock);
	f->holds++;
	hit = f->holds >= f->damage_from && f->holds <= f->damage_to;
	pthread_mutex_unlock(&fs->lock);
	return hit;
}

static int fault_pwrite(struct sink *s, const void *buf, size_t len, u64 off, struct err *e)
{
	struct fault_sink *fs = fault_of(s);
	int rc = fault_next(fs, "write", e);

	if (rc && fs->fault->torn)
		fs->inner->ops->pwrite(fs->inner, buf, len / 2, off, NULL);
	if (rc)
		return rc;
	return is_damaged(fs, len, off) ? damaged_pwrite(fs, buf, len, off, e)
					: fs->inner->ops->pwrite(fs->inner, buf, len, off, e);
}

static int fault_zero(struct sink *s, u64 off, u64 len, bool reserve, struct err *e)
{
	struct fault_sink *fs = fault_of(s);
	int rc = fault_next(fs, "zero", e);

	return rc ? rc : fs->inner->ops->zero(fs->inner, off, len, reserve, e);
}

static int fault_set_size(struct sink *s, u64 size, struct err *e)
{
	struct fault_sink *fs = fault_of(s);
	int rc = fault_next(fs, "size", e);

	return rc ? rc : fs->inner->ops->set_size(fs->inner, size, e);
}

static int fault_sync(struct sink *s, struct err *e)
{
	struct fault_sink *fs = fault_of(s);
	int rc = fault_next(fs, "sync", e);

	return rc ? rc : fs->inner->ops->sync(fs->inner, e);
}

static int fault_readback(struct sink *s, int *fd, struct err *e)
{
	struct fault_sink *fs = fault_of(s);

	if (fs->fault->cancel)
		atomic_store(fs->fault->cancel, 1);
	return fs->inner->ops->readback(fs->inner, fd, e);
}

static int fault_commit(struct sink *s, bool sync, struct err *e)
{
	struct fault_sink *fs = fault_of(s);
	int rc = fault_next(fs, "commit", e);

	return rc ? rc : fs->inner->ops->commit(fs->inner, sync, e);
}

static void fault_abandon(struct sink *s, bool keep)
{
	struct fault_sink *fs = fault_of(s);

	fs->inner->ops->abandon(fs->inner, keep);
}

static u64 fault_room(struct sink *s)
{
	struct fault_sink *fs = fault_of(s);

	return fs->inner->ops->room(fs->inner);
}

static void fault_close(struct sink *s)
{
	struct fault_sink *fs = fault_of(s);

	fs->inner->ops->close(fs->inner);
	pthread_mutex_destroy(&fs->lock);
	free(fs);
}

static const struct sink_ops fault_ops = {
	.name = "fault",
	.pwrite = fault_pwrite,
	.zero = fault_zero,
	.set_size = fault_set_size,
	.sync = fault_sync,
	.readback = fault_readback,
	.commit = fault_commit,
	.abandon = fault_abandon,
	.room = fault_room,
	.close = fault_close,
};

struct sink *fault_sink_open(struct sink *inner, struct fault *f)
{
	struct fault_sink *fs = calloc(1, sizeof(*fs));

	assert(fs);
	fs->sink.ops = &fault_ops;
	fs->sink.holes = inner->holes;
	fs->sink.once = inner->once;
	fs->sink.base = inner->base;
	fs->sink.align = inner->align;
	fs->inner = inner;
	fs->fault = f;
	pthread_mutex_init(&fs->lock, NULL);
	return &fs->sink;
}
