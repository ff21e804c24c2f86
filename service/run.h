/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.h - runs a program found in PATH and waits for it.
 * Errors: -ENOENT: no such program; -EIO: it failed, with its exit status in the message. */
#ifndef CRASHPOD_RUN_H
#define CRASHPOD_RUN_H

#include "base/err.h"
#include "base/types.h"

int run_wait(const char *const argv[], struct err *e);

#endif
