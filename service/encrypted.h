/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encrypted.h - which encrypted devices (dm-crypt) lie below a file system or a device.
 * In:     root: "" or another root directory, as in tree.h; sysfs below it.
 * Errors: none: what cannot be looked at is not encrypted. */
#ifndef CRASHPOD_ENCRYPTED_H
#define CRASHPOD_ENCRYPTED_H

#include "mounts.h"

#define ENCRYPTED_MAX 8

struct encrypted {
	char name[64];	/* as cryptsetup calls it */
	char uuid[160]; /* device-mapper's, "CRYPT-LUKS2-...": it tells what made it */
};

struct encrypted_list {
	struct encrypted found[ENCRYPTED_MAX];
	unsigned n;
};

void encrypted_below(struct encrypted_list *l, const char *root, const struct mounts_holder *h);

/* node: of the device, root included, as tree_device() gives it. */
void encrypted_below_node(struct encrypted_list *l, const char *root, const char *node);

#endif
