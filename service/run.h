/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.h - runs a program found in PATH and waits for it.
 * Errors: -ENOENT: no such program; -EIO: it failed, with its exit status in the message. */
#ifndef CRASHPOD_RUN_H
#define CRASHPOD_RUN_H

#include "base/err.h"
#include "base/types.h"

int run_wait(const char *const argv[], struct err *e);

/* As run_wait(); *out is what it printed, 1 MiB at most (-EFBIG), the caller's to free. Where it
 * failed (-EIO) *out is there as well, and the last line that it said on stderr is the message. For
 * other errors *out is NULL. Nothing is printed. */
int run_read(const char *const argv[], char **out, struct err *e);

#endif
