/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layers_crypt.h - encrypted devices (dm-crypt) in the text of layers.h: which key, never the key.
 * In a map's arguments the key is ":BYTES:user:cryptsetup:UUID", which is how the capture kernel
 * has it from the running one; UUID is the LUKS header's.
 * In:     hostile, as layers.h; a running device's table may have a key in it.
 * Errors: NULL, or what is wrong, in words that have nothing of the table in them.
 * Source: Documentation/admin-guide/device-mapper/dm-crypt.rst, kernel/crash_dump_dm_crypt.c */
#ifndef CRASHPOD_LAYERS_CRYPT_H
#define CRASHPOD_LAYERS_CRYPT_H

#include <stdbool.h>
#include <stddef.h>

#define LAYERS_CRYPT "crypt"
#define LAYERS_CRYPT_DESC_CAP 48 /* "cryptsetup:" and a UUID */

/* The key's description, of a mapped device that cryptsetup has made of a LUKS2 header, from its
 * UUID in device-mapper ("CRYPT-LUKS2-..."). False: it is another one. */
bool layers_crypt_desc(const char *dm_uuid, char out[static LAYERS_CRYPT_DESC_CAP]);

/* A running device's arguments as they are written down: with that key in the place of its own. */
const char *layers_crypt_args(const char *args, const char *desc, char *out, size_t cap);

/* Arguments that were written down. */
const char *layers_crypt_check(const char *args, size_t len);

#endif
