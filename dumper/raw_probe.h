/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw_probe.h - whether a device may become a raw area: it must hold nothing that anyone may miss.
 * Errors: 0: nothing is on it. -EEXIST, and what is there: a file system, a partition table, a
 * member of a RAID or a volume group, swap (as libblkid knows them), a raw area, or bytes that are
 *         not zero. -errno of what could not be read.
 * Looks:  at all of a small device; of one larger than 64 MiB at its first and last 4 MiB and 4096
 *         blocks between. */
#ifndef CRASHPOD_RAW_PROBE_H
#define CRASHPOD_RAW_PROBE_H

#include "base/err.h"
#include "base/types.h"

int raw_probe_empty(int fd, u64 bytes, struct err *e);

#endif
