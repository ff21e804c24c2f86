/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify.h - judges a dump: that every part of it is where it should be and can be read.
 * Sound:  nothing contradicts anything, and each page the file claims to hold was read. Pages that
 *         a complete dump's descriptors call missing could not be read when it was made: that is no
 *         fault of the file, and is told. Missing pages are no contradiction either in a file that
 *         says it is incomplete, or that is one part of a split dump; but it is not called sound.
 *         Pages that no decompressor is built in for (lzo, snappy) could not be judged: everything
 *         else is, and the file is not called sound.
 * Memory: a quarter of a megabyte, and what source_open() takes for the file: 8 bytes for each 128
 *         MiB of a kdump file's RAM, about 130 for each segment of an ELF file, 24 for each record
 *         of a flattened one. */
#ifndef CRASHPOD_VERIFY_H
#define CRASHPOD_VERIFY_H

#include "base/err.h"
#include "base/types.h"

#define VERIFY_LINES_MAX 20 /* problems told one by one; the rest is only counted */

enum verify_depth {
	VERIFY_NONE,
	VERIFY_STRUCTURE, /* headers, bitmaps, segments, every page descriptor */
	VERIFY_FULL,	  /* and every page is read, and decompressed */
};

/* "none", "structure" or "full"; "?" for a number that is none. */
const char *verify_depth_name(u32 depth);

/* Takes one problem, a line without '\n'. */
typedef void (*verify_line_fn)(void *arg, const char *line);
/* Called again and again; false: stop. done of total: pages, or bytes of an ELF file. */
typedef bool (*verify_pulse_fn)(void *arg, u64 done, u64 total);

struct verify_ask {
	enum verify_depth depth;
	verify_line_fn line;
	verify_pulse_fn pulse; /* may be NULL */
	void *arg;	       /* of both */
	/* What the notes must be, byte for byte; NULL: whatever they are, they must make sense. */
	const u8 *notes;
	size_t notes_len;
	u64 part_off, part_size; /* where in the file the dump lies; size 0: it is all of it */
};

struct verify_result {
	char format[24];    /* as info.format; empty where the file cannot be opened */
	u64 problems;	    /* 0: sound */
	u64 ram;	    /* pages that the file says there were */
	u64 pages;	    /* the file claims to hold */
	bool hides_missing; /* more may be missing than the file can tell: an ELF one */
	u64 missing;	    /* of these, not there in a file that says it is incomplete */
	u64 unreadable;	 /* of these, not there in a complete file: its source could not be read */
	u64 unsupported; /* of these, stored with lzo or snappy: not judged */
	bool incomplete;
	bool part;   /* of a split dump */
	int unended; /* why the rest could not be judged: -ENOMEM, -ECANCELED; 0: all was */
};

/* Returns 0: sound. -EBADMSG: problems, which line got told. -ENOMEM, -ECANCELED: no problem as far
 * as it was judged. -ENODATA: no problem, but incomplete or a part. -ENOTSUP: no problem, but not
 * all pages could be judged. */
int verify_run(struct verify_result *r, const char *path, verify_line_fn line, void *arg);
/* The same of an open file, which it closes, as asked. */
int verify_fd(struct verify_result *r, int fd, const struct verify_ask *ask);

/* The result in one sentence, without the file's name. */
void verify_summary(const struct verify_result *r, char *buf, size_t cap);

#endif
