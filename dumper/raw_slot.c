/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "raw_slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/guard.h"
#include "base/io.h"
#include "elf_file.h"
#include "source_elf.h"
#include "source_kdump.h"

static u32 crc_of(const void *p, size_t len)
{
	return (u32)crc32(crc32(0, NULL, 0), p, (uInt)len);
}

static u64 record_off(const struct raw_area *a, unsigned slot, unsigned place)
{
	return a->h.slots[slot].off + RAW_RECORD_OFF + place * RAW_RECORD_MAX;
}

static u64 dmesg_off(const struct raw_area *a, unsigned slot)
{
	return a->h.slots[slot].off + RAW_DMESG_OFF;
}

/* Writes a record to the place that is not in use, and says so in h. */
static int put_record(struct raw_area *a, unsigned slot, struct raw_slot_header *h, const void *buf,
		      size_t len, struct err *e)
{
	unsigned place = !h->record_place;
	int rc;

	if (len > RAW_RECORD_MAX)
		return err_set(e, -EFBIG, "a record of %zu bytes is longer than its place", len);
	rc = io_pwrite_all(a->fd, buf, len, record_off(a, slot, place));
	if (rc)
		return err_sys(e, rc, "record of slot %u", slot);
	h->record_place = place;
	h->record_bytes = (u32)len;
	h->record_crc = crc_of(buf, len);
	return 0;
}

int raw_slot_begin(struct raw_area *a, unsigned slot, time_t stamp, enum conf_naming naming,
		   const void *dmesg, size_t dmesg_bytes, const void *record, size_t record_bytes,
		   struct err *e)
{
	struct raw_slot_header h = { .state = RAW_FREE, .stamp = stamp, .naming = naming };
	static const u8 nothing[RAW_BLOCK];
	int rc = 0;

	/* what is there now must neither be lost in halves nor be found again as the new one */
	if (raw_slot_waits(&a->slots[slot]) || !a->slots[slot].valid)
		rc = raw_slot_put(a, slot, &h, e);
	if (rc)
		return rc;
	dmesg_bytes = MIN(dmesg_bytes, RAW_DMESG_MAX);
	rc = io_pwrite_all(a->fd, nothing, sizeof(nothing), raw_slot_dump_off(a, slot));
	if (!rc)
		rc = io_pwrite_all(a->fd, dmesg, dmesg_bytes, dmesg_off(a, slot));
	if (rc)
		return err_sys(e, rc, "log of slot %u", slot);
	h.state = RAW_WRITING;
	h.dmesg_bytes = (u32)dmesg_bytes;
	h.dmesg_crc = crc_of(dmesg, dmesg_bytes);
	rc = put_record(a, slot, &h, record, record_bytes, e);
	return rc ? rc : raw_slot_put(a, slot, &h, e);
}

int raw_slot_record(struct raw_area *a, unsigned slot, const void *buf, size_t len, struct err *e)
{
	struct raw_slot_header h = a->slots[slot].h;
	int rc = put_record(a, slot, &h, buf, len, e);

	return rc ? rc : raw_slot_put(a, slot, &h, e);
}

int raw_slot_end(struct raw_area *a, unsigned slot, enum raw_state state, u64 dump_bytes,
		 struct err *e)
{
	struct raw_slot_header h = a->slots[slot].h;

	h.state = state;
	h.dump_bytes = dump_bytes;
	return raw_slot_put(a, slot, &h, e);
}

static int read_back(const struct raw_area *a, u64 off, size_t bytes, u32 crc, char **buf,
		     size_t *len)
{
	_cleanup_free_ char *b = bytes ? malloc(bytes + 1) : NULL;
	ssize_t got;

	if (!bytes)
		return -ENODATA;
	if (!b)
		return -ENOMEM;
	got = io_pread_full(a->fd, b, bytes, off);
	if (got < 0)
		return (int)got;
	if ((size_t)got != bytes || crc_of(b, bytes) != crc)
		return -EBADMSG;
	b[bytes] = '\0';
	*buf = guard_take_ptr(b);
	*len = bytes;
	return 0;
}

int raw_slot_read_record(const struct raw_area *a, unsigned slot, char **buf, size_t *len)
{
	const struct raw_slot_header *h = &a->slots[slot].h;

	return read_back(a, record_off(a, slot, h->record_place), h->record_bytes, h->record_crc,
			 buf, len);
}

int raw_slot_read_dmesg(const struct raw_area *a, unsigned slot, char **buf, size_t *len)
{
	const struct raw_slot_header *h = &a->slots[slot].h;

	return read_back(a, dmesg_off(a, slot), h->dmesg_bytes, h->dmesg_crc, buf, len);
}

/* Where an ELF dump ends: with its last segment. */
static u64 segments_end(const struct fileview *view)
{
	struct elf_file f;
	size_t n = 0;
	u64 end = 0;

	if (elf_file_open(&f, view, NULL))
		return 0;
	if (elf_getphdrnum(f.elf, &n))
		n = 0;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(f.elf, (int)i, &ph) && ph.p_offset <= view->size &&
		    ph.p_filesz <= view->size - ph.p_offset)
			end = MAX(end, ph.p_offset + ph.p_filesz);
	}
	elf_file_close(&f);
	return end;
}

u64 raw_slot_dump_bytes(const struct raw_area *a, unsigned slot)
{
	const struct raw_slot_header *h = &a->slots[slot].h;
	struct kdump_file_scan scan = { 0 };
	const struct kdump_file *k;
	struct source *s;
	u64 end = 0;
	int fd;

	if (h->dump_bytes || h->state == RAW_COMPLETE)
		return h->dump_bytes;
	fd = fcntl(a->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || source_open_part(&s, fd, raw_slot_dump_off(a, slot), raw_slot_room(a, slot),
				       "slot", SOURCE_PARTIAL, NULL))
		return 0;
	k = source_kdump_file(s);
	if (k)
		end = kdump_file_scan(k, &scan, NULL) ? 0 : scan.end;
	else if (source_elf_view(s))
		end = segments_end(source_elf_view(s));
	source_close(s);
	return MIN(end, raw_slot_room(a, slot));
}
