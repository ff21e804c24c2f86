/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record_read.h - one string out of a record (crashpod.json): a member of the outermost object.
 * In:     hostile text, as the file lies on a disk that anything may have written to.
 * Errors: 0; -ENOENT: no such member, or not a string; -EINVAL: not JSON; others as read(2).
 *         out is always NUL-terminated, and empty after an error. */
#ifndef CRASHPOD_RECORD_READ_H
#define CRASHPOD_RECORD_READ_H

#include "types.h"

/* What is not printable ASCII becomes '?'; the value is cut to fit. */
int record_read(int dir, const char *file, const char *key, char *out, size_t cap);
int record_find(const char *text, size_t len, const char *key, char *out, size_t cap);

/* The whole record, at most its first 256 KiB, without NUL; *text is the caller's to free. Symbolic
 * links are not followed, and only plain files are read: -EINVAL. */
int record_load(int dir, const char *file, char **text, size_t *len);

#endif
