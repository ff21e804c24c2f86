/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify.h - judges a dump: that every part of it is where it should be and can be read.
 * Sound:  nothing contradicts anything, and each page the file claims to hold was read. Pages that
 *         a complete dump's descriptors call missing could not be read when it was made: that is no
 *         fault of the file, and is told. Missing pages are no contradiction either in a file that
 *         says it is incomplete, or that is one part of a split dump; but it is not called sound.
 *         Pages that no decompressor is built in for (lzo, snappy) could not be judged: everything
 *         else is, and the file is not called sound.
 * Memory: does not grow with the dump but as kdump_file.h says. */
#ifndef CRASHPOD_VERIFY_H
#define CRASHPOD_VERIFY_H

#include "base/err.h"
#include "base/types.h"

#define VERIFY_LINES_MAX 20 /* problems told one by one; the rest is only counted */

/* Takes one problem, a line without '\n'. */
typedef void (*verify_line_fn)(void *arg, const char *line);

struct verify_result {
	char format[24];    /* as info.format; empty where the file cannot be opened */
	u64 problems;	    /* 0: sound */
	u64 pages;	    /* the file claims to hold */
	bool hides_missing; /* more may be missing than the file can tell: an ELF one */
	u64 missing;	    /* of these, not there in a file that says it is incomplete */
	u64 unreadable;	 /* of these, not there in a complete file: its source could not be read */
	u64 unsupported; /* of these, stored with lzo or snappy: not judged */
	bool incomplete;
	bool part; /* of a split dump */
};

/* Returns 0: sound. -EBADMSG: problems, which line got told. -ENODATA: no problem, but incomplete
 * or a part. -ENOTSUP: no problem, but not all pages could be judged. */
int verify_run(struct verify_result *r, const char *path, verify_line_fn line, void *arg);

/* The result in one sentence, without the file's name. */
void verify_summary(const struct verify_result *r, char *buf, size_t cap);

#endif
