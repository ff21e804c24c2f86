/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys.h - keys of encrypted targets: whether the capture kernel can have them, and which ones the
 * running kernel is to hand over when it is loaded.
 * In:     root: "" or another root directory, as in tree.h; sysfs and configfs below it.
 * Errors: 0 or -errno; the message names the device and what mends it. Keys are never read. */
#ifndef CRASHPOD_KEYS_H
#define CRASHPOD_KEYS_H

#include "encrypted.h"

/* What cryptsetup and crypttab link a volume's key as. */
#define KEYS_LINK "@u::%%logon:%s"

/* Whether the capture kernel can have the key of c: desc is its description then. -ENOSYS: this
 * kernel hands no keys over; -ENOTSUP: not of this kind of encryption; -ENOKEY and others: the key
 * is not where the kernel takes it from. find: cryptkeys_find(), or a test's. */
int keys_check(char desc[static 48], const char *root, const struct encrypted *c,
	       int (*find)(const char *desc), struct err *e);

/* Before the capture kernel is loaded: names the keys of the configured targets to the kernel, and
 * takes those back that are not wanted any more. What cannot be handed over is said: a target for
 * which there is no key takes no dump, others may. */
void keys_hand_over(const char *root, int (*find)(const char *desc),
		    void (*say)(void *arg, const char *line), void *arg);

/* Names none any more: with a name whose key is gone nobody's capture kernel would be loaded. */
void keys_take_back(const char *root);

/* Whether that key has been named to the kernel. */
bool keys_are_named(const char *root, const char *desc);

#endif
