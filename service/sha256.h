/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sha256.h - SHA-256, to tell whether a file is still the one that it was.
 * Errors: 0 or -errno of reading.
 * Source: FIPS 180-4 */
#ifndef CRASHPOD_SHA256_H
#define CRASHPOD_SHA256_H

#include "base/types.h"

#define SHA256_TEXT 65 /* 64 hexadecimal digits and a NUL */

struct sha256 {
	u32 state[8];
	u64 len; /* bytes so far */
	void (*blocks)(u32 state[static 8], const u8 *p, size_t blocks);
	u8 block[64];
};

void sha256_begin(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
void sha256_end(struct sha256 *s, char text[static SHA256_TEXT]);

void sha256_text(char text[static SHA256_TEXT], const void *data, size_t len);
int sha256_file(char text[static SHA256_TEXT], const char *path);

#endif
