/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room.h - a target that is full: older dumps that the configuration lets go make room for the new
 * one, which is then made once more.
 * Units:  bytes, pages, milliseconds. */
#ifndef CRASHPOD_INIT_ROOM_H
#define CRASHPOD_INIT_ROOM_H

#include "init.h"
#include "../dumper/base/keep.h"

/* Whether a dump that ended so may get older dumps' room. */
bool room_wanted(const struct init *in, u64 left_ms);

/* How much more a dump needs that had written bytes when done of total pages were: an estimate
 * with a margin. 0: not known. */
u64 room_missing(u64 done, u64 total, u64 bytes);

/* In a child, before the dump: older dumps make room for bytes of its log and record. True when it
 * is worth another try. code: why the first one failed. */
bool room_for_log(struct init *in, int path, int code, u64 bytes);

/* What keep.h needs to know; the strings are in's. */
struct keep room_keep(const struct init *in);

/* Removes older dumps, and what this one has left: true when it is worth another try. */
bool room_make(struct init *in);

#endif
