/* SPDX-License-Identifier: GPL-2.0-or-later */
/* made_id.h - what a kernel says of itself, as `crashpod vmlinux` has it from a dump. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "../vmlinux.h"
#include "made_elf.h"

#define REL MADE_RELEASE
#define VERSION "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-07-02)"
#define BANNER "Linux version " REL " (debian-kernel@lists.debian.org) (gcc-12, GNU ld) "

static inline void make_id(struct vmlinux_id *id, const char *release, const char *version,
			   const char *banner, const char *build_id)
{
	memset(id, 0, sizeof(*id));
	snprintf(id->release, sizeof(id->release), "%s", release);
	snprintf(id->version, sizeof(id->version), "%s", version);
	snprintf(id->banner, sizeof(id->banner), "%s", banner);
	snprintf(id->build_id, sizeof(id->build_id), "%s", build_id);
}
