/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room.h - how much a dump taken now may need, and how much a target has.
 * Units:  bytes.
 * Errors: 0 or -errno.
 * Source: proc(5), meminfo and mountinfo; Documentation/filesystems/vfat.rst. */
#ifndef CRASHPOD_ROOM_H
#define CRASHPOD_ROOM_H

#include "base/types.h"

/* An upper estimate at a dump level, before compression: all memory but what the level leaves out
 * and /proc/meminfo can count. */
int room_needed(const char *root, unsigned level, u64 *bytes);

/* Free in the mounted file system of the device node; -ENOENT: not mounted; -EROFS: mounted, but
 * it cannot be written to. */
int room_free(const char *root, const char *node, u64 *bytes);

/* The largest file of a file system of this kind; UINT64_MAX where no dump is larger. */
u64 room_file_max(const char *fstype);

#endif
