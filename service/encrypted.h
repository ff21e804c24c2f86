/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encrypted.h - whether dm-crypt (LUKS) lies below a mounted file system: the capture kernel has no
 * key. In:     root: "" or another root directory, as in tree.h; sysfs below it. */
#ifndef CRASHPOD_ENCRYPTED_H
#define CRASHPOD_ENCRYPTED_H

#include <stdbool.h>

#include "mounts.h"

/* name: of the mapped device, as cryptsetup calls it. What cannot be looked at is not encrypted. */
bool encrypted_below(char name[static 64], const char *root, const struct mounts_holder *h);

#endif
