/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify.h - judges a dump: that every part of it is where it should be and can be read.
 * Sound:  nothing contradicts anything, and each page the file claims to hold was read. A file that
 *         says of itself that it is incomplete may miss pages and still be sound; a page that no
 *         decompressor is built in for was not read, so the file is not called sound.
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
	u64 unsupported;    /* of these, stored with lzo or snappy */
	bool incomplete;
};

/* Returns 0 when the file is sound, -EBADMSG when it is not; line got told why. */
int verify_run(struct verify_result *r, const char *path, verify_line_fn line, void *arg);

/* The result in one sentence, without the file's name. */
void verify_summary(const struct verify_result *r, char *buf, size_t cap);

#endif
