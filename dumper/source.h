/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source.h - where the dead kernel's memory is read from: /proc/vmcore or an ELF vmcore
 * (source_elf.c), or a kdump-compressed file (source_kdump.c); flattened or not (source_flat.c).
 * A backend is one file that fills in struct source_ops; source_open() chooses by the first bytes.
 *
 * Units:   pfn = physical address / 4096; bitmaps: bit n%64 of word n/64, n counted from pfn.
 * Owner:   source_close() frees everything, notes too. Windows are closed before the source.
 * Threads: a source is immutable once open. A window belongs to one thread. */
#ifndef CRASHPOD_SOURCE_H
#define CRASHPOD_SOURCE_H

#include "base/err.h"
#include "base/types.h"

struct source;

/* One thread's view: the pointer that window_get() gave last stays valid until the next call. */
struct window {
	struct source *src;
	size_t cap;  /* bytes that one window_get() can give at most, a multiple of the page size */
	u8 *buf;     /* backend's: buffer of cap bytes, or the current mapping */
	u64 map_off; /* backend's: file offset of the current mapping */
	size_t map_len;
	void *priv; /* backend's: for example a decompression context */
	size_t priv_cap;
};

struct source_ops {
	const char *name; /* "elf", "kdump" */
	/* For the n pages (a multiple of 64) from pfn (a multiple of 64): sets the bits of ram
	 * (pages that exist as RAM) and have (pages whose bytes the source holds). Both arrays,
	 * n / 64 words each, come in zeroed. have is a subset of ram. */
	int (*bits)(struct source *s, u64 pfn, size_t n, u64 *ram, u64 *have, struct err *e);
	/* The first page of RAM at or after pfn, or max_pfn; NULL: not known without looking. */
	u64 (*next_ram)(struct source *s, u64 pfn);
	int (*window_open)(struct window *w, struct err *e);
	/* As window_get(). */
	int (*window_get)(struct window *w, u64 pa, size_t want, const u8 **p, size_t *got,
			  struct err *e);
	void (*window_close)(struct window *w);
	void (*close)(struct source *s);
};

/* Where a kernel virtual range of an ELF vmcore lies: its PT_LOADs, in file order. Needed for the
 * p_vaddr of an ELF dump; empty for a kdump file. */
struct source_map {
	u64 va, pa, size; /* bytes */
};

struct source {
	const struct source_ops *ops;
	const char *path;
	int fd;
	u64 max_pfn;	    /* one past the last page of RAM */
	u64 part_off;	    /* bytes: where in fd it begins */
	u64 part_size;	    /* bytes it has there; 0: fd as a whole is the source */
	bool proc;	    /* /proc/vmcore itself: mmap gives memory without page faults */
	bool flattened;	    /* stored as a flattened stream */
	bool incomplete;    /* the source is itself an incomplete dump, or cannot be read whole */
	u32 excluded_level; /* dump level already applied to the source, 0 for a vmcore */
	const u8 *notes;    /* the ELF notes, whole and unchanged */
	size_t notes_len;
	const struct source_map *maps;
	size_t nmaps;
	void *priv; /* backend's */
};

enum source_flags {
	/* Accept a file that ends early, is one part of a split dump, or has pages in a compression
	 * that is not supported: what cannot be had is unreadable. */
	SOURCE_PARTIAL = 1,
	/* /proc/vmcore is read rather than mapped: slower, without SIGBUS. */
	SOURCE_NO_MAP = 2,
	/* Any ELF file is mapped as /proc/vmcore is: for tests. */
	SOURCE_MAP = 4,
};

/* Opens path read-only and finds its kind. Errors: -EINVAL malformed, -ENOTSUP another machine or
 * format, -errno of open and read; the message names the place. */
int source_open(struct source **out, const char *path, unsigned flags, struct err *e);
/* The same of an open file, which it takes, also after an error. path is only used in messages. */
int source_open_fd(struct source **out, int fd, const char *path, unsigned flags, struct err *e);
/* The same of size bytes (not 0) from off on, which may lie on a block device. A flattened stream
 * cannot be read so. */
int source_open_part(struct source **out, int fd, u64 off, u64 size, const char *path,
		     unsigned flags, struct err *e);
void source_close(struct source *s);

static inline int source_bits(struct source *s, u64 pfn, size_t n, u64 *ram, u64 *have,
			      struct err *e)
{
	return s->ops->bits(s, pfn, n, ram, have, e);
}

static inline u64 source_next_ram(struct source *s, u64 pfn)
{
	return s->ops->next_ram ? s->ops->next_ram(s, pfn) : pfn;
}

/* cap_bytes: what one get gives at most; rounded up to a page. */
int window_open(struct window *w, struct source *s, size_t cap_bytes, struct err *e);

/* Points *p at the bytes from pa on; *got (1..want) says how many are there in one piece, and may
 * be less than want. Errors: -ENXIO: no such memory in the source; -ENODATA: RAM whose bytes the
 * source does not hold (excluded, or past the end of a truncated file); -EIO and others: cannot
 * be read; -EBADMSG: the stored page is corrupt; -ENOTSUP: stored with an unknown compression. */
int window_get(struct window *w, u64 pa, size_t want, const u8 **p, size_t *got, struct err *e);
void window_close(struct window *w);

/* Copies exactly len bytes from pa on, across pieces. */
int window_read(struct window *w, u64 pa, void *buf, size_t len, struct err *e);

#endif
