/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.h - whether mapped memory can be read, found out without dying of it. A machine check on
 * memory that has failed, and a mapped file that cannot be read, both come as SIGBUS.
 * Threads: a probe ends its own thread's SIGBUS only; any other still ends the process. */
#ifndef CRASHPOD_PROBE_H
#define CRASHPOD_PROBE_H

#include "base/types.h"

/* Takes SIGBUS over for the whole process, once; 0 or -errno. */
int probe_init(void);

/* How many of len bytes from p on can be read, each line of the cache having been looked at: what
 * is read next is in the cache. Less than len ends where a page does. */
size_t probe_bytes(const u8 *p, size_t len);

#endif
