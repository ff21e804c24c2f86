/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room.h - how much a dump taken now may need, and how much a target has.
 * Units:  bytes.
 * Errors: 0 or -errno.
 * Source: proc(5), meminfo and mountinfo. */
#ifndef CRASHPOD_ROOM_H
#define CRASHPOD_ROOM_H

#include "base/conf.h"
#include "base/types.h"

/* An upper estimate at a dump level, before compression: all memory but what the level leaves out
 * and /proc/meminfo can count. */
int room_needed(const char *root, unsigned level, u64 *bytes);

/* Free on the target whose device node is node: for a file system that is mounted, its free room
 * (-ENOENT: not mounted); for a raw target, the device's size. */
int room_free(const char *root, const struct conf_target *target, const char *node, u64 *bytes);

#endif
