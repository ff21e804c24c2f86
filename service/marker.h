/* SPDX-License-Identifier: GPL-2.0-or-later */
/* marker.h - what `crashpod test` leaves for after the crash: which boot of which kernel was
 * crashed on purpose, and when. The kernel's log gets a line with the same boot id (marker_log()),
 * by which the dump is known for certain. In:     root: "" or another root directory, as in tree.h.
 * The file is root's own; it is read as if it were hostile all the same. Errors: 0 or -errno;
 * -ENOENT: no test was begun. */
#ifndef CRASHPOD_MARKER_H
#define CRASHPOD_MARKER_H

#include "base/err.h"
#include "base/types.h"

#define MARKER_FILE "/var/lib/crashpod/test.json"

struct marker {
	s64 when; /* seconds since 1970 */
	char boot_id[40], kernel[72];
};

/* Of the system that runs. */
int marker_now(struct marker *m, const char *root, struct err *e);
int marker_write(const struct marker *m, const char *root, struct err *e);
int marker_read(struct marker *m, const char *root, struct err *e);

/* The words in the log; puts a line with them there. Where the log cannot be written to, the time
 * and the kernel have to do. */
void marker_words(const struct marker *m, char *buf, size_t cap);
int marker_log(const struct marker *m, const char *root);

#endif
