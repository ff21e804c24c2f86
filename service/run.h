/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.h - runs a program found in PATH and waits for it.
 * Errors: -ENOENT: no such program; -EIO: it failed, with its exit status in the message. */
#ifndef CRASHPOD_RUN_H
#define CRASHPOD_RUN_H

#include "base/err.h"
#include "base/types.h"

int run_wait(const char *const argv[], struct err *e);

/* As run_wait(), with the first line of its output in buf (cut to fit, without line end). */
int run_line(const char *const argv[], char *buf, size_t cap, struct err *e);

#endif
