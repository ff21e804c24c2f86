/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target.h - the directory of this dump on the mounted target.
 * For children only: what it does may hang with the target. */
#ifndef CRASHPOD_INIT_TARGET_H
#define CRASHPOD_INIT_TARGET_H

#include "init.h"

/* Opens the configured path; with dump, the dump's own directory below it. *fd is the caller's. */
int target_open_dir(const struct init *in, bool dump, int *fd, struct err *e);

/* Makes a directory of a name that is still free below parent, and fills in its names. */
int target_new_dump_dir(int parent, enum conf_naming style, time_t stamp, struct naming *names,
			struct err *e);

#endif
