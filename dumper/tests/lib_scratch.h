/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib_scratch.h - a directory for a test's files, removed with all that is in it. */
#ifndef CRASHPOD_TESTS_LIB_SCRATCH_H
#define CRASHPOD_TESTS_LIB_SCRATCH_H

#include "../base/types.h"

struct scratch {
	char dir[128];
};

/* In TMPDIR, or /tmp. */
void scratch_make(struct scratch *s);
void scratch_rm(struct scratch *s);
/* dir/name into buf, which is returned. */
const char *scratch_path(const struct scratch *s, char *buf, size_t cap, const char *name);
void scratch_unlink(const struct scratch *s, const char *name);
/* The names in the directory, sorted, joined by blanks; returns how many there are. */
unsigned scratch_list(const struct scratch *s, char *names, size_t cap);
/* dir/name where dir is the one that file (a __FILE__) is in. */
void scratch_beside(const char *file, const char *name, char *buf, size_t cap);

#endif
