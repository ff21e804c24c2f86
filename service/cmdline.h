/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmdline.h - the capture kernel's command line, made from the running kernel's.
 * In:     running: the text of /proc/cmdline, with or without its newline; cpus: what cpus_words()
 *         made, or NULL for one CPU; spare: what spare_word() made, or NULL; append: words to add
 * at the end, or NULL. Errors: -E2BIG: longer than the kernel takes; the length on success. Source:
 * Documentation/admin-guide/kernel-parameters.txt; lib/cmdline.c, next_arg(), for what a word is;
 * arch/x86/kernel/kexec-bzimage64.c, bzImage64_load(), for the limit. */
#ifndef CRASHPOD_CMDLINE_H
#define CRASHPOD_CMDLINE_H

#include "base/err.h"
#include "base/types.h"

/* x86 says 2047 in the setup header; kexec_file_load counts the NUL, and 30 and 31 bytes that it
 * keeps for the elfcorehdr= and dmcryptkeys= it adds. */
#define CMDLINE_MAX (2047 - 30 - 31 - 1)
#define CMDLINE_CAP (CMDLINE_MAX + 1)

/* Drops what belongs to the production system (a table with reasons), and all after "--"; adds
 * cpus, and nr_cpus=1 irqpoll reset_devices acpi_no_memhotplug panic=10 nokaslr
 * cryptomgr.notests cgroup.memory=nokmem where cpus and append do not say otherwise, spare
 * likewise, then append. */
int cmdline_make(char buf[static CMDLINE_CAP], const char *running, const char *cpus,
		 const char *spare, const char *append, struct err *e);

/* Takes text as the whole command line: copies it without line ends. */
int cmdline_take(char buf[static CMDLINE_CAP], const char *text, struct err *e);

/* Whether a word of text (or NULL) is name or name=value. */
bool cmdline_has(const char *text, const char *name);

#endif
