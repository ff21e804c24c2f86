/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kmsg.h - what the kernel says while PID 1 does something: the reason behind an errno, and the
 * way to the stores that the kernel itself fills.
 * Source: Documentation/ABI/testing/dev-kmsg */
#ifndef CRASHPOD_INIT_KMSG_H
#define CRASHPOD_INIT_KMSG_H

#include <stddef.h>
#include <stdbool.h>

/* A descriptor that reads what is logged from now on; -1 where there is none. */
int kmsg_begin(void);

/* The first line since kmsg_begin() that is a warning or worse, cut to cap: false, and out empty,
 * where there is none. */
bool kmsg_complaint(int fd, char *out, size_t cap);

/* Puts text into the kernel's log, a record for each line, below the level that a console shows.
 * Nothing of it is interpreted. Gives 0 or -errno. */
int kmsg_write_lines(const char *text, size_t len);

/* The text of one record of /dev/kmsg (not ended by NUL) if it is a warning or worse. */
bool kmsg_warning(const char *rec, size_t len, char *out, size_t cap);

#endif
