/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of a status that need more than one file changed: raw areas, watchdogs, dumps, room. */
#include "status_tree.h"

#include <fcntl.h>

#include "../rawcheck.h"
#include "../room.h"

#define MEMINFO                                                                             \
	"MemTotal: 4096000 kB\nMemFree: 1024000 kB\nBuffers: 1000 kB\nCached: 1023000 kB\n" \
	"SwapCached: 7 kB\nAnonPages: 1024000 kB\n"

/* An area in the place of /dev/vda1, with its slots in those states. */
static void raw_states(struct status *s, enum raw_state a, enum raw_state b)
{
	char root[] = "/tmp/crashpod-status-XXXXXX", node[PATH_MAX];
	enum raw_state states[RAW_SLOTS] = { a, b };
	struct raw_area area;
	u64 bytes;
	int fd;

	make_tree(root);
	put(root, &(struct file){ "/etc/crashpod.conf", "raw /dev/vda1\n" });
	assert_int_equal(tree_path(node, root, "/dev/vda1"), 0);
	assert_int_equal(truncate(node, RAW_AREA_MIN), 0);
	assert_int_equal(raw_device_open(node, RAW_CLAIM, &fd, &bytes, NULL), 0);
	assert_int_equal(raw_area_make(fd, bytes, NULL), 0);
	close(fd);
	assert_int_equal(raw_area_open(&area, node, RAW_WRITE, NULL), 0);
	for (unsigned i = 0; i < RAW_SLOTS; i++) {
		struct raw_slot_header h = { .state = states[i], .dump_bytes = 1 };

		assert_int_equal(raw_slot_put(&area, i, &h, NULL), 0);
	}
	raw_area_close(&area);
	status_check(s, root, KVER);
	assert_int_equal(remove_tree(root), 0);
	assert_true(status_ready(s));
	has_line(s, "ok", "raw /dev/vda1 has 6 MiB free", "");
}

static void test_raw(void **state)
{
	struct status *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	raw_states(s, RAW_FREE, RAW_COLLECTED);
	has_line(s, "ok", "raw /dev/vda1: 2 slots free, 0 not collected, 0 damaged", "");
	raw_states(s, RAW_COMPLETE, RAW_FREE);
	has_line(s, "note", "1 slots free, 1 not collected", "crashpod raw collect");
	raw_states(s, RAW_WRITING, RAW_INCOMPLETE);
	has_line(s, "note", "0 slots free, 2 not collected", "crashpod raw collect");
	status_free(s);
	free(s);
}

/* Whether the next boot loads one: by systemd, or by the rc script's link of the runlevel it goes
 * to. */
static void test_boot(void **state)
{
	const struct {
		struct file files[4];
		const char *line, *text, *mend;
	} t[] = {
		{ { { "/run/systemd/system/x", "" },
		    { "/usr/lib/systemd/system/crashpod.service", "" } },
		  "note",
		  "next boot: crashpod.service is not enabled",
		  "systemctl enable" },
		{ { { "/etc/init.d/crashpod", "#!/bin/sh\n" }, { "/etc/rc2.d/K01crashpod", "" } },
		  "note",
		  "next boot: /etc/init.d/crashpod is not enabled",
		  "crashpod setup" },
		{ { { "/etc/init.d/crashpod", "#!/bin/sh\n" }, { "/etc/rc2.d/S03crashpod", "" } },
		  "ok",
		  "/etc/init.d/crashpod loads it at each boot",
		  "" },
		{ { { "/etc/init.d/crashpod", "#!/bin/sh\n" },
		    { "/etc/rc3.d/S03crashpod", "" },
		    { "/etc/inittab", "# id:3:initdefault:\nid:2:initdefault:\n" } },
		  "note",
		  "next boot: /etc/init.d/crashpod is not enabled",
		  "" },
	};
	struct status *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char root[] = "/tmp/crashpod-status-XXXXXX";

		make_tree(root);
		for (const struct file *f = t[i].files; f->path; f++)
			put(root, f);
		status_check(s, root, KVER);
		assert_int_equal(remove_tree(root), 0);
		has_line(s, t[i].line, t[i].text, t[i].mend);
		assert_true(status_ready(s));
	}
	status_free(s);
	free(s);
}

/* mkinitrd's own lines; one that has none says nothing. */
static void test_chain(void **state)
{
#define SCRIPT(check)                                                  \
	"#!/bin/sh\n"                                                  \
	"case $1$3 in\n"                                               \
	"-k--inputs) cat \"${0%/usr/*}/inputs\" ;;\n"                  \
	"--help) echo '\"ok TEXT\", or \"bad TEXT: WHAT TO DO\"' ;;\n" \
	"-k--check) printf '" check " ;;\n"                            \
	"esac\n"
	static const struct {
		const char *mkinitrd, *state, *text, *mend;
		bool ready;
	} t[] = {
		{ SCRIPT("ok a\\nok b: c\\n'"), "ok", "all of the way to each target: 2 checks", "",
		  true },
		{ SCRIPT("ok a\\nbad device x (y: z): not there: run it\\n'; exit 1"), "missing",
		  "device x (y: z): not there", "run it", false },
		{ SCRIPT("bad all of it\\n'; exit 1"), "missing", "all of it", "", false },
	};
	struct status *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char root[] = "/tmp/crashpod-status-XXXXXX";

		make_tree(root);
		put(root, &(struct file){ MKINITRD, t[i].mkinitrd });
		status_check(s, root, KVER);
		assert_int_equal(remove_tree(root), 0);
		has_line(s, t[i].state, t[i].text, t[i].mend);
		assert_int_equal(status_ready(s), t[i].ready);
	}
	status_free(s);
	free(s);
}

/* A driver that is a module has to be in the initramfs. */
static void test_watchdog(void **state)
{
	static const struct {
		const char *module, *running, *line, *text;
	} t[] = {
		{ "ext4", "active", "ok", "watchdog0 runs, its driver ext4 is in" },
		{ "xt4", "active", "missing", "its driver xt4 is not in the initramfs" },
		{ "xt4", "inactive", "ok", "no watchdog runs" },
	};
	struct status *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char root[] = "/tmp/crashpod-status-XXXXXX", path[PATH_MAX], to[64];

		make_tree(root);
		put(root, &(struct file){ "/sys/class/watchdog/watchdog0/state", t[i].running });
		put(root, &(struct file){ "/sys/class/watchdog/watchdog0/device/driver/bind", "" });
		assert_int_equal(
			tree_path(path, root, "/sys/class/watchdog/watchdog0/device/driver/module"),
			0);
		snprintf(to, sizeof(to), "../../../../module/%s", t[i].module);
		assert_int_equal(symlink(to, path), 0);
		status_check(s, root, KVER);
		assert_int_equal(remove_tree(root), 0);
		has_line(s, t[i].line, t[i].text, "");
	}
	status_free(s);
	free(s);
}

/* The latest, by its record. */
static void test_last_dump(void **state)
{
#define DUMPS "/var crash/var/crash/"
	static const struct file dumps[] = {
		{ DUMPS "202611250504-1/dump.202611250504", "x" },
		{ DUMPS "202611250504-1/crashpod.json",
		  "{\"program\":\"crashpod "
		  "1\",\"dump\":{\"level_used\":31},\"crash_time\":2000000001}" },
		{ DUMPS "202611250504/dump.202611250504", "x" },
		{ DUMPS "202611250504/crashpod.json",
		  "{\"program\":\"crashpod "
		  "1\",\"dump\":{\"level_used\":31},\"crash_time\":2000000000}" },
		{ DUMPS "202610250504/dump.202610250504", "x" },
		{ DUMPS "other/dump.202710250504", "x" },
	};
	char root[] = "/tmp/crashpod-status-XXXXXX";
	struct status *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	make_tree(root);
	for (size_t i = 0; i < ARRAY_SIZE(dumps); i++)
		put(root, &dumps[i]);
	status_check(s, root, KVER);
	assert_int_equal(remove_tree(root), 0);
	assert_string_equal(s->dump.path, "/var crash/var/crash/202611250504-1/dump.202611250504");
	assert_true(s->dump.complete);
	has_line(s, "ok", "202611250504-1/dump.202611250504, ", "");
	status_free(s);
	free(s);
}

/* What an encrypted target lacks; that it has all takes a kernel. */
static void test_keys(void **state)
{
#define UUID "0123456789abcdef0123456789abcdef"
	static const struct {
		const char *uuid, *keys, *text, *mend;
	} t[] = {
		{ "CRYPT-LUKS2-" UUID "-x", "/sys/kernel/config/none",
		  "UUID=1234: secret is encrypted, and this kernel cannot hand its key",
		  "name another target" },
		{ "CRYPT-LUKS1-" UUID "-x", "/sys/kernel/config/crash_dm_crypt_keys/count",
		  "UUID=1234: secret is encrypted, and not as LUKS2", "name another target" },
		{ "CRYPT-LUKS2-" UUID "-x", "/sys/kernel/config/crash_dm_crypt_keys/count",
		  "link-volume-key=@u::%logon:cryptsetup:01234567-89ab-cdef-0123-456789abcdef",
		  "crashpod load, when it is there" },
	};
	struct status *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char root[] = "/tmp/crashpod-status-XXXXXX";

		make_tree(root);
		put(root, &(struct file){ "/sys/class/block/vda1/dm/uuid", t[i].uuid });
		put(root, &(struct file){ "/sys/class/block/vda1/dm/name", "secret" });
		put(root, &(struct file){ t[i].keys, "" });
		status_check(s, root, KVER);
		assert_int_equal(remove_tree(root), 0);
		has_line(s, "missing", t[i].text, t[i].mend);
		assert_false(status_ready(s));
	}
	status_free(s);
	free(s);
}

static void test_room_needed(void **state)
{
	static const struct {
		unsigned level;
		u64 kib;
	} t[] = {
		{ 0, 4096000 }, { 1, 4096000 }, { 16, 3072000 },
		{ 2, 3072000 }, { 8, 3072000 }, { 31, 1024000 },
	};
	char root[] = "/tmp/crashpod-status-XXXXXX";
	u64 bytes;

	(void)state;
	make_tree(root);
	put(root, &(struct file){ "/proc/meminfo", MEMINFO });
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(room_needed(root, t[i].level, &bytes), 0);
		assert_int_equal(bytes, t[i].kib * 1024);
	}
	assert_int_equal(remove_tree(root), 0);
}

/* What a dump now may need is 2000 MiB at level 31, 5000 at level 16, 8000 at level 1. */
static void test_room(void **state)
{
#define BIG "MemTotal: 8192000 kB\nMemFree: 3072000 kB\nCached: 2048000 kB\nAnonPages: 1024000 kB\n"
	static const struct {
		const char *conf;
		u64 free_mib;
		const char *state, *text, *mend;
	} t[] = {
		{ "ext4 UUID=1", 9000, "ok",
		  "ext4 UUID=1 has 9000 MiB free, a dump now needs at most 2000 MiB", "" },
		{ "vfat UUID=1", 9000, "ok",
		  "vfat UUID=1 has files of at most 4095 MiB, a dump now needs at most 2000 MiB",
		  "" },
		{ "vfat UUID=1", 3000, "ok",
		  "vfat UUID=1 has 3000 MiB free, a dump now needs at most 2000 MiB", "" },
		{ "vfat UUID=1", 1000, "missing",
		  "vfat UUID=1 has 1000 MiB free, a dump now may need 2000 MiB",
		  "free room there, or name another target" },
		{ "vfat UUID=1\ndump_level 16", 9000, "note",
		  "vfat UUID=1 has files of at most 4095 MiB, a dump now may need 5000 MiB at "
		  "level "
		  "16: it would be filtered more",
		  "raise dump_level, or name a target on another file system" },
		{ "vfat UUID=1\ndump_level 16", 4000, "note",
		  "vfat UUID=1 has 4000 MiB free, a dump now may need 5000 MiB at level 16",
		  "free room there, or raise dump_level" },
		{ "exfat UUID=1\ndump_level 1", 9000, "ok", "exfat UUID=1 has 9000 MiB free", "" },
		{ "raw /dev/vda1\ndump_level 1", 9000, "ok", "raw /dev/vda1 has 9000 MiB free",
		  "" },
	};
	char root[] = "/tmp/crashpod-status-XXXXXX";
	struct status *s = calloc(1, sizeof(*s));
	struct conf c;

	(void)state;
	assert_non_null(s);
	make_tree(root);
	put(root, &(struct file){ "/proc/meminfo", BIG });
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		conf_defaults(&c);
		assert_int_equal(conf_parse(&c, t[i].conf, strlen(t[i].conf), "c", NULL, NULL), 0);
		s->n = 0;
		status_room(s, root, &c, &c.targets[0], 0, t[i].free_mib << 20);
		assert_int_equal(s->n, 1);
		has_line(s, t[i].state, t[i].text, t[i].mend);
	}
	/* no level helps */
	put(root, &(struct file){ "/proc/meminfo", "MemTotal: 8192000 kB\n" });
	s->n = 0;
	conf_defaults(&c);
	assert_int_equal(conf_parse(&c, "vfat UUID=1", 11, "c", NULL, NULL), 0);
	status_room(s, root, &c, &c.targets[0], 0, (u64)9000 << 20);
	has_line(s, "missing",
		 "vfat UUID=1 has files of at most 4095 MiB, a dump now may need 8000 MiB",
		 "name a target on another file system");
	assert_int_equal(remove_tree(root), 0);
	status_free(s);
	free(s);
}

/* A bzImage's header in the place of what was loaded. */
static void put_kernel(const char *root, u32 init_size)
{
	u8 head[1024] = { 0 };
	char path[PATH_MAX];
	u16 version = 0x20f, at = 0x180;
	FILE *f;

	memcpy(head + 0x202, "HdrS", 4);
	memcpy(head + 0x206, &version, 2);
	memcpy(head + 0x20e, &at, 2);
	memcpy(head + 0x260, &init_size, 4);
	snprintf((char *)head + 0x380, 128, KVER " (build@host) #1 SMP");
	assert_int_equal(tree_path(path, root, "/boot/vmlinuz-" KVER), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(head, 1, sizeof(head), f), sizeof(head));
	assert_int_equal(fclose(f), 0);
}

/* How many items of a name are not ok. */
static unsigned count_bad(const struct status *s, const char *name)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++)
		n += !strcmp(s->items[i].name, name) && s->items[i].state != STATUS_OK;
	return n;
}

/* The estimate for this image is 71 MiB, with 8 CPUs 83. */
static void test_reserve(void **state)
{
	static const struct {
		const char *bytes, *state, *text;
		const char *options;
	} t[] = {
		{ "134217728\n", NULL, NULL, "" },
		{ "75497472\n", NULL, NULL, "" },
		{ "73400320\n", "note", "70 MiB may not be enough for the capture kernel", "" },
		{ "66060288\n", "missing", "63 MiB are not enough for the capture kernel: /boot/",
		  "" },
		{ "1048576\n", "missing", "1 MiB are not enough for the capture kernel", "" },
		{ "83886080\n", "note", "80 MiB may not be enough for the capture kernel",
		  "option --cpus\noption 8\n" },
	};
	struct status *s = calloc(1, sizeof(*s));
	char record[2048];

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char root[] = "/tmp/crashpod-status-XXXXXX";

		make_tree(root);
		put_kernel(root, 53968896);
		put(root, &(struct file){ "/sys/kernel/kexec_crash_size", t[i].bytes });
		snprintf(record, sizeof(record), "%s%s", LOADED, t[i].options);
		put(root, &(struct file){ "/run/crashpod/loaded", record });
		status_check(s, root, KVER);
		assert_int_equal(remove_tree(root), 0);
		if (t[i].state)
			has_line(s, t[i].state, t[i].text, "crashpod setup");
		assert_int_equal(count_bad(s, "reserved"), t[i].state != NULL);
	}
	status_free(s);
	free(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw),	  cmocka_unit_test(test_boot),
		cmocka_unit_test(test_chain),	  cmocka_unit_test(test_watchdog),
		cmocka_unit_test(test_last_dump), cmocka_unit_test(test_room_needed),
		cmocka_unit_test(test_room),	  cmocka_unit_test(test_keys),
		cmocka_unit_test(test_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
