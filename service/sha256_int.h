/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sha256_int.h - SHA-256's rounds over whole blocks of 64 bytes: in C, and by the CPU's own
 * instructions where it has them. */
#ifndef CRASHPOD_SHA256_INT_H
#define CRASHPOD_SHA256_INT_H

#include "sha256.h"

#define SHA256_BLOCK 64

extern const u32 sha256_words[64];

void sha256_blocks_c(u32 state[static 8], const u8 *p, size_t blocks);
/* Only where sha256_has_ni(). */
void sha256_blocks_ni(u32 state[static 8], const u8 *p, size_t blocks);
bool sha256_has_ni(void);

#endif
