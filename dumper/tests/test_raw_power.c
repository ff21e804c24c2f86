/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dump into a raw area, with the power cut at each of its writes: every write and sync to the
 * device is kept, and the device made again as it may then be. What the drive had not been told to
 * flush may be lost, torn or there. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "../dump.h"
#include "../raw_slot.h"
#include "lib_golden.h"

#define DEVICE_BYTES RAW_AREA_MIN
#define OPS_MAX 4096
#define LOG "[    1.0] the log of a dead kernel\n"

struct op {
	u8 *data; /* NULL: a sync */
	size_t len;
	u64 off;
};

static struct op ops[OPS_MAX];
static size_t nops;
static ino_t watched; /* 0: nothing is kept */
static struct scratch scratch;
static struct golden golden;
static const u8 zeros[PAGE_SIZE];

static bool is_watched(int fd)
{
	struct stat st;

	return watched && fstat(fd, &st) == 0 && st.st_ino == watched;
}

static void keep(const void *buf, size_t len, u64 off)
{
	struct op *op = &ops[nops++];

	assert_true(nops < OPS_MAX);
	*op = (struct op){ NULL, len, off };
	if (!buf)
		return;
	op->data = malloc(len);
	assert_non_null(op->data);
	memcpy(op->data, buf, len);
}

/* In the place of libc's, for everything in this program. */
ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
	if (len && is_watched(fd))
		keep(buf, len, (u64)off);
	return syscall(SYS_pwrite64, fd, buf, len, off);
}

int fdatasync(int fd)
{
	if (is_watched(fd))
		keep(NULL, 0, 0);
	return 0;
}

int fsync(int fd)
{
	return fdatasync(fd);
}

static void forget(void)
{
	for (size_t i = 0; i < nops; i++)
		free(ops[i].data);
	nops = 0;
	watched = 0;
}

static const char *device(char *buf, size_t cap)
{
	return scratch_path(&scratch, buf, cap, "device");
}

static void make_device(void)
{
	char path[256];
	int fd = open(device(path, sizeof(path)), O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct err e = { 0 };

	assert_int_equal(ftruncate(fd, DEVICE_BYTES), 0);
	assert_int_equal(raw_area_make(fd, DEVICE_BYTES, &e), 0);
	close(fd);
}

static struct dump_opts make_opts(enum dump_format format, unsigned level, enum compress_kind c)
{
	struct dump_opts o;

	dump_opts_init(&o);
	o.format = format;
	o.level = level;
	o.compress = c;
	o.threads = 1;
	o.sync = true;
	return o;
}

/* As PID 1 does it, each step with the device opened anew. */
static void make_dump(unsigned slot, time_t stamp, const struct dump_opts *o, bool direct)
{
	char path[256], text[32];
	struct dump_stats st;
	struct raw_area a;
	struct sink *s;
	struct err e = { 0 };
	int n = snprintf(text, sizeof(text), "{\"stamp\": %lld}", (long long)stamp);

	device(path, sizeof(path));
	assert_int_equal(raw_area_open(&a, path, RAW_WRITE, &e), 0);
	assert_int_equal(raw_slot_begin(&a, slot, stamp, CONF_NAMING_DEBIAN, LOG, strlen(LOG), text,
					(size_t)n, &e),
			 0);
	raw_area_close(&a);
	assert_int_equal(raw_area_open(&a, path, RAW_WRITE, &e), 0);
	assert_int_equal(sink_raw_open(&s, &a, slot, path, direct, &e), 0);
	if (dump_run_sink(golden.core, s, o, &st, &e) != DUMP_COMPLETE)
		fail_msg("%s", e.msg);
	raw_area_close(&a);
	assert_int_equal(raw_area_open(&a, path, RAW_WRITE, &e), 0);
	assert_int_equal(raw_slot_record(&a, slot, text, (size_t)n, &e), 0);
	raw_area_close(&a);
}

/* Where page data begins in the device: the drive is taken to write that in the order it came, with
 * the descriptors after it (sink_raw.c says what else can happen). */
static u64 data_from(unsigned slot)
{
	struct raw_area a;
	struct source *s;
	struct err e = { 0 };
	char path[256];
	u64 off, from;
	int fd;

	assert_int_equal(raw_area_open(&a, device(path, sizeof(path)), RAW_READ, &e), 0);
	off = raw_slot_dump_off(&a, slot);
	fd = dup(a.fd);
	assert_int_equal(source_open_part(&s, fd, off, raw_slot_dump_bytes(&a, slot), "d", 0, &e),
			 0);
	/* an ELF dump's pages have zeros below them, on the disk before it opens */
	from = strcmp(s->ops->name, "elf") ? off + PAGE_SIZE : UINT64_MAX;
	source_close(s);
	raw_area_close(&a);
	return from;
}

static unsigned dice(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

/* The device as it may be when the power fails after n operations. how 0: all of them are there;
 * 1: the last one is torn; others: what was not synced may be lost. */
static void replay(int fd, size_t n, unsigned how, u64 data, unsigned *seed)
{
	size_t synced = 0;

	for (size_t i = 0; i < n; i++)
		if (!ops[i].data)
			synced = i;
	for (size_t i = 0; i < n; i++) {
		const struct op *op = &ops[i];
		size_t len = op->len;

		if (!op->data)
			continue;
		if (how == 1 && i + 1 == n)
			len = dice(seed) % MIN(len, (size_t)200);
		if (how > 1 && i > synced && op->off < data && dice(seed) % 2)
			continue;
		assert_int_equal(syscall(SYS_pwrite64, fd, op->data, len, op->off), len);
	}
}

static void judge_pages(const char *what, struct source *s, unsigned level)
{
	bool elf = strcmp(s->ops->name, "elf") == 0, incomplete = s->incomplete;
	struct window w;
	struct err e = { 0 };

	assert_int_equal(window_open(&w, s, 64 << 10, &e), 0);
	for (size_t i = 0; i < golden.npages; i++) {
		const struct golden_page *p = &golden.pages[i];
		const u8 *bytes;
		size_t got;
		int rc;

		if (!golden_kept(p, level))
			continue;
		rc = window_get(&w, p->pfn << PAGE_SHIFT, PAGE_SIZE, &bytes, &got, &e);
		if (rc == -ENODATA && elf && p->zero)
			continue;
		if (!rc && memcmp(bytes, p->bytes ? p->bytes : zeros, PAGE_SIZE) == 0)
			continue;
		if (!incomplete)
			fail_msg("%s: pfn %#llx is not right, and it does not say so", what,
				 (unsigned long long)p->pfn);
		/* a torn write of an ELF page: bytes that are not there are zeros */
		for (size_t k = 0; !rc && k < PAGE_SIZE; k++)
			if (!elf || (bytes[k] && (!p->bytes || bytes[k] != p->bytes[k])))
				fail_msg("%s: pfn %#llx: wrong bytes", what,
					 (unsigned long long)p->pfn);
	}
	window_close(&w);
}

/* Returns whether there is a dump that opens. */
static bool judge_dump(const char *what, struct raw_area *a, unsigned slot, unsigned level)
{
	const struct raw_slot *sl = &a->slots[slot];
	u64 bytes = raw_slot_dump_bytes(a, slot);
	struct source *s;
	struct err e = { 0 };
	int fd;

	if (!bytes)
		return false;
	fd = dup(a->fd);
	if (source_open_part(&s, fd, raw_slot_dump_off(a, slot), bytes, what, SOURCE_PARTIAL, &e))
		fail_msg("%s: %s", what, e.msg);
	if (sl->h.state == RAW_COMPLETE && s->incomplete)
		fail_msg("%s: marked complete, but it is not", what);
	judge_pages(what, s, level);
	source_close(s);
	return true;
}

static bool judge(const char *what, const char *path, unsigned slot, unsigned level,
		  unsigned seen[RAW_STATES])
{
	char *text = NULL;
	struct raw_area a;
	struct err e = { 0 };
	bool opens = false;
	size_t len;

	if (raw_area_open(&a, path, RAW_READ, &e))
		fail_msg("%s: %s", what, e.msg);
	if (!a.slots[slot].valid)
		fail_msg("%s: the slot's header is damaged", what);
	seen[a.slots[slot].h.state]++;
	if (raw_slot_waits(&a.slots[slot])) {
		if (raw_slot_read_dmesg(&a, slot, &text, &len) || strcmp(text, LOG) != 0)
			fail_msg("%s: the log is lost", what);
		free(text);
		if (raw_slot_read_record(&a, slot, &text, &len) || strncmp(text, "{\"st", 4) != 0)
			fail_msg("%s: the record is lost", what);
		free(text);
		opens = judge_dump(what, &a, slot, level);
	}
	raw_area_close(&a);
	return opens;
}

/* Nothing but the slot itself is ever written to. */
static void judge_places(unsigned slot)
{
	struct raw_area a;
	char path[256];

	assert_int_equal(raw_area_open(&a, device(path, sizeof(path)), RAW_READ, NULL), 0);
	for (size_t i = 0; i < nops; i++) {
		u64 off = a.h.slots[slot].off, end = off + a.h.slots[slot].bytes;

		if (ops[i].data && (ops[i].off < off || ops[i].off + ops[i].len > end))
			fail_msg("write of %zu bytes at %llu is outside the slot", ops[i].len,
				 (unsigned long long)ops[i].off);
	}
	raw_area_close(&a);
}

/* Where from and to differ is where one of the first n operations wrote. */
static void restore(int from, int to, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		u8 *buf = ops[i].data ? malloc(ops[i].len) : NULL;

		if (!buf)
			continue;
		assert_int_equal(pread(from, buf, ops[i].len, (off_t)ops[i].off), ops[i].len);
		assert_int_equal(syscall(SYS_pwrite64, to, buf, ops[i].len, ops[i].off),
				 ops[i].len);
		free(buf);
	}
}

static int copy_device(const char *from, const char *to)
{
	static u8 buf[1 << 20];
	int in = open(from, O_RDONLY), out = open(to, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		assert_int_equal(write(out, buf, (size_t)n), n);
	close(in);
	return out;
}

/* One dump over what the slot holds by now, cut everywhere. */
static void cut_everywhere(const char *name, unsigned slot, const struct dump_opts *o, bool direct)
{
	char path[256], other[256], cut_path[256], what[128];
	unsigned seen[RAW_STATES] = { 0 }, opens = 0, seed = 1;
	time_t stamp = 1700000000;
	struct stat st;
	int base, cut;
	u64 data;

	device(path, sizeof(path));
	base = copy_device(path, scratch_path(&scratch, other, sizeof(other), "base"));
	cut = copy_device(path, scratch_path(&scratch, cut_path, sizeof(cut_path), "cut"));
	assert_int_equal(stat(path, &st), 0);
	watched = st.st_ino;
	make_dump(slot, stamp, o, direct);
	watched = 0;
	judge_places(slot);
	data = data_from(slot);
	for (size_t n = 0; n <= nops; n++) {
		for (unsigned how = 0; how < 6; how++) {
			snprintf(what, sizeof(what), "%s, cut after %zu of %zu, way %u", name, n,
				 nops, how);
			replay(cut, n, how, data, &seed);
			opens += judge(what, cut_path, slot, o->level, seen);
			restore(base, cut, n);
		}
	}
	assert_true(seen[RAW_WRITING] > 0 && seen[RAW_COMPLETE] > 0 && opens > 10);
	close(base);
	close(cut);
	forget();
}

static void test_power(void **state)
{
	static const struct {
		const char *name;
		enum dump_format format;
		bool direct;
	} t[] = {
		{ "kdump", DUMP_KDUMP, false },
		{ "kdump, direct", DUMP_KDUMP, true },
		{ "ELF", DUMP_ELF, false },
	};
	static const struct {
		const char *name;
		enum dump_format format;
		unsigned level;
		enum compress_kind compress;
	} before[] = {
		{ "over a complete dump", DUMP_KDUMP, 0, COMPRESS_NONE },
		{ "over a complete ELF dump", DUMP_ELF, 0, COMPRESS_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct dump_opts o = make_opts(t[i].format, 31, COMPRESS_ZSTD);
		size_t k = i % ARRAY_SIZE(before);
		struct dump_opts old = make_opts(before[k].format, before[k].level,
						 before[k].compress);
		char what[64];

		make_device();
		snprintf(what, sizeof(what), "%s into a free slot", t[i].name);
		cut_everywhere(what, 1, &o, t[i].direct);
		make_device();
		make_dump(1, 1600000000, &old, false);
		snprintf(what, sizeof(what), "%s %s", t[i].name, before[k].name);
		cut_everywhere(what, 1, &o, t[i].direct);
	}
}

static int setup(void **state)
{
	(void)state;
	scratch_make(&scratch);
	golden_open(&golden, &scratch, "small.txt", NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	golden_close(&golden, &scratch);
	scratch_rm(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_power) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
