/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <zlib.h>

#include "../../dumper/base/resolve.h"
#include "../../dumper/base/resolve_super.h"
#include "../../dumper/tests/lib_allocfail.h"
#include "tempdir.h"

/* The "disks" are sparse files with as much of a superblock or partition table as a prober asks
 * for, written here byte by byte. */
#define DISK_BYTES ((size_t)4 << 20)

static void put_le(u8 *p, u64 v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (u8)(v >> (8 * i));
}

/* An ext2 superblock, 1024 bytes in. Source: Documentation/filesystems/ext4/super.rst */
static void put_ext2(u8 *disk, u8 uuid_byte, const char *label)
{
	u8 *sb = disk + 1024;

	put_le(sb, 256, 4);	  /* inodes */
	put_le(sb + 4, 4096, 4);  /* blocks of 1 KiB */
	put_le(sb + 20, 1, 4);	  /* first data block */
	put_le(sb + 32, 8192, 4); /* blocks a group */
	put_le(sb + 40, 256, 4);  /* inodes a group */
	put_le(sb + 56, 0xef53, 2);
	put_le(sb + 76, 1, 4);	 /* revision */
	put_le(sb + 88, 128, 2); /* inode size */
	memset(sb + 104, uuid_byte, 16);
	memcpy(sb + 120, label, strlen(label));
}

/* One DOS partition, number 1. */
static void put_mbr(u8 *disk, u32 id)
{
	u8 *entry = disk + 446;

	put_le(disk + 440, id, 4);
	entry[4] = 0x83;
	put_le(entry + 8, 2048, 4);
	put_le(entry + 12, 2048, 4);
	put_le(disk + 510, 0xaa55, 2);
}

/* The header at LBA my, its table at LBA table. Source: the UEFI specification, chapter 5 */
static void put_gpt_header(u8 *disk, u64 my, u64 other, u64 table)
{
	u64 sectors = DISK_BYTES / 512;
	u8 *h = disk + my * 512, *entries = disk + table * 512;

	memcpy(h, "EFI PART", 8);
	put_le(h + 8, 0x10000, 4);
	put_le(h + 12, 92, 4);
	put_le(h + 24, my, 8);
	put_le(h + 32, other, 8);
	put_le(h + 40, 34, 8);
	put_le(h + 48, sectors - 34, 8);
	memset(h + 56, 0x77, 16);
	put_le(h + 72, table, 8);
	put_le(h + 80, 128, 4);
	put_le(h + 84, 128, 4);
	put_le(h + 88, crc32(0, entries, 128 * 128), 4);
	put_le(h + 16, crc32(0, h, 92), 4);
}

/* Partition 2 of 3 has this UUID byte and this name. */
static void put_gpt(u8 *disk, u8 uuid_byte, const char *name)
{
	u64 last = DISK_BYTES / 512 - 1, tables[] = { 2, last - 32 };
	u8 *mbr = disk + 446;

	mbr[4] = 0xee;
	put_le(mbr + 8, 1, 4);
	put_le(mbr + 12, last, 4);
	put_le(disk + 510, 0xaa55, 2);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		u8 *entry = disk + tables[i] * 512 + 128;

		memset(entry, 0x83, 16);
		memset(entry + 16, uuid_byte, 16);
		put_le(entry + 32, 2048, 8);
		put_le(entry + 40, 4095, 8);
		for (size_t c = 0; name[c]; c++)
			put_le(entry + 56 + 2 * c, (u8)name[c], 2);
	}
	put_gpt_header(disk, 1, last, tables[0]);
	put_gpt_header(disk, last, 1, tables[1]);
}

/* A block device in the sysfs of the test. partno 0: a whole disk. */
static void add_sys(struct tempdir *t, const char *disk, const char *name, unsigned partno)
{
	char dir[128], path[256], text[16];

	snprintf(dir, sizeof(dir), "devices/%s%s%s", disk, partno ? "/" : "", partno ? name : "");
	snprintf(path, sizeof(path), "sys/%s", dir);
	tempdir_mkdir(t, path);
	snprintf(path, sizeof(path), "sys/%s/size", dir);
	tempdir_puts(t, path, "8192\n");
	if (partno) {
		snprintf(path, sizeof(path), "sys/%s/partition", dir);
		snprintf(text, sizeof(text), "%u\n", partno);
		tempdir_puts(t, path, text);
	}
	tempdir_mkdir(t, "sys/class/block");
	snprintf(path, sizeof(path), "../../%s", dir);
	snprintf(dir, sizeof(dir), "sys/class/block/%s", name);
	assert_int_equal(symlinkat(path, t->fd, dir), 0);
}

struct machine {
	struct tempdir t;
	char sys[80], dev[80];
	struct resolve_roots roots;
};

static void add_disk(struct machine *m, const char *node, u8 *disk)
{
	tempdir_write(&m->t, node, disk, DISK_BYTES);
	memset(disk, 0, DISK_BYTES);
}

static int setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));
	u8 *disk = calloc(1, DISK_BYTES);

	assert_true(m && disk);
	tempdir_open(&m->t);
	tempdir_mkdir(&m->t, "dev/cciss");
	snprintf(m->sys, sizeof(m->sys), "%s/sys", m->t.path);
	snprintf(m->dev, sizeof(m->dev), "%s/dev", m->t.path);
	m->roots = (struct resolve_roots){ .sys = m->sys, .dev = m->dev };

	put_mbr(disk, 0xdeadbeef);
	add_disk(m, "dev/vda", disk);
	put_ext2(disk, 0xab, "root fs");
	add_disk(m, "dev/vda1", disk);
	put_gpt(disk, 0x44, "crash");
	add_disk(m, "dev/vdb", disk);
	put_ext2(disk, 0xcd, "crash");
	add_disk(m, "dev/vdb2", disk);
	/* two with one UUID */
	put_ext2(disk, 0xee, "twin");
	add_disk(m, "dev/vdaa", disk);
	put_ext2(disk, 0xee, "twin");
	add_disk(m, "dev/vdc", disk);
	put_ext2(disk, 0x01, "smart");
	add_disk(m, "dev/cciss/c0d0", disk);
	put_ext2(disk, 0x02, "looped");
	add_disk(m, "dev/loop0", disk);
	free(disk);

	add_sys(&m->t, "vda", "vda", 0);
	add_sys(&m->t, "vda", "vda1", 1);
	add_sys(&m->t, "vdb", "vdb", 0);
	add_sys(&m->t, "vdb", "vdb2", 2);
	add_sys(&m->t, "vdaa", "vdaa", 0);
	add_sys(&m->t, "vdc", "vdc", 0);
	add_sys(&m->t, "cciss!c0d0", "cciss!c0d0", 0);
	add_sys(&m->t, "loop0", "loop0", 0);
	add_sys(&m->t, "vdz", "vdz", 0); /* in sysfs, but its node is not there yet */
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct machine *m = *state;

	tempdir_close(&m->t);
	free(m);
	return 0;
}

#define UUID_OF(two) two two two two "-" two two "-" two two "-" two two "-" two two two two two two

static void test_resolve(void **state)
{
	static const struct {
		const char *spec, *device; /* NULL: not found */
	} t[] = {
		{ "UUID=" UUID_OF("ab"), "/vda1" },
		{ "UUID=" UUID_OF("AB"), "/vda1" },
		{ "/dev/disk/by-uuid/" UUID_OF("cd"), "/vdb2" },
		{ "LABEL=root fs", "/vda1" },
		{ "LABEL=ROOT FS", NULL },
		{ "LABEL=root", NULL },
		{ "LABEL=crash", "/vdb2" },
		{ "LABEL=smart", "/cciss/c0d0" },
		{ "LABEL=looped", NULL },
		{ "UUID=" UUID_OF("ee"), "/vdc" },
		{ "UUID=" UUID_OF("11"), NULL },
		{ "PARTUUID=deadbeef-01", "/vda1" },
		{ "PARTUUID=DEADBEEF-01", "/vda1" },
		{ "PARTUUID=deadbeef-02", NULL },
		{ "PARTUUID=" UUID_OF("44"), "/vdb2" },
		{ "/dev/disk/by-partuuid/" UUID_OF("44"), "/vdb2" },
		{ "PARTLABEL=crash", "/vdb2" },
		{ "PARTLABEL=Crash", NULL },
		{ "/dev/disk/by-label/root\\x20fs", "/vda1" },
		{ "/dev/disk/by-label/crash", "/vdb2" },
		{ "/dev/disk/by-partlabel/crash", "/vdb2" },
		{ "/dev/vdc", "/vdc" },
		{ "/dev/vdq", NULL },
	};
	struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char out[128] = "", want[128];
		struct err e = { 0 };
		int rc = resolve_device(&m->roots, t[i].spec, out, sizeof(out), &e);

		if (!t[i].device && rc == -ENOENT && strstr(e.msg, t[i].spec))
			continue;
		snprintf(want, sizeof(want), "%s%s", m->dev, t[i].device ? t[i].device : "none");
		if (rc || strcmp(out, want) != 0)
			fail_msg("%s: %d '%s' %s", t[i].spec, rc, out, e.msg);
	}
}

static void test_errors(void **state)
{
	struct machine *m = *state;
	struct resolve_roots nowhere = { .sys = "/nonexistent/sys", .dev = "/nonexistent/dev" };
	struct err e = { 0 };
	char out[128], tiny[8];

	assert_int_equal(resolve_device(&m->roots, "vda1", out, sizeof(out), &e), -EINVAL);
	assert_string_equal(e.msg,
			    "'vda1' is not UUID=, LABEL=, PARTUUID=, PARTLABEL= or /dev/...");
	assert_int_equal(resolve_device(&m->roots, "/dev/vda1", tiny, sizeof(tiny), &e),
			 -ENAMETOOLONG);
	assert_int_equal(resolve_device(&m->roots, "LABEL=twin", tiny, sizeof(tiny), &e),
			 -ENAMETOOLONG);
	assert_int_equal(resolve_device(&nowhere, "LABEL=twin", out, sizeof(out), &e), -ENOENT);
	assert_int_equal(resolve_signature(&nowhere), 0);
}

/* A device that comes, and one that gets its size late, are both seen. */
static void test_signature(void **state)
{
	struct machine *m = *state;
	u64 first = resolve_signature(&m->roots), second;

	assert_int_equal(resolve_signature(&m->roots), first);
	add_sys(&m->t, "vdx", "vdx", 0);
	second = resolve_signature(&m->roots);
	assert_int_not_equal(second, first);
	tempdir_puts(&m->t, "sys/class/block/vdx/size", "9\n");
	assert_int_not_equal(resolve_signature(&m->roots), second);
	tempdir_puts(&m->t, "sys/class/block/vdx/size", "0\n");
	assert_int_equal(resolve_signature(&m->roots), first);
}

struct search {
	const struct machine *m;
	const char *spec, *device;
	int rc;
	char out[128];
	struct err e;
};

static void run_search(void *arg)
{
	struct search *s = arg;

	memset(&s->e, 0, sizeof(s->e));
	s->rc = resolve_device(&s->m->roots, s->spec, s->out, sizeof(s->out), &s->e);
}

/* The device, or none for now: PID 1 looks again. Never another one. */
static void check_search(void *arg, const char *what, bool failed)
{
	const struct search *s = arg;
	char want[128];

	snprintf(want, sizeof(want), "%s%s", s->m->dev, s->device);
	if (s->rc ? !failed || !s->e.msg[0] : strcmp(s->out, want) != 0)
		fail_msg("%s: %d '%s' %s", what, s->rc, s->out, s->e.msg);
}

static void test_no_memory(void **state)
{
	struct search s = { .m = *state, .spec = "LABEL=root fs", .device = "/vda1" };

	assert_true(allocfail_each(s.spec, run_search, check_search, &s) > 10);
	s.spec = "PARTLABEL=crash";
	s.device = "/vdb2";
	assert_true(allocfail_each(s.spec, run_search, check_search, &s) > 10);
}

static void test_fstype(void **state)
{
	struct machine *m = *state;
	char type[32] = "", path[128];

	snprintf(path, sizeof(path), "%s/vda1", m->dev);
	assert_int_equal(resolve_fstype(path, type, sizeof(type)), 0);
	assert_string_equal(type, "ext2");
	snprintf(path, sizeof(path), "%s/vda", m->dev);
	assert_int_equal(resolve_fstype(path, type, sizeof(type)), -ENOENT);
	assert_int_equal(resolve_fstype("/nonexistent", type, sizeof(type)), -ENOENT);
}

/* In the order of the directory, so that only their number and the mark of a cut can be known. */
static void test_names(void **state)
{
	struct machine *m = *state;
	struct resolve_roots nowhere = { .sys = "/nonexistent/sys", .dev = "/nonexistent/dev" };
	char all[128], few[16];

	resolve_names(&m->roots, all, sizeof(all));
	assert_non_null(strstr(all, "vda1"));
	assert_non_null(strstr(all, "cciss!c0d0"));
	assert_null(strstr(all, "loop0"));
	assert_null(strstr(all, "..."));
	resolve_names(&m->roots, few, sizeof(few));
	assert_true(strlen(few) > 4);
	assert_string_equal(few + strlen(few) - 4, " ...");
	resolve_names(&nowhere, all, sizeof(all));
	assert_string_equal(all, "");
}

/* A member of an array with its superblock at the end (1.0): linux/raid/md_p.h. */
static void put_member(u8 *disk, u8 number)
{
	u64 sum = 0, sector = (DISK_BYTES / 512 - 16) & ~(u64)7;
	u8 *sb = disk + sector * 512;

	put_le(sb, 0xa92b4efc, 4);
	put_le(sb + 4, 1, 4);
	memset(sb + 16, 0x55, 16);
	put_le(sb + 72, 1, 4);
	put_le(sb + 80, 1024, 8);
	put_le(sb + 92, 2, 4);
	put_le(sb + 136, 1024, 8);
	put_le(sb + 144, sector, 8);
	put_le(sb + 160, number, 4);
	memset(sb + 168, number, 16);
	/* util-linux from 2.40 on looks at the checksum */
	for (int i = 0; i < 256; i += 4)
		sum += sb[i] | (u32)sb[i + 1] << 8 | (u32)sb[i + 2] << 16 | (u32)sb[i + 3] << 24;
	put_le(sb + 216, (u32)sum + (sum >> 32), 4);
}

/* What shows the file system of the array, or of a mapping, that it is a part of. */
static void test_members(void **state)
{
	static const char spec[] = "UUID=" UUID_OF("77");
	u8 *disk = calloc(1, DISK_BYTES);
	struct machine *m = *state;
	struct resolve_supers found;
	char out[128], want[128];

	assert_non_null(disk);
	for (u8 n = 2; n; n--) {
		char node[] = "dev/vdm0";

		node[7] = (char)('0' + n);
		put_ext2(disk, 0x77, "array");
		put_member(disk, n);
		add_disk(m, node, disk);
		add_sys(&m->t, node + 4, node + 4, 0);
	}
	assert_int_equal(resolve_device(&m->roots, spec, out, sizeof(out), NULL), -ENOENT);
	resolve_supers(&m->roots, "linux_raid_member", UUID_OF("55"), &found);
	assert_int_equal(found.n, 2);
	assert_string_equal(found.found[0].name, "vdm1");
	assert_string_equal(found.found[1].sub, UUID_OF("02"));
	assert_string_equal(found.found[0].version, "1.0");
	resolve_supers(&m->roots, "LVM2_member", UUID_OF("55"), &found);
	assert_int_equal(found.n, 0);
	/* the array itself; then something else holds it */
	put_ext2(disk, 0x77, "array");
	add_disk(m, "dev/md0", disk);
	add_sys(&m->t, "md0", "md0", 0);
	assert_int_equal(resolve_device(&m->roots, spec, out, sizeof(out), NULL), 0);
	snprintf(want, sizeof(want), "%s/md0", m->dev);
	assert_string_equal(out, want);
	tempdir_mkdir(&m->t, "sys/devices/md0/holders/dm-0");
	assert_int_equal(resolve_device(&m->roots, spec, out, sizeof(out), NULL), -ENOENT);
	free(disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_resolve, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signature, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fstype, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_members, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
