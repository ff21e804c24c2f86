/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "raw_area.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/conf.h"
#include "base/guard.h"
#include "base/io.h"

#define STAMP_MAX ((s64)253402300800) /* the year 10000 */
#define NO_AREA "no crashpod raw area on it: make one with `crashpod raw format`"

static u32 crc_of(const void *p, size_t len)
{
	return (u32)crc32(crc32(0, NULL, 0), p, (uInt)len);
}

int raw_device_open(const char *device, enum raw_mode mode, int *fd, u64 *bytes, struct err *e)
{
	int flags = mode == RAW_READ ? O_RDONLY : mode == RAW_WRITE ? O_RDWR : O_RDWR | O_EXCL;
	_cleanup_close_ int f = open(device, flags | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	off_t end;

	if (f < 0 && errno == EBUSY)
		return err_set(e, -EBUSY, "%s is in use: mounted, or a part of something else",
			       device);
	if (f < 0 || fstat(f, &st))
		return err_sys(e, -errno, "%s", device);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(e, -ENOTBLK, "%s is no block device", device);
	end = lseek(f, 0, SEEK_END);
	if (end < 0)
		return err_sys(e, -errno, "size of %s", device);
	*bytes = (u64)end;
	*fd = guard_take_fd(f);
	return 0;
}

/* The slots lie in the area, begin and end at whole MiB, are large enough and apart. */
static int check_places(const struct raw_area_header *h, u64 device_bytes, struct err *e)
{
	u64 from = RAW_SLOT_FIRST;

	if (h->bytes > device_bytes)
		return err_set(e, -EINVAL, "the area of %llu bytes is larger than its device",
			       (unsigned long long)h->bytes);
	for (unsigned i = 0; i < RAW_SLOTS; i++) {
		u64 off = h->slots[i].off, bytes = h->slots[i].bytes;

		if (off % RAW_UNIT || bytes % RAW_UNIT || bytes < RAW_SLOT_MIN || off < from ||
		    off > h->bytes || bytes > h->bytes - off)
			return err_set(e, -EINVAL, "slot %u of %llu bytes at %llu makes no sense",
				       i, (unsigned long long)bytes, (unsigned long long)off);
		from = off + bytes;
	}
	return 0;
}

static int check_area(const struct raw_area_header *h, u64 device_bytes, struct err *e)
{
	static const char signature[sizeof(h->signature)] = RAW_AREA_SIGNATURE;

	if (memcmp(h->signature, signature, sizeof(signature)) != 0)
		return err_set(e, -ENODEV, NO_AREA);
	if (h->crc != crc_of(h, offsetof(struct raw_area_header, crc)))
		return err_set(e, -EINVAL, "the area's header is damaged: wrong checksum");
	if (h->version != RAW_VERSION || h->nslots != RAW_SLOTS)
		return err_set(e, -EINVAL, "an area of version %u with %u slots is not known here",
			       h->version, h->nslots);
	return check_places(h, device_bytes, e);
}

static bool check_slot(const struct raw_area *a, unsigned slot, const struct raw_slot_header *h)
{
	static const char signature[sizeof(h->signature)] = RAW_SLOT_SIGNATURE;

	return memcmp(h->signature, signature, sizeof(signature)) == 0 &&
	       h->crc == crc_of(h, offsetof(struct raw_slot_header, crc)) &&
	       memcmp(h->area, a->h.uuid, sizeof(h->area)) == 0 && h->slot == slot &&
	       h->stamp >= 0 && h->stamp < STAMP_MAX && h->state < RAW_STATES &&
	       h->naming <= CONF_NAMING_RHEL && h->record_place < 2 &&
	       h->record_bytes <= RAW_RECORD_MAX && h->dmesg_bytes <= RAW_DMESG_MAX &&
	       h->dump_bytes <= raw_slot_room(a, slot) &&
	       (h->state != RAW_COMPLETE || h->dump_bytes);
}

/* A copy that cannot be read is a damaged one. */
static void read_slot(struct raw_area *a, unsigned slot)
{
	struct raw_slot *s = &a->slots[slot];

	*s = (struct raw_slot){ 0 };
	for (unsigned copy = 0; copy < 2; copy++) {
		u64 off = a->h.slots[slot].off + copy * RAW_BLOCK;
		struct raw_slot_header h;

		if (io_pread_full(a->fd, &h, sizeof(h), off) != sizeof(h) ||
		    !check_slot(a, slot, &h) || (s->valid && h.seq < s->h.seq))
			continue;
		*s = (struct raw_slot){ h, true, copy };
	}
}

int raw_area_open(struct raw_area *a, const char *device, enum raw_mode mode, struct err *e)
{
	ssize_t got;
	int rc;

	*a = (struct raw_area){ .fd = -1 };
	rc = raw_device_open(device, mode, &a->fd, &a->device_bytes, e);
	if (rc)
		return rc;
	got = io_pread_full(a->fd, &a->h, sizeof(a->h), 0);
	if (got < 0)
		rc = err_sys(e, (int)got, "read");
	else if ((size_t)got < sizeof(a->h))
		rc = err_set(e, -ENODEV, NO_AREA);
	else
		rc = check_area(&a->h, a->device_bytes, e);
	if (rc) {
		raw_area_close(a);
		err_ctx(e, "%s", device);
		return rc;
	}
	for (unsigned i = 0; i < RAW_SLOTS; i++)
		read_slot(a, i);
	return 0;
}

void raw_area_close(struct raw_area *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

/* One header in a block of its own; aligned, as it may share its place with nothing. */
static int put_block(int fd, const void *header, size_t len, u64 off)
{
	u8 block[RAW_BLOCK] = { 0 };

	memcpy(block, header, len);
	return io_pwrite_all(fd, block, sizeof(block), off);
}

int raw_slot_put(struct raw_area *a, unsigned slot, const struct raw_slot_header *h, struct err *e)
{
	struct raw_slot *s = &a->slots[slot];
	struct raw_slot next = { .h = *h, .valid = true, .copy = s->valid ? !s->copy : 0 };
	u64 off = a->h.slots[slot].off + next.copy * RAW_BLOCK;
	int rc = fdatasync(a->fd) ? -errno : 0;

	memset(next.h.signature, 0, sizeof(next.h.signature));
	memcpy(next.h.signature, RAW_SLOT_SIGNATURE, strlen(RAW_SLOT_SIGNATURE));
	memcpy(next.h.area, a->h.uuid, sizeof(next.h.area));
	next.h.slot = slot;
	next.h.seq = s->valid ? s->h.seq + 1 : 1;
	next.h.crc = crc_of(&next.h, offsetof(struct raw_slot_header, crc));
	if (!rc)
		rc = put_block(a->fd, &next.h, sizeof(next.h), off);
	if (!rc && fdatasync(a->fd))
		rc = -errno;
	if (rc)
		return err_sys(e, rc, "header of slot %u", slot);
	*s = next;
	return 0;
}

static int zero_unit(int fd, u64 off)
{
	_cleanup_free_ u8 *zeros = calloc(1, RAW_UNIT);

	return zeros ? io_pwrite_all(fd, zeros, RAW_UNIT, off) : -ENOMEM;
}

static int make_header(struct raw_area_header *h, u64 bytes)
{
	u64 each = (bytes - RAW_SLOT_FIRST) / RAW_SLOTS / RAW_UNIT * RAW_UNIT;

	*h = (struct raw_area_header){ .version = RAW_VERSION,
				       .nslots = RAW_SLOTS,
				       .bytes = bytes };
	memcpy(h->signature, RAW_AREA_SIGNATURE, sizeof(RAW_AREA_SIGNATURE));
	for (unsigned i = 0; i < RAW_SLOTS; i++)
		h->slots[i] = (struct raw_slot_place){ RAW_SLOT_FIRST + i * each, each };
	if (getrandom(h->uuid, sizeof(h->uuid), 0) != sizeof(h->uuid))
		return -EIO;
	h->crc = crc_of(h, offsetof(struct raw_area_header, crc));
	return 0;
}

/* The area's header comes last: until then the device has none. */
int raw_area_make(int fd, u64 bytes, struct err *e)
{
	struct raw_area a = { .fd = fd, .device_bytes = bytes };
	struct raw_slot_header none = { .state = RAW_FREE };
	int rc;

	if (bytes < RAW_AREA_MIN)
		return err_set(e, -ENOSPC, "%llu bytes are too few for an area: %llu are the least",
			       (unsigned long long)bytes, (unsigned long long)RAW_AREA_MIN);
	rc = make_header(&a.h, bytes);
	if (!rc)
		rc = zero_unit(fd, 0);
	if (!rc)
		rc = zero_unit(fd, bytes - RAW_UNIT);
	for (unsigned i = 0; !rc && i < RAW_SLOTS; i++)
		rc = zero_unit(fd, a.h.slots[i].off);
	if (rc)
		return err_sys(e, rc, "write");
	for (unsigned i = 0; !rc && i < RAW_SLOTS; i++)
		rc = raw_slot_put(&a, i, &none, e);
	if (rc)
		return rc;
	rc = put_block(fd, &a.h, sizeof(a.h), 0);
	if (!rc && fsync(fd))
		rc = -errno;
	return rc ? err_sys(e, rc, "header of the area") : 0;
}

bool raw_slot_waits(const struct raw_slot *s)
{
	return s->valid && (s->h.state == RAW_WRITING || s->h.state == RAW_COMPLETE ||
			    s->h.state == RAW_INCOMPLETE);
}

const char *raw_slot_state(const struct raw_slot *s)
{
	static const char *const names[RAW_STATES] = {
		[RAW_FREE] = "free",	       [RAW_WRITING] = "writing",
		[RAW_COMPLETE] = "complete",   [RAW_INCOMPLETE] = "incomplete",
		[RAW_COLLECTED] = "collected",
	};

	return s->valid && s->h.state < RAW_STATES ? names[s->h.state] : "damaged";
}

u64 raw_slot_room(const struct raw_area *a, unsigned slot)
{
	return a->h.slots[slot].bytes - RAW_DUMP_OFF;
}

u64 raw_slot_dump_off(const struct raw_area *a, unsigned slot)
{
	return a->h.slots[slot].off + RAW_DUMP_OFF;
}

/* What giving the slot up would cost: 0 nothing. */
static unsigned worth(const struct raw_slot *s)
{
	if (!s->valid)
		return 1;
	if (!raw_slot_waits(s))
		return 0;
	return s->h.state == RAW_COMPLETE ? 3 : 2;
}

int raw_area_choose(const struct raw_area *a, bool last_resort, unsigned *slot, struct err *e)
{
	unsigned best = 0;

	for (unsigned i = 1; i < RAW_SLOTS; i++) {
		const struct raw_slot *s = &a->slots[i], *b = &a->slots[best];

		if (worth(s) < worth(b) || (worth(s) == worth(b) && s->h.stamp < b->h.stamp))
			best = i;
	}
	*slot = best;
	if (raw_slot_waits(&a->slots[best]) && !last_resort)
		return err_set(e, -ENOSPC,
			       "both slots hold dumps that were not collected (`crashpod raw "
			       "collect`), and there is another target");
	return 0;
}
