/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw_fmt.h - a raw area as it lies on a device without a file system. Little endian.
 *
 *   0        struct raw_area_header; written by `crashpod raw format`, and never again
 *   1 MiB    slot 0, then slot 1: all there is, in two halves of whole MiB
 * and in a slot, from its beginning:
 *   0        struct raw_slot_header, copies at 0 and 4 KiB: each change goes to the older one
 *   64 KiB   the record (crashpod.json), two places of 256 KiB that take turns
 *   1 MiB    the dead kernel's log, as much
 *   2 MiB    the dump, to the slot's end
 *
 * A header is believed when its signature, its checksum (CRC-32 of all bytes before it) and every
 * number in it are right; a slot's only if it has the area's UUID and its own number as well, so
 * that what an earlier area left on the device is nobody's dump. */
#ifndef CRASHPOD_RAW_FMT_H
#define CRASHPOD_RAW_FMT_H

#include "base/types.h"

#define RAW_AREA_SIGNATURE "crashpod raw area"
#define RAW_SLOT_SIGNATURE "crashpod slot"
#define RAW_VERSION 1
#define RAW_SLOTS 2
#define RAW_BLOCK ((u64)4096) /* headers and all places are multiples of it */
#define RAW_UNIT ((u64)1 << 20)

#define RAW_SLOT_FIRST RAW_UNIT
#define RAW_SLOT_MIN (8 * RAW_UNIT)
#define RAW_AREA_MIN (RAW_SLOT_FIRST + RAW_SLOTS * RAW_SLOT_MIN)

#define RAW_RECORD_OFF ((u64)64 << 10)
#define RAW_RECORD_MAX ((u64)256 << 10)
#define RAW_DMESG_OFF RAW_UNIT
#define RAW_DMESG_MAX RAW_UNIT
#define RAW_DUMP_OFF (2 * RAW_UNIT)

struct raw_slot_place {
	u64 off, bytes;
} __attribute__((packed));

struct raw_area_header {
	char signature[24]; /* padded with zeros */
	u32 version;
	u32 nslots;
	u8 uuid[16];
	u64 bytes; /* of the whole area; the device may have grown */
	struct raw_slot_place slots[RAW_SLOTS];
	u8 unused[36];
	u32 crc;
} __attribute__((packed));

_Static_assert(sizeof(struct raw_area_header) == 128, "raw area header");
_Static_assert(offsetof(struct raw_area_header, uuid) == 32, "uuid");
_Static_assert(offsetof(struct raw_area_header, slots) == 56, "slots");
_Static_assert(offsetof(struct raw_area_header, crc) == 124, "crc");

enum raw_state {
	RAW_FREE,	/* nothing in it */
	RAW_WRITING,	/* log and record are there; a dump that opens may be, or not */
	RAW_COMPLETE,	/* the dump is whole */
	RAW_INCOMPLETE, /* it ended early; there may be none */
	RAW_COLLECTED,	/* as it was, but copied elsewhere */
	RAW_STATES
};

struct raw_slot_header {
	char signature[16];
	u8 area[16];	  /* the area's UUID */
	u64 seq;	  /* the copy with the larger one counts */
	u32 slot;	  /* its own number */
	u32 state;	  /* enum raw_state */
	s64 stamp;	  /* of the capture: seconds of UTC */
	u32 naming;	  /* enum conf_naming: how it was to be named */
	u32 record_place; /* 0 or 1 */
	u32 record_bytes, record_crc;
	u32 dmesg_bytes, dmesg_crc;
	u64 dump_bytes; /* 0: none, or not known (RAW_WRITING, RAW_INCOMPLETE) */
	u8 unused[164];
	u32 crc;
} __attribute__((packed));

_Static_assert(sizeof(struct raw_slot_header) == 256, "raw slot header");
_Static_assert(offsetof(struct raw_slot_header, seq) == 32, "seq");
_Static_assert(offsetof(struct raw_slot_header, stamp) == 48, "stamp");
_Static_assert(offsetof(struct raw_slot_header, dump_bytes) == 80, "dump_bytes");
_Static_assert(offsetof(struct raw_slot_header, crc) == 252, "crc");

#endif
