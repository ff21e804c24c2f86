/* SPDX-License-Identifier: GPL-2.0-or-later */
/* where.h - the configuration as the commands about dumps read it, and where it has them.
 * In:     root: "" or another root directory, as in tree.h. Problems of the configuration are for
 *         `crashpod conf` and `status` to tell: the defaults stand in.
 * Errors: 0 or -errno; only a file that was named must be there. */
#ifndef CRASHPOD_WHERE_H
#define CRASHPOD_WHERE_H

#include "dumps.h"

/* file: NULL for root's CONF_FILE. */
int where_conf(struct conf *c, const char *root, const char *file, struct err *e);

/* The configuration's directory of dumps, and what is in it, sorted; raw: what waits in raw areas
 * as well. note, where not NULL, gets why another directory may be meant. PID 1 makes the
 * directory with the first dump: none is no error. */
int where_dumps(struct dumps *d, char dir[static PATH_MAX], const char *root, const struct conf *c,
		bool raw, struct err *note, struct err *e);

#endif
