/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kexec.h - puts the capture kernel into the reserved memory, and takes it out again.
 * Errors: 0 or -errno; the message says what to do about it.
 * Source: kexec_file_load(2), kernel/kexec_file.c; kexec(8) where the call is missing. */
#ifndef CRASHPOD_KEXEC_H
#define CRASHPOD_KEXEC_H

#include "base/err.h"
#include "base/types.h"

struct kexec_image {
	const char *kernel, *initrd; /* files */
	const char *cmdline;
};

/* What decides which of its reasons an EPERM has. */
struct kexec_may {
	bool privileged; /* runs as root */
	bool disabled;	 /* kernel.kexec_load_disabled is 1 */
	bool locked;	 /* kernel lockdown is on */
};

#define KEXEC_SIZE_FILE "/sys/kernel/kexec_crash_size"

/* Bytes that are reserved for the capture kernel. -ENOENT: a kernel without it; -EBUSY: a load goes
 * on for more than a minute (shorter ones are waited for, here and below). */
int kexec_reserved(const char *root, s64 *bytes);

/* By kexec_file_load(2), or where the kernel has not got it by the next. */
int kexec_load(const struct kexec_image *image, struct err *e);
/* By kexec-tools' program. */
int kexec_load_by_tool(const struct kexec_image *image, struct err *e);
int kexec_unload(struct err *e);

/* Sets the message for an errno of the call: "what: reason and remedy". Returns code. */
int kexec_explain(struct err *e, int code, const char *what, const struct kexec_may *may);

#endif
