/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw areas: which devices may become one, which slot a dump goes to, and headers that lie. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "../raw_probe.h"
#include "../raw_slot.h"
#include "lib_scratch.h"

static struct scratch scratch;
static char path[256];

static int setup(void **state)
{
	(void)state;
	scratch_make(&scratch);
	scratch_path(&scratch, path, sizeof(path), "device");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_rm(&scratch);
	return 0;
}

/* A device of zeros, but for len bytes at off. */
static int make_device(u64 bytes, const void *buf, size_t len, u64 off)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	assert_int_equal(pwrite(fd, buf, len, (off_t)off), len);
	return fd;
}

static void make_area(void)
{
	int fd = make_device(RAW_AREA_MIN, "", 0, 0);

	assert_int_equal(raw_area_make(fd, RAW_AREA_MIN, NULL), 0);
	close(fd);
}

static void test_probe(void **state)
{
	static const u8 ext[] = { 0x53, 0xef };
	static const u8 mbr[66] = { 0, 0, 2, 0,	 0x83, 255, 255, 255,	      8,
				    0, 0, 0, 99, 0,    0,   0,	 [64] = 0x55, 0xaa };
	static const struct {
		const char *what;
		u64 bytes;
		const void *buf;
		size_t len;
		u64 off;
		int rc;
		const char *msg;
	} t[] = {
		{ "zeros", 64 << 20, "", 0, 0, 0, "" },
		{ "large, zeros", (u64)8 << 30, "", 0, 0, 0, "" },
		{ "swap", 64 << 20, "SWAPSPACE2", 10, 4086, -EEXIST, "holds" },
		{ "LUKS", 64 << 20, "LUKS\xba\xbe\0\1", 8, 0, -EEXIST, "holds" },
		{ "ext2's magic", 64 << 20, ext, 2, 1080, -EEXIST, "holds" },
		{ "partitions", 64 << 20, mbr, 66, 446, -EEXIST, "partition table (dos)" },
		{ "an area", 64 << 20, RAW_AREA_SIGNATURE, 18, 0, -EEXIST, "crashpod raw area" },
		{ "one byte", 64 << 20, "x", 1, 33333333, -EEXIST, "byte 33333333 is not zero" },
		{ "the last byte", (u64)8 << 30, "x", 1, ((u64)8 << 30) - 1, -EEXIST, "not zero" },
		{ "4 KiB in 2 MiB", (u64)8 << 30, "xyz", 3, (u64)7 << 21, -EEXIST, "not zero" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		int fd = make_device(t[i].bytes, t[i].buf, t[i].len, t[i].off);
		struct err e = { 0 };
		int rc = raw_probe_empty(fd, t[i].bytes, &e);

		if (rc != t[i].rc || !strstr(e.msg, t[i].msg))
			fail_msg("%s: %d, %s", t[i].what, rc, e.msg);
		close(fd);
	}
}

/* Of what was there before nothing is to be known by its signature afterwards. */
static void test_make(void **state)
{
	struct raw_area a;
	struct err e = { 0 };
	int fd = make_device(RAW_AREA_MIN, "\x53\xef", 2, 1080);

	(void)state;
	assert_int_equal(pwrite(fd, "EFI PART", 8, RAW_AREA_MIN - 512), 8);
	assert_int_equal(raw_area_make(fd, RAW_AREA_MIN - 1, &e), -ENOSPC);
	assert_non_null(strstr(e.msg, "too few"));
	assert_int_equal(raw_area_make(fd, RAW_AREA_MIN, &e), 0);
	assert_int_equal(raw_probe_empty(fd, RAW_AREA_MIN, &e), -EEXIST);
	assert_non_null(strstr(e.msg, "it holds a crashpod raw area"));
	close(fd);
	assert_int_equal(raw_area_open(&a, path, RAW_CLAIM, &e), 0);
	for (unsigned i = 0; i < RAW_SLOTS; i++) {
		assert_string_equal(raw_slot_state(&a.slots[i]), "free");
		assert_int_equal(raw_slot_room(&a, i), RAW_SLOT_MIN - RAW_DUMP_OFF);
	}
	raw_area_close(&a);
}

/* An older area's slots are nobody's dumps. */
static void test_made_again(void **state)
{
	struct raw_slot_header h = { .state = RAW_COMPLETE, .dump_bytes = 1 };
	struct raw_area a;
	u8 old[2 * RAW_BLOCK];
	int fd;

	(void)state;
	make_area();
	assert_int_equal(raw_area_open(&a, path, RAW_WRITE, NULL), 0);
	assert_int_equal(raw_slot_put(&a, 0, &h, NULL), 0);
	assert_int_equal(pread(a.fd, old, sizeof(old), RAW_SLOT_FIRST), sizeof(old));
	raw_area_close(&a);
	make_area();
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, old, sizeof(old), RAW_SLOT_FIRST), sizeof(old));
	close(fd);
	assert_int_equal(raw_area_open(&a, path, RAW_READ, NULL), 0);
	assert_false(a.slots[0].valid);
	raw_area_close(&a);
}

static u32 crc_of(const void *p, size_t len)
{
	return (u32)crc32(0, p, (uInt)len);
}

/* Opens the device with this as its header, its checksum made right. */
static int open_with(struct raw_area_header h, struct err *e)
{
	struct raw_area a;
	int fd, rc;

	h.crc = crc_of(&h, offsetof(struct raw_area_header, crc));
	make_area();
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
	close(fd);
	rc = raw_area_open(&a, path, RAW_WRITE, e);
	raw_area_close(&a);
	return rc;
}

static void test_hostile_area(void **state)
{
	static const struct {
		unsigned slot;
		u64 off, bytes;
	} t[] = {
		{ 0, 0, RAW_SLOT_MIN },
		{ 0, RAW_UNIT + 1, RAW_SLOT_MIN },
		{ 0, RAW_UNIT, 0 },
		{ 0, RAW_UNIT, RAW_SLOT_MIN - RAW_UNIT },
		{ 0, RAW_UNIT, RAW_SLOT_MIN + RAW_UNIT }, /* into the next */
		{ 1, RAW_UNIT, RAW_SLOT_MIN },		  /* both the same */
		{ 1, RAW_UNIT + RAW_SLOT_MIN, RAW_SLOT_MIN + RAW_UNIT },
		{ 1, RAW_UNIT + RAW_SLOT_MIN, UINT64_MAX / RAW_UNIT * RAW_UNIT },
		{ 1, UINT64_MAX / RAW_UNIT * RAW_UNIT, RAW_SLOT_MIN },
		{ 0, UINT64_MAX / RAW_UNIT * RAW_UNIT, 2 * RAW_UNIT },
	};
	struct raw_area a;
	struct err e = { 0 };

	(void)state;
	make_area();
	assert_int_equal(raw_area_open(&a, path, RAW_READ, &e), 0);
	raw_area_close(&a);
	assert_int_equal(open_with(a.h, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct raw_area_header h = a.h;

		h.slots[t[i].slot] = (struct raw_slot_place){ t[i].off, t[i].bytes };
		if (open_with(h, &e) != -EINVAL || !strstr(e.msg, "makes no sense"))
			fail_msg("place %zu: %s", i, e.msg);
	}
	a.h.bytes++;
	assert_int_equal(open_with(a.h, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "larger than its device"));
	a.h.bytes--;
	a.h.version++;
	assert_int_equal(open_with(a.h, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "version 2"));
}

/* Any bit that turns over in either header is seen. */
static void test_flipped(void **state)
{
	struct raw_area a;
	struct err e = { 0 };
	int fd;

	(void)state;
	make_area();
	fd = open(path, O_RDWR);
	for (u64 bit = 0; bit < 8 * sizeof(struct raw_area_header); bit++) {
		u8 old, now;

		assert_int_equal(pread(fd, &old, 1, (off_t)(bit / 8)), 1);
		now = old ^ (u8)(1 << bit % 8);
		assert_int_equal(pwrite(fd, &now, 1, (off_t)(bit / 8)), 1);
		assert_true(raw_area_open(&a, path, RAW_WRITE, &e) < 0);
		assert_int_equal(pwrite(fd, &old, 1, (off_t)(bit / 8)), 1);
	}
	for (u64 bit = 0; bit < 8 * sizeof(struct raw_slot_header); bit++) {
		u64 at = RAW_SLOT_FIRST + bit / 8;
		u8 old, now;

		assert_int_equal(pread(fd, &old, 1, (off_t)at), 1);
		now = old ^ (u8)(1 << bit % 8);
		assert_int_equal(pwrite(fd, &now, 1, (off_t)at), 1);
		assert_int_equal(raw_area_open(&a, path, RAW_WRITE, &e), 0);
		assert_false(a.slots[0].valid);
		raw_area_close(&a);
		assert_int_equal(pwrite(fd, &old, 1, (off_t)at), 1);
	}
	close(fd);
}

/* Slot headers of random numbers, their checksums right: what is believed of them lies in the slot,
 * and reading it ends. */
static void test_hostile_slot(void **state)
{
	static const u64 values[] = { 0,
				      1,
				      2,
				      4,
				      5,
				      RAW_DMESG_MAX,
				      RAW_DMESG_MAX + 1,
				      RAW_RECORD_MAX,
				      RAW_SLOT_MIN,
				      UINT32_MAX,
				      INT64_MAX,
				      UINT64_MAX };
	struct raw_slot_header free_slot;
	unsigned believed = 0;
	struct raw_area a;
	int fd;

	(void)state;
	make_area();
	assert_int_equal(raw_area_open(&a, path, RAW_READ, NULL), 0);
	free_slot = a.slots[0].h;
	raw_area_close(&a);
	fd = open(path, O_RDWR);
	srand(1);
	for (unsigned i = 0; i < 20000; i++) {
		struct raw_slot_header h = free_slot;
		u8 *bytes = (u8 *)&h;
		char *text = NULL;
		size_t len;

		h.state = RAW_WRITING;
		for (unsigned k = 0; k < 2; k++) {
			unsigned at = (unsigned)rand() % 15; /* from seq on */
			u64 v = values[(unsigned)rand() % ARRAY_SIZE(values)];

			memcpy(bytes + 32 + 4 * at, &v, at % 2 ? 4 : 8);
		}
		h.crc = crc_of(&h, offsetof(struct raw_slot_header, crc));
		assert_int_equal(pwrite(fd, &h, sizeof(h), RAW_SLOT_FIRST), sizeof(h));
		assert_int_equal(raw_area_open(&a, path, RAW_READ, NULL), 0);
		if (a.slots[0].valid) {
			believed++;
			assert_true(a.slots[0].h.state < RAW_STATES);
			assert_true(raw_slot_dump_bytes(&a, 0) <= raw_slot_room(&a, 0));
			if (!raw_slot_read_record(&a, 0, &text, &len))
				free(text);
			if (!raw_slot_read_dmesg(&a, 0, &text, &len))
				free(text);
		}
		raw_area_close(&a);
	}
	assert_true(believed > 100 && believed < 19900);
	close(fd);
}

static void test_choose(void **state)
{
	enum { DAMAGED = RAW_STATES };
	static const struct {
		unsigned state[RAW_SLOTS];
		s64 stamp[RAW_SLOTS];
		int rc; /* where another target comes after */
		unsigned slot;
	} t[] = {
		{ { RAW_FREE, RAW_FREE }, { 0, 0 }, 0, 0 },
		{ { RAW_COLLECTED, RAW_COLLECTED }, { 5, 6 }, 0, 0 },
		{ { RAW_COLLECTED, RAW_COLLECTED }, { 6, 5 }, 0, 1 },
		{ { RAW_COMPLETE, RAW_FREE }, { 5, 0 }, 0, 1 },
		{ { RAW_FREE, RAW_INCOMPLETE }, { 9, 5 }, 0, 0 },
		{ { RAW_COMPLETE, DAMAGED }, { 5, 0 }, 0, 1 },
		{ { DAMAGED, RAW_FREE }, { 0, 0 }, 0, 1 },
		{ { RAW_COMPLETE, RAW_INCOMPLETE }, { 5, 6 }, -ENOSPC, 1 },
		{ { RAW_WRITING, RAW_COMPLETE }, { 6, 5 }, -ENOSPC, 0 },
		{ { RAW_WRITING, RAW_INCOMPLETE }, { 6, 5 }, -ENOSPC, 1 },
		{ { RAW_COMPLETE, RAW_COMPLETE }, { 5, 6 }, -ENOSPC, 0 },
		{ { RAW_COMPLETE, RAW_COMPLETE }, { 6, 5 }, -ENOSPC, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct raw_area a = { .fd = -1 };
		struct err e = { 0 };
		unsigned slot;

		for (unsigned k = 0; k < RAW_SLOTS; k++) {
			a.slots[k].valid = t[i].state[k] != DAMAGED;
			a.slots[k].h.state = a.slots[k].valid ? t[i].state[k] : 0;
			a.slots[k].h.stamp = t[i].stamp[k];
		}
		if (raw_area_choose(&a, false, &slot, &e) != t[i].rc ||
		    (t[i].rc && !strstr(e.msg, "crashpod raw collect")))
			fail_msg("row %zu: %s", i, e.msg);
		assert_int_equal(raw_area_choose(&a, true, &slot, &e), 0);
		if (slot != t[i].slot)
			fail_msg("row %zu: slot %u", i, slot);
	}
}

/* No byte goes to a device without an area, whatever is asked of it. */
static void test_not_an_area(void **state)
{
	static const char *const msgs[] = { "no crashpod raw area on it: make one with `crashpod "
					    "raw format`" };
	struct raw_area a;
	struct err e = { 0 };

	(void)state;
	close(make_device(RAW_AREA_MIN, "data", 4, 0));
	assert_int_equal(raw_area_open(&a, path, RAW_CLAIM, &e), -ENODEV);
	assert_non_null(strstr(e.msg, msgs[0]));
	close(make_device(10, "", 0, 0));
	assert_int_equal(raw_area_open(&a, path, RAW_CLAIM, &e), -ENODEV);
	assert_non_null(strstr(e.msg, msgs[0]));
	assert_int_equal(raw_area_open(&a, "/dev/null", RAW_CLAIM, &e), -ENOTBLK);
	assert_int_equal(raw_area_open(&a, "/nowhere", RAW_CLAIM, &e), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe),	   cmocka_unit_test(test_make),
		cmocka_unit_test(test_made_again), cmocka_unit_test(test_hostile_area),
		cmocka_unit_test(test_flipped),	   cmocka_unit_test(test_hostile_slot),
		cmocka_unit_test(test_choose),	   cmocka_unit_test(test_not_an_area),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
