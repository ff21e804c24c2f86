/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sink.h - where a dump's bytes go: a file on a file system (sink_file.c), a slot of a raw area
 * (sink_raw.c) or makedumpfile's flattened stream (sink_flat.c). A backend is one file that fills
 * in struct sink_ops. Units:   off, len in bytes of the dump file, also for a flattened one.
 * Errors:  0 or -errno; the first write that fails is what stops a dump.
 * Owner:   sink_close() frees. Threads: pwrite and sink_alloc may be called from any. */
#ifndef CRASHPOD_SINK_H
#define CRASHPOD_SINK_H

#include <stdatomic.h>

#include "base/err.h"
#include "base/types.h"

struct sink;

struct sink_ops {
	const char *name;
	int (*pwrite)(struct sink *s, const void *buf, size_t len, u64 off, struct err *e);
	/* [off, off + len) reads as zeros until it is written, in pieces and also twice; reserve:
	 * with room set aside where that is possible. Of a sink that writes once this asks nothing.
	 */
	int (*zero)(struct sink *s, u64 off, u64 len, bool reserve, struct err *e);
	/* The file ends at size, or later. */
	int (*set_size)(struct sink *s, u64 size, struct err *e);
	/* Everything written is on the disk, and the file's name too. */
	int (*sync)(struct sink *s, struct err *e);
	/* *fd: to read what was written, closed by the caller; a stream gets its end mark.
	 * -ENOTSUP: what is written cannot be read. Only fixed places are written after it. */
	int (*readback)(struct sink *s, int *fd, struct err *e);
	/* The dump is whole: gives it its name (never over another file). */
	int (*commit)(struct sink *s, bool sync, struct err *e);
	/* The dump is not whole: keep says whether what is there opens; else it is removed. */
	void (*abandon)(struct sink *s, bool keep);
	/* Room left for the dump in bytes, or UINT64_MAX where that is not known. */
	u64 (*room)(struct sink *s);
	void (*close)(struct sink *s);
};

struct sink {
	const struct sink_ops *ops;
	bool holes; /* what is never written reads as zeros and takes no room */
	bool once;  /* a pipe: nothing can be written a second time, headers come last */
	u64 base;   /* where the dump begins in what readback() opens: 0, or on a raw area */
	/* What set_size() and zero() count up while they fill much room with zeros (a raw slot,
	 * vfat): or else they would seem to hang. NULL: nobody looks. */
	_Atomic u64 *moved;
	u64 max;	 /* of a file: no byte is written at or past it */
	size_t align;	 /* page data is best written in multiples of this, at multiples of it */
	_Atomic u64 end; /* next free offset for page data */
	_Atomic u64 bytes_written;
	_Atomic u64 size; /* where the last byte written ends: what the dump came to */
};

/* path-incomplete is made with O_EXCL, mode 0600; commit renames it to path. direct: page data is
 * written with O_DIRECT where the file system takes it. */
int sink_file_open(struct sink **out, const char *path, bool direct, struct err *e);
/* path "-": standard output. */
int sink_flat_open(struct sink **out, const char *path, struct err *e);

#define SINK_STEP_BYTES ((u64)128 << 20) /* of zeros, between two looks */

static inline void sink_move(struct sink *s)
{
	if (s->moved)
		atomic_fetch_add(s->moved, 1);
}

/* A place for len bytes of page data, rounded up to s->align. */
static inline u64 sink_alloc(struct sink *s, u64 len)
{
	return atomic_fetch_add(&s->end, align_up(len, s->align));
}

static inline void sink_grow(struct sink *s, u64 end)
{
	u64 size = atomic_load(&s->size);

	while (end > size && !atomic_compare_exchange_weak(&s->size, &size, end))
		;
}

static inline int sink_pwrite(struct sink *s, const void *buf, size_t len, u64 off, struct err *e)
{
	int rc = s->ops->pwrite(s, buf, len, off, e);

	if (rc == 0) {
		atomic_fetch_add(&s->bytes_written, len);
		sink_grow(s, off + len);
	}
	return rc;
}

#endif
