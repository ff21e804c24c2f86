/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture.h - what the capture kernel is and has, for the record and the console.
 * Errors: none: what cannot be found out is empty or 0. */
#ifndef CRASHPOD_INIT_CAPTURE_H
#define CRASHPOD_INIT_CAPTURE_H

#include "../dumper/base/types.h"

struct capture {
	char release[65];
	char cpus[64]; /* as the kernel lists those online: "0-1" */
	u64 memory_kib, free_kib;
};

void capture_facts(struct capture *c);

#endif
