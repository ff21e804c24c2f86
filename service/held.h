/* SPDX-License-Identifier: GPL-2.0-or-later */
/* held.h - whether what lies on a target's device is what the configuration says of it: its type,
 * and a path that PID 1 can go.
 * In:     root: "" or another root directory, as in tree.h; node: the device's, root included.
 * Errors: 0, also where it cannot be told; -EINVAL, -ENOTDIR: it takes no dump, the message says
 *         why and *mend what to do. */
#ifndef CRASHPOD_HELD_H
#define CRASHPOD_HELD_H

#include "base/conf.h"
#include "base/err.h"

int held_check(const char *root, const struct conf *conf, const struct conf_target *t,
	       const char *node, const char **mend, struct err *e);

#endif
