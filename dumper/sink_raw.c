/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sink_raw.c - a dump as a slot of a raw area. There is no file system to give zeros where nothing
 * was written: the slot holds what an older dump left. So zeros are written where the formats count
 * on them, and the dump's first block, by which it is known for one, is written only when all that
 * came before is on the disk. From then on descriptors follow their data as on a file system; a
 * disk that loses power and its cache can show an older page there, if its length is the same. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/io.h"
#include "raw_slot.h"

#define DIRECT_ALIGN 4096
#define ZEROS_BYTES ((size_t)256 << 10)

struct sink_raw {
	struct sink sink;
	struct raw_area *area;
	unsigned slot;
	int direct_fd; /* -1: not used */
	u64 room;
	u64 clean; /* the dump is zeroed or written up to here */
	u8 *zeros;
};

static struct sink_raw *raw_of(struct sink *s)
{
	return (struct sink_raw *)s;
}

static int check_room(const struct sink_raw *r, u64 off, u64 len, struct err *e)
{
	if (off <= r->room && len <= r->room - off)
		return 0;
	return err_sys(e, -ENOSPC, "slot %u has %llu bytes for a dump", r->slot,
		       (unsigned long long)r->room);
}

static int raw_pwrite(struct sink *s, const void *buf, size_t len, u64 off, struct err *e)
{
	struct sink_raw *r = raw_of(s);
	bool aligned = ((uintptr_t)buf | len | off) % DIRECT_ALIGN == 0;
	int rc = check_room(r, off, len, e);

	if (rc)
		return rc;
	if (off == 0 && fdatasync(r->area->fd))
		return err_sys(e, -errno, "fsync of slot %u", r->slot);
	rc = -EINVAL;
	if (r->direct_fd >= 0 && aligned)
		rc = io_pwrite_all(r->direct_fd, buf, len, s->base + off);
	if (rc == -EINVAL) /* also where O_DIRECT was taken by open() but not by the write */
		rc = io_pwrite_all(r->area->fd, buf, len, s->base + off);
	if (rc)
		return err_sys(e, rc, "write of %zu bytes at %llu of slot %u", len,
			       (unsigned long long)off, r->slot);
	sink_grow(s, off + len);
	return 0;
}

/* The device may know a faster way, and is asked for whole blocks. */
static int write_zeros(struct sink_raw *r, u64 off, u64 len)
{
	u64 range[2] = { r->sink.base + off, len };
	int rc = 0;

	if ((off | len) % DIRECT_ALIGN == 0 && len >= ZEROS_BYTES &&
	    ioctl(r->area->fd, BLKZEROOUT, range) == 0)
		return 0;
	while (!rc && len) {
		size_t n = MIN(len, ZEROS_BYTES);

		rc = io_pwrite_all(r->area->fd, r->zeros, n, r->sink.base + off);
		off += n;
		len -= n;
	}
	return rc;
}

static int raw_zero(struct sink *s, u64 off, u64 len, bool reserve, struct err *e)
{
	struct sink_raw *r = raw_of(s);
	int rc = check_room(r, off, len, e);

	(void)reserve;
	if (rc)
		return rc;
	for (u64 done = 0; !rc && done < len; done += SINK_STEP_BYTES) {
		rc = write_zeros(r, off + done, MIN(len - done, SINK_STEP_BYTES));
		sink_move(s);
	}
	if (rc)
		return err_sys(e, rc, "%llu bytes of zeros in slot %u", (unsigned long long)len,
			       r->slot);
	r->clean = MAX(r->clean, off + len);
	return 0;
}

static int raw_set_size(struct sink *s, u64 size, struct err *e)
{
	struct sink_raw *r = raw_of(s);
	int rc = check_room(r, 0, size, e);

	if (!rc && size > r->clean)
		rc = raw_zero(s, r->clean, size - r->clean, true, e);
	if (!rc)
		sink_grow(s, size);
	return rc;
}

static int raw_sync(struct sink *s, struct err *e)
{
	struct sink_raw *r = raw_of(s);

	return fdatasync(r->area->fd) ? err_sys(e, -errno, "fsync of slot %u", r->slot) : 0;
}

static int raw_readback(struct sink *s, int *fd, struct err *e)
{
	struct sink_raw *r = raw_of(s);

	*fd = fcntl(r->area->fd, F_DUPFD_CLOEXEC, 0);
	return *fd < 0 ? err_sys(e, -errno, "read slot %u", r->slot) : 0;
}

static int raw_commit(struct sink *s, bool sync, struct err *e)
{
	struct sink_raw *r = raw_of(s);

	(void)sync;
	return raw_slot_end(r->area, r->slot, RAW_COMPLETE, atomic_load(&s->size), e);
}

static void raw_abandon(struct sink *s, bool keep)
{
	struct sink_raw *r = raw_of(s);

	if (!keep)
		write_zeros(r, 0, RAW_BLOCK);
	raw_slot_end(r->area, r->slot, RAW_INCOMPLETE, keep ? atomic_load(&s->size) : 0, NULL);
}

static u64 raw_room(struct sink *s)
{
	return raw_of(s)->room;
}

static void raw_close(struct sink *s)
{
	struct sink_raw *r = raw_of(s);

	if (r->direct_fd >= 0)
		close(r->direct_fd);
	free(r->zeros);
	free(r);
}

static const struct sink_ops raw_ops = {
	.name = "raw",
	.pwrite = raw_pwrite,
	.zero = raw_zero,
	.set_size = raw_set_size,
	.sync = raw_sync,
	.readback = raw_readback,
	.commit = raw_commit,
	.abandon = raw_abandon,
	.room = raw_room,
	.close = raw_close,
};

int sink_raw_open(struct sink **out, struct raw_area *a, unsigned slot, const char *device,
		  bool direct, struct err *e)
{
	struct sink_raw *r;

	if (!a->slots[slot].valid || a->slots[slot].h.state != RAW_WRITING)
		return err_set(e, -EINVAL, "slot %u of %s was not begun", slot, device);
	r = calloc(1, sizeof(*r));
	if (r && posix_memalign((void **)&r->zeros, DIRECT_ALIGN, ZEROS_BYTES))
		r->zeros = NULL;
	if (!r || !r->zeros) {
		free(r);
		return err_sys(e, -ENOMEM, "slot %u of %s", slot, device);
	}
	memset(r->zeros, 0, ZEROS_BYTES);
	r->sink.ops = &raw_ops;
	/* true of all that is below its size, which set_size() sees to */
	r->sink.holes = true;
	r->sink.base = raw_slot_dump_off(a, slot);
	r->sink.align = 1;
	r->area = a;
	r->slot = slot;
	r->room = raw_slot_room(a, slot);
	r->direct_fd = direct ? open(device, O_WRONLY | O_DIRECT | O_CLOEXEC) : -1;
	if (r->direct_fd >= 0)
		r->sink.align = DIRECT_ALIGN;
	*out = &r->sink;
	return 0;
}
