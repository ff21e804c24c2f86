/* SPDX-License-Identifier: GPL-2.0-or-later */
/* err.h - one error: a negative errno and a sentence, in a fixed buffer (works when malloc fails).
 * The cause is set once with err_set(); each caller that knows more prepends context with
 * err_ctx(), so that the message reads "dump: open /proc/vmcore: phdr 3: read 12 of 56".
 * Libraries fill it; only init/ and the commands print it. */
#ifndef CRASHPOD_ERR_H
#define CRASHPOD_ERR_H

#include <stdbool.h>

#define ERR_MSG_MAX 480

struct err {
	int code;	       /* negative errno, 0 while nothing went wrong */
	char msg[ERR_MSG_MAX]; /* NUL-terminated; cut at the end when too long */
};

/* Sets code (negative errno) and message; returns code. e may be NULL. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set() with ": " and the text of -code appended. */
int err_sys(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The text of an errno (positive). */
const char *err_text(int errno_code);

/* Whether code (negative errno) says that the file system is full, or that this writer's quota is.
 */
bool err_is_full(int code);

/* Prepends "context: " to the message; returns e->code (-EIO when e is NULL or empty). */
int err_ctx(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
