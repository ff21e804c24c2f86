/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cryptkeys.h - keys of encrypted devices that the running kernel hands to the capture kernel
 * (CONFIG_CRASH_DM_CRYPT): it copies them into the reserved memory when a capture kernel is loaded.
 * Their bytes are never read here.
 * Errors: 0 or -errno.
 * Source: Documentation/admin-guide/kdump/kdump.rst, kernel/crash_dump_dm_crypt.c (6.16) */
#ifndef CRASHPOD_CRYPTKEYS_H
#define CRASHPOD_CRYPTKEYS_H

#include "err.h"

#define CRYPTKEYS_CONFIGFS "/kernel/config" /* below /sys */
#define CRYPTKEYS_DIR CRYPTKEYS_CONFIGFS "/crash_dm_crypt_keys"

/* Whether the kernel has the interface. sys: "/sys", where configfs is mounted if it is not, or
 * another directory. */
bool cryptkeys_offered(const char *sys);

/* Lets this process find what is in root's keyring, wherever it was started from. */
int cryptkeys_join(void);

/* Whether the key is in root's keyring, of the type that the kernel takes it from (logon). -ENOKEY:
 * it is not; -EKEYEXPIRED, -EKEYREVOKED. */
int cryptkeys_find(const char *desc);

/* In the capture kernel: makes keys (user) of those that it was given, in root's keyring, for this
 * process. To do it again changes nothing. -ENOKEY: it was given none. */
int cryptkeys_restore(struct err *e);

#endif
