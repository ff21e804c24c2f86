/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve_int.h - what resolve.c and resolve_super.c share. */
#ifndef CRASHPOD_RESOLVE_INT_H
#define CRASHPOD_RESOLVE_INT_H

#include <blkid/blkid.h>

#include "resolve.h"

/* What libblkid calls a part of something larger. */
#define RESOLVE_MEMBERS(X)     \
	X("linux_raid_member") \
	X("LVM2_member")       \
	X("crypto_LUKS")       \
	X("isw_raid_member")   \
	X("ddf_raid_member")   \
	X("bcache")

/* The number in a file of a device's directory in sysfs, or of one below it: 0 where there is
 * none. */
u64 resolve_number(const struct resolve_roots *r, const char *dev, const char *sub,
		   const char *file);

/* A prober of the device of that name in sysfs; NULL where it cannot be opened. */
blkid_probe resolve_open(const struct resolve_roots *r, const char *name);

/* Calls fn for each block device that has a size. */
void resolve_each(const struct resolve_roots *r, void (*fn)(void *arg, const char *name),
		  void *arg);

#endif
