/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpus.h - how many CPUs the capture kernel runs, as words of its command line.
 * In:     text: what --cpus was given; root as in tree.h; running, append as in cmdline.h.
 * Errors: 0 or -errno; -EINVAL: not a number of CPUs; -ENOENT: /proc/cpuinfo does not say.
 * Source: Documentation/admin-guide/kernel-parameters.txt, nr_cpus= and disable_cpu_apicid=;
 *         Linux commits 151e0c7de616 (the parameter) and 5c5682b9f87a (6.9: the kernel finds the
 *         boot CPU by itself, and no longer knows the parameter). */
#ifndef CRASHPOD_CPUS_H
#define CRASHPOD_CPUS_H

#include "base/err.h"
#include "base/types.h"

#define CPUS_MAX 256 /* as many as a dump has threads */
#define CPUS_WORDS_CAP 64

int cpus_parse(const char *text, unsigned *n, struct err *e);

/* The APIC id that the CPU the firmware booted had from the beginning: that of processor 0. */
int cpus_boot_apicid(const char *root, u32 *id, struct err *e);

/* nr_cpus=N, and with more than one CPU disable_cpu_apicid=: the capture kernel runs on the CPU
 * that panicked, and the INIT that brings up another one resets the machine where that other is
 * the boot CPU. (Where the boot CPU panicked, the kernel passes the parameter over.) An id that
 * append or the running kernel's own line has stands. */
int cpus_words(char buf[static CPUS_WORDS_CAP], const char *root, unsigned n, const char *running,
	       const char *append, struct err *e);

#endif
