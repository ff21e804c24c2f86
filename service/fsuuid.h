/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fsuuid.h - the UUID of a mounted file system.
 * In:     root: "" or another root directory, as in tree.h.
 * Errors: 0 or -errno. -ENOENT: it has none, or no device. */
#ifndef CRASHPOD_FSUUID_H
#define CRASHPOD_FSUUID_H

#include "mounts.h"

#define FSUUID_CAP 64

/* By udev's links, or on the real root by what is on the device. */
int fsuuid_find(char uuid[static FSUUID_CAP], const char *root, const struct mounts_holder *h);

#endif
