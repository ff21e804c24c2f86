/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spare.h - parts of the kernel's start that a capture kernel does without, as a word of its
 * command line: their memory is what bounds the reservation of a stock kernel.
 * In:     root as in tree.h.
 * Source: Documentation/admin-guide/kernel-parameters.txt, initcall_blacklist=: a name that the
 *         kernel does not have is passed over. */
#ifndef CRASHPOD_SPARE_H
#define CRASHPOD_SPARE_H

#include "base/types.h"

#define SPARE_WORD_CAP 128

/* Whether a disk has protection information (T10 PI, NVMe metadata), or may have. */
bool spare_protection(const char *root);

/* initcall_blacklist= with the parts that no disk of this machine needs. */
void spare_word(char buf[static SPARE_WORD_CAP], const char *root);

#endif
