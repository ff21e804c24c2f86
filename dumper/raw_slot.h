/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw_slot.h - one dump on a raw area: its log, its record and, by sink_raw.c, the dump itself.
 * Power:  each call leaves the slot as it was before, or as it is after. raw_slot_begin() first
 * gives the slot up (free), so that what was in it is never taken for the new dump. Errors: 0 or
 * -errno. */
#ifndef CRASHPOD_RAW_SLOT_H
#define CRASHPOD_RAW_SLOT_H

#include <time.h>

#include "base/conf.h"
#include "raw_area.h"
#include "sink.h"

/* Log and record are on the disk, the state is RAW_WRITING. dmesg of no bytes: there is none; what
 * is too long loses its end. */
int raw_slot_begin(struct raw_area *a, unsigned slot, time_t stamp, enum conf_naming naming,
		   const void *dmesg, size_t dmesg_bytes, const void *record, size_t record_bytes,
		   struct err *e);

/* Another record in the place of the one before. -EFBIG: longer than RAW_RECORD_MAX. */
int raw_slot_record(struct raw_area *a, unsigned slot, const void *buf, size_t len, struct err *e);

/* The dump has ended so, with that many bytes. */
int raw_slot_end(struct raw_area *a, unsigned slot, enum raw_state state, u64 dump_bytes,
		 struct err *e);

/* What the slot holds, NUL-terminated, for the caller to free. -ENODATA: none; -EBADMSG: what is
 * there is not what was written. */
int raw_slot_read_record(const struct raw_area *a, unsigned slot, char **buf, size_t *len);
int raw_slot_read_dmesg(const struct raw_area *a, unsigned slot, char **buf, size_t *len);

/* Bytes of the dump in a slot that waits: as its header says, or by looking at what opens there.
 * 0: no dump. */
u64 raw_slot_dump_bytes(const struct raw_area *a, unsigned slot);

/* The dump of a slot that was begun, as a sink: no more than the slot's room, -ENOSPC past that.
 * direct: page data is written with O_DIRECT where device takes it. a stays the caller's. */
int sink_raw_open(struct sink **out, struct raw_area *a, unsigned slot, const char *device,
		  bool direct, struct err *e);

#endif
