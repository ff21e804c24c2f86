/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw_area.h - a raw area (raw_fmt.h): what is in its headers, and the one way to change them.
 * In:     hostile: the device may hold anything. Nothing is ever written to one without the area's
 *         header.
 * Errors: 0 or -errno. -ENODEV: no area there, and the message names `crashpod raw format`.
 *         -EINVAL: it has the signature, and is damaged.
 * Power:  a slot's header is written over its older copy and is on the disk when the call returns;
 *         cut off in the middle, the copy before it counts.
 * Owner:  raw_area_close() closes the device. */
#ifndef CRASHPOD_RAW_AREA_H
#define CRASHPOD_RAW_AREA_H

#include "base/err.h"
#include "raw_fmt.h"

enum raw_mode {
	RAW_READ,
	RAW_WRITE,
	RAW_CLAIM, /* to write, and nobody else may have it mounted or claimed meanwhile */
};

struct raw_slot {
	struct raw_slot_header h;
	bool valid;    /* false: both copies of the header are damaged, and h is all zeros */
	unsigned copy; /* the one that counts */
};

struct raw_area {
	int fd;
	u64 device_bytes;
	struct raw_area_header h;
	struct raw_slot slots[RAW_SLOTS];
};

/* Opens a block device or an image of one. -EBUSY: RAW_CLAIM, and it is in use. */
int raw_device_open(const char *device, enum raw_mode mode, int *fd, u64 *bytes, struct err *e);

int raw_area_open(struct raw_area *a, const char *device, enum raw_mode mode, struct err *e);
void raw_area_close(struct raw_area *a);

/* Makes an area of bytes from the beginning of fd on: 1 MiB there and the last one become zeros,
 * and with them what any file system would be known by. */
int raw_area_make(int fd, u64 bytes, struct err *e);

/* Writes h as the slot's header, with everything in it that is not the caller's business. What was
 * written before it is on the disk first. */
int raw_slot_put(struct raw_area *a, unsigned slot, const struct raw_slot_header *h, struct err *e);

/* Whether there is something in the slot that nobody has copied yet. */
bool raw_slot_waits(const struct raw_slot *s);
/* "free", "writing", "complete", "incomplete", "collected", "damaged" */
const char *raw_slot_state(const struct raw_slot *s);
/* Bytes that its dump may have. */
u64 raw_slot_room(const struct raw_area *a, unsigned slot);
/* Where in the device its dump begins. */
u64 raw_slot_dump_off(const struct raw_area *a, unsigned slot);

/* The slot for a new dump. One that is free, or has been collected: of two that with the older
 * dump. One with a damaged header. And, only as a last resort, what is missed least: an incomplete
 * dump before a complete one, and of two alike the older, so that the last dump stays. -ENOSPC:
 * without that no slot may be given up. */
int raw_area_choose(const struct raw_area *a, bool last_resort, unsigned *slot, struct err *e);

#endif
