/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crashtool.h - runs crash(8) on a dump and keeps what it says.
 * Errors: 0; -ENOENT: it is not installed; -ETIMEDOUT: it did not end; -EIO: it failed. */
#ifndef CRASHPOD_CRASHTOOL_H
#define CRASHPOD_CRASHTOOL_H

#include "base/err.h"
#include "base/types.h"

/* vmlinux and dump are absolute paths: it is run in /.
 * What `crash -s VMLINUX DUMP` prints of commands (lines, "quit" last), cut to fit into out. */
int crashtool_ask(const char *vmlinux, const char *dump, const char *commands, unsigned limit_s,
		  char *out, size_t cap, struct err *e);

#endif
