/* SPDX-License-Identifier: GPL-2.0-or-later */
/* md.h - starts a software RAID array from its members' superblocks (1.x), which the kernel reads
 * itself: mdadm is not needed.
 * The array is started so that it does as little as it can: nothing is written before the first
 * write of the file system on it, and no resync runs. An array that was dirty stays dirty, and is
 * resynced by the production kernel.
 * Errors: 0 or -errno, the message names the array. -EIO also where the kernel thinks that too few
 *         members are there.
 * Source: linux/raid/md_u.h, Documentation/admin-guide/md.rst */
#ifndef CRASHPOD_INIT_MD_H
#define CRASHPOD_INIT_MD_H

#include "../dumper/base/err.h"
#include "../dumper/base/resolve_super.h"

/* name: "md127". members: those with the array's UUID. Of two with one number (paths to one disk)
 * the first is taken. used: how many the kernel took. */
int md_start(const char *name, const struct resolve_supers *members, unsigned *used, struct err *e);

/* The array runs. */
bool md_runs(const char *name);

/* "1.2" as 2; -EINVAL where it is no form of superblock version 1. */
int md_minor_version(const char *version);

#endif
