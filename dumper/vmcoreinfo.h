/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmcoreinfo.h - index of the VMCOREINFO note.
 * In:     len raw bytes; hostile, no NUL, last line may lack '\n'.
 * Units:  SYMBOL = kernel VA (hex); OFFSET, SIZE = bytes (dec); LENGTH = elements (dec);
 *         NUMBER is signed and comes in decimal or 0x hex; KERNELOFFSET is bare hex.
 * Errors: 0 or -errno. -ENOENT: key absent (normal). -EINVAL: there, but not a number.
 * Owner:  copies buf; vmcoreinfo_free(). Immutable after open, so safe to share between threads.
 * Source: Documentation/admin-guide/kdump/vmcoreinfo.rst */
#ifndef CRASHPOD_VMCOREINFO_H
#define CRASHPOD_VMCOREINFO_H

#include "base/err.h"
#include "base/types.h"

struct vmcoreinfo;

int vmcoreinfo_open(struct vmcoreinfo **out, const void *buf, size_t len, struct err *e);
void vmcoreinfo_free(struct vmcoreinfo *vi);

/* name is what stands between the brackets: vmcoreinfo_offset(vi, "page.flags", &v). */
int vmcoreinfo_symbol(const struct vmcoreinfo *vi, const char *name, u64 *va);
int vmcoreinfo_offset(const struct vmcoreinfo *vi, const char *name, u64 *bytes);
int vmcoreinfo_size(const struct vmcoreinfo *vi, const char *name, u64 *bytes);
int vmcoreinfo_length(const struct vmcoreinfo *vi, const char *name, u64 *elements);
int vmcoreinfo_number(const struct vmcoreinfo *vi, const char *name, s64 *value);

/* Plain KEY=VALUE lines. The string is cut to fit and NUL-terminated; what is not printable ASCII
 * becomes
 * '?'. _hex parses the value as bare hex (KERNELOFFSET), _decimal as decimal (CRASHTIME). */
int vmcoreinfo_string(const struct vmcoreinfo *vi, const char *key, char *buf, size_t cap);
int vmcoreinfo_hex(const struct vmcoreinfo *vi, const char *key, u64 *value);
int vmcoreinfo_decimal(const struct vmcoreinfo *vi, const char *key, u64 *value);

/* Lines indexed, and lines that could not be understood. */
size_t vmcoreinfo_lines(const struct vmcoreinfo *vi, size_t *bad);

#endif
