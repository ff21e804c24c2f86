/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each case changes one file of a tree in which all is well, and names the line that must come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../rawcheck.h"
#include "../room.h"
#include "../run.h"
#include "../status.h"
#include "../tree.h"

#define KVER "6.1.0-test"
#define INITRD "/var/lib/crashpod/initramfs-" KVER ".img"
#define INPUTS "/var/lib/crashpod/initramfs-" KVER ".inputs"
#define MKINITRD "/usr/lib/crashpod/mkinitrd"
/* of "image" and "MZ" */
#define IMAGE_SUM "6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d"
#define KERNEL_SUM "9b8db510ef42b8ed54a3712636fda55a4f8cfcd5493e20b74ab00cd4f3979f2d"
#define INPUTS_TEXT "crashpod-inputs 1\nkernel " KVER "\ninit aa\nconf bb\nmodule ext4 cc\n"
#define LOADED                                                                              \
	"release " KVER "\nkernel " KERNEL_SUM " /boot/vmlinuz-" KVER "\ninitrd " IMAGE_SUM \
	" " INITRD "\ntime 1\noption -k\noption " KVER "\n"
#define MEMINFO                                                                             \
	"MemTotal: 4096000 kB\nMemFree: 1024000 kB\nBuffers: 1000 kB\nCached: 1023000 kB\n" \
	"SwapCached: 7 kB\nAnonPages: 1024000 kB\n"

struct file {
	const char *path, *text; /* text NULL: removed */
};

static const struct file sound[] = {
	{ "/sys/kernel/kexec_crash_size", "268435456\n" },
	{ "/sys/kernel/kexec_crash_loaded", "1\n" },
	{ "/proc/sys/kernel/kexec_load_disabled", "0\n" },
	{ "/proc/sys/kernel/panic_on_oops", "1\n" },
	{ "/proc/meminfo", "MemTotal: 64 kB\nMemFree: 10 kB\n" },
	{ "/proc/self/mountinfo",
	  "21 1 0:5 / /proc rw - proc proc rw\n"
	  "22 1 254:1 / /var\\040crash rw,noatime shared:1 master:2 - ext4 /dev/vda1 rw\n" },
	{ "/etc/crashpod.conf", "ext4 UUID=1234\n" },
	{ INITRD, "image" },
	{ INPUTS, INPUTS_TEXT "image " IMAGE_SUM "\n" },
	/* says what it is asked for, as the builder does */
	{ MKINITRD, "#!/bin/sh\ntest \"$3\" = --inputs && cat \"${0%/usr/*}/inputs\"\n" },
	{ "/inputs", INPUTS_TEXT },
	{ "/boot/vmlinuz-" KVER, "MZ" },
	{ "/run/crashpod/loaded", LOADED },
	{ "/dev/disk/by-uuid/1234", "" },
	{ "/dev/vda1", "" },
	{ "/var crash/x", "" },
};

static int remove_tree(const char *root)
{
	const char *argv[] = { "rm", "-rf", "--", root, NULL };

	return run_wait(argv, NULL);
}

static void put(const char *root, const struct file *f)
{
	char path[PATH_MAX];
	FILE *out;

	assert_int_equal(tree_path(path, root, "%s", f->path), 0);
	if (!f->text) {
		unlink(path);
		return;
	}
	for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(!mkdir(path, 0700) || errno == EEXIST);
		*p = '/';
	}
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs(f->text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, strncmp(f->text, "#!", 2) ? 0600 : 0700), 0);
}

static void make_tree(char *root)
{
	char link[PATH_MAX];

	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < ARRAY_SIZE(sound); i++)
		put(root, &sound[i]);
	/* udev's link, to the node the mount is of */
	assert_int_equal(tree_path(link, root, "/dev/disk/by-uuid/1234"), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("../../vda1", link), 0);
}

static void has_line(const struct status *s, const char *state, const char *text, const char *mend)
{
	for (unsigned i = 0; i < s->n; i++)
		if (!strcmp(status_state_name(s->items[i].state), state) &&
		    strstr(s->items[i].text, text) && strstr(s->items[i].mend, mend))
			return;
	for (unsigned i = 0; i < s->n; i++)
		print_error("%s: %s -> %s\n", status_state_name(s->items[i].state),
			    s->items[i].text, s->items[i].mend);
	fail_msg("no line '%s: ...%s... -> ...%s...'", state, text, mend);
}

static void test_sound(void **state)
{
	char root[] = "/tmp/crashpod-status-XXXXXX";
	struct status *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	make_tree(root);
	status_check(s, root, KVER);
	assert_int_equal(remove_tree(root), 0);
	has_line(s, "ok", "256 MiB reserved", "");
	has_line(s, "ok", "capture kernel is loaded: /boot/vmlinuz-" KVER " with " INITRD, "");
	has_line(s, "ok", INITRD ", 1 KiB, is up to date", "");
	has_line(s, "ok", "/etc/crashpod.conf is sound", "");
	has_line(s, "ok", "ext4 UUID=1234 is there", "");
	has_line(s, "ok", "ext4 UUID=1234 has ", "");
	has_line(s, "ok", "no watchdog runs", "");
	has_line(s, "ok", "no dump in /var crash/var/crash", "");
	for (unsigned i = 0; i < s->n; i++)
		assert_int_equal(s->items[i].state, STATUS_OK);
	assert_int_equal(s->n, 8);
	assert_true(status_ready(s));
	assert_string_equal(s->loaded.release, KVER);
	assert_string_equal(s->loaded.options[1], KVER);
	assert_null(s->loaded.options[2]);
	status_free(s);
	free(s);
}

static const struct {
	struct file change;
	const char *state, *text, *mend;
	bool ready;
} faults[] = {
	{ { "/sys/kernel/kexec_crash_size", "0\n" },
	  "missing",
	  "no memory is reserved",
	  "crashkernel=",
	  false },
	{ { "/sys/kernel/kexec_crash_size", NULL },
	  "missing",
	  "No such file",
	  "CONFIG_KEXEC_FILE",
	  false },
	{ { "/sys/kernel/kexec_crash_size", "lots\n" }, "missing", "Invalid", "", false },
	{ { "/sys/kernel/kexec_crash_loaded", "0\n" },
	  "missing",
	  "no capture kernel",
	  "crashpod load",
	  false },
	{ { "/sys/kernel/kexec_crash_loaded", NULL },
	  "missing",
	  "no capture kernel",
	  "crashpod load",
	  false },
	/* an image is loaded, wherever it came from */
	{ { INITRD, NULL }, "note", "no initramfs of kernel " KVER, "refresh -k " KVER, true },
	{ { INITRD, NULL }, "note", INITRD ": No such file", "crashpod load", true },
	{ { INITRD, "" }, "note", "is empty", "refresh", false },
	{ { INITRD, "another" },
	  "missing",
	  "what is loaded is not the " INITRD " that is there now",
	  "crashpod load --again",
	  false },
	{ { INITRD, "another" }, "note", "made from is not recorded", "crashpod refresh", false },
	{ { INPUTS, NULL }, "note", "made from is not recorded", "crashpod refresh", true },
	{ { "/boot/vmlinuz-" KVER, "another" },
	  "missing",
	  "what is loaded is not the /boot/vmlinuz-" KVER,
	  "crashpod load --again",
	  false },
	{ { "/run/crashpod/loaded", NULL }, "note", "not by crashpod load", "crashpod load", true },
	{ { "/run/crashpod/loaded", "kernel x y\ninitrd\n\n" },
	  "note",
	  "not by crashpod load",
	  "",
	  true },
	{ { "/run/crashpod/loaded", "release " KVER "\nkernel " KERNEL_SUM " /boot/vmlinuz-" KVER
				    "\ninitrd " KERNEL_SUM " /boot/vmlinuz-" KVER "\n" },
	  "note",
	  "/boot/vmlinuz-" KVER " is not in its own place",
	  "yours",
	  true },
	{ { "/inputs", "crashpod-inputs 1\nkernel " KVER "\ninit aa\nconf bx\nmodule ext4 cc\n" },
	  "missing",
	  "out of date, changed since: the configuration",
	  "crashpod refresh -k " KVER " --reload",
	  false },
	{ { "/inputs", "crashpod-inputs 1\nkernel " KVER "\ninit ax\nconf bb\nmodule xfs dd\n" },
	  "missing",
	  "changed since: PID 1, module ext4, module xfs",
	  "crashpod refresh",
	  false },
	{ { MKINITRD, NULL },
	  "note",
	  "is not known: crashpod-mkinitrd is not inst",
	  "install",
	  true },
	{ { MKINITRD, "#!/bin/sh\necho one >&2\necho 'mkinitrd: no modules' >&2\nexit 1\n" },
	  "missing",
	  "none could be made now: mkinitrd: no modules",
	  "mend that",
	  false },
	{ { "/sys/class/watchdog/watchdog0/state", "active\n" },
	  "ok",
	  "no watchdog runs",
	  "",
	  true },
	{ { "/sys/class/watchdog/watchdog0/device/driver/x", "" },
	  "ok",
	  "watchdog0 runs, its driver is built into",
	  "",
	  true },
	{ { "/var crash/var/crash/202611250504/dump.202611250504", "x" },
	  "ok",
	  "/var crash/var/crash/202611250504/dump.202611250504, 0 seconds ago, complete",
	  "",
	  true },
	{ { "/var crash/var/crash/202611250504/dump.202611250504-incomplete", "x" },
	  "note",
	  "dump.202611250504-incomplete, 0 seconds ago, incomplete",
	  "log",
	  true },
	{ { "/var crash/var/crash/202611250504/dmesg.202611250504", "x" },
	  "note",
	  "/var/crash/202611250504, 0 seconds ago, without memory",
	  "log",
	  true },
	{ { "/etc/crashpod.conf", NULL },
	  "missing",
	  "/etc/crashpod.conf: No such file",
	  "write it",
	  false },
	{ { "/etc/crashpod.conf", "ext4 UUID=1234\ndump_levl 31\n" },
	  "missing",
	  "/etc/crashpod.conf:2:",
	  "correct that line",
	  false },
	{ { "/etc/crashpod.conf", "dump_level 31\n" },
	  "missing",
	  "names no target",
	  "ext4 UUID=",
	  false },
	{ { "/etc/crashpod.conf", "ext4 UUID=5678\n" },
	  "missing",
	  "ext4 UUID=5678: no such device",
	  "attach",
	  false },
	/* one of two targets is enough */
	{ { "/etc/crashpod.conf", "ext4 UUID=5678\next4 UUID=1234\n" },
	  "note",
	  "ext4 UUID=5678: no such device",
	  "attach",
	  true },
	{ { "/etc/crashpod.conf", "ext4 /dev/vda1\n" }, "ok", "ext4 /dev/vda1 has", "", true },
	{ { "/etc/crashpod.conf", "raw /dev/vda1\n" },
	  "missing",
	  "raw /dev/vda1: /dev/vda1: no crashpod raw area on it",
	  "crashpod raw format",
	  false },
	{ { "/etc/crashpod.conf", "raw /dev/vdz1\n" },
	  "missing",
	  "raw /dev/vdz1: no such device",
	  "attach",
	  false },
	{ { "/etc/crashpod.conf", "raw /dev/vda1\next4 UUID=1234\n" },
	  "note",
	  "raw /dev/vda1: /dev/vda1: no crashpod raw area on it",
	  "crashpod raw format",
	  true },
	{ { "/etc/crashpod.conf", "raw /dev/vda1\next4 UUID=5678\n" },
	  "missing",
	  "ext4 UUID=5678: no such device",
	  "attach",
	  false },
	{ { "/proc/self/mountinfo", "21 1 0:5 / /proc rw - proc proc rw\n" },
	  "note",
	  "is not mounted: free room unknown",
	  "mount it",
	  true },
	{ { "/proc/self/mountinfo",
	    "22 1 254:1 / /var\\040crash rw - ext4 /dev/vda1 ro,noatime\n" },
	  "missing",
	  "ext4 UUID=1234 is mounted read-only",
	  "fsck",
	  false },
	{ { "/proc/self/mountinfo", "a b\n1 2 3\n - - -\n1 2 3 / /x rw - ext4\n" },
	  "note",
	  "is not mounted",
	  "",
	  true },
	{ { "/proc/meminfo", "MemTotal: 9007199254740991 kB\n" },
	  "missing",
	  "a dump now may need",
	  "free room there",
	  false },
	{ { "/proc/meminfo", "nothing\n" }, "note", "free room unknown: Invalid", "", true },
	{ { "/proc/sys/kernel/panic_on_oops", "0\n" },
	  "note",
	  "an oops that does not",
	  "sysctl",
	  true },
};

static void test_faults(void **state)
{
	struct status *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		char root[] = "/tmp/crashpod-status-XXXXXX";

		make_tree(root);
		put(root, &faults[i].change);
		status_check(s, root, KVER);
		assert_int_equal(remove_tree(root), 0);
		has_line(s, faults[i].state, faults[i].text, faults[i].mend);
		assert_int_equal(status_ready(s), faults[i].ready);
	}
	status_free(s);
	free(s);
}

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

static void test_two_faults(void **state)
{
	char root[] = "/tmp/crashpod-status-XXXXXX";
	struct status *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	make_tree(root);
	put(root, &(struct file){ "/sys/kernel/kexec_crash_loaded", "0" });
	put(root, &(struct file){ "/proc/sys/kernel/kexec_load_disabled", "1" });
	put(root, &(struct file){ "/etc/crashpod.conf", "ext4 UUID=1234\ndump_level 0\n" });
	put(root,
	    &(struct file){ "/proc/meminfo",
			    "MemTotal: 9007199254740991 kB\nMemFree: 9007199254740000 kB\n" });
	status_check(s, root, KVER);
	assert_int_equal(remove_tree(root), 0);
	has_line(s, "note", "at level 0: it would be filtered more", "raise dump_level");
	has_line(s, "missing", "kexec_load_disabled is 1", "reboot");
	assert_false(status_ready(s));
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

/* Of two dumps the later one, by its name; the serial counts as well. */
static void test_last_dump(void **state)
{
	char root[] = "/tmp/crashpod-status-XXXXXX";
	struct status *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	make_tree(root);
	put(root, &(struct file){ "/var crash/var/crash/202611250504-1/dump.202611250504", "x" });
	put(root, &(struct file){ "/var crash/var/crash/202611250504/dump.202611250504", "x" });
	put(root, &(struct file){ "/var crash/var/crash/202610250504/dump.202610250504", "x" });
	put(root, &(struct file){ "/var crash/var/crash/other/dump.202710250504", "x" });
	status_check(s, root, KVER);
	assert_int_equal(remove_tree(root), 0);
	assert_string_equal(s->dump.path, "/var crash/var/crash/202611250504-1/dump.202611250504");
	assert_true(s->dump.complete);
	assert_in_range(s->dump.age_s, 0, 60);
	status_free(s);
	free(s);
}

/* A list that is full still shows that something is missing. */
static void test_full_list(void **state)
{
	struct status *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	for (unsigned i = 0; i < STATUS_ITEMS_MAX; i++)
		status_add(s, STATUS_OK, "x", NULL, "line %u", i);
	status_add(s, STATUS_NOTE, "x", NULL, "one too many");
	assert_true(status_ready(s));
	status_add(s, STATUS_MISSING, "x", NULL, "seen");
	assert_int_equal(s->n, STATUS_ITEMS_MAX);
	assert_false(status_ready(s));
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

static void test_tree(void **state)
{
	static const struct {
		const char *path, *device;
	} t[] = {
		{ "/dev/disk/by-label/my\\x20disk", "LABEL=my disk" },
		{ "/dev/disk/by-label/a\\x2fb", "LABEL=a/b" },
		{ "/dev/disk/by-partuuid/9-1", "PARTUUID=9-1" },
		{ "/dev/disk/by-partlabel/d", "PARTLABEL=d" },
		{ "/dev/sdz", "/dev/sdz" },
	};
	static const char *const kernels[] = {
		"/usr/lib/modules/" KVER "/vmlinuz",
		"/lib/modules/" KVER "/vmlinuz",
		"/boot/vmlinuz-" KVER,
	};
	char root[] = "/tmp/crashpod-status-XXXXXX", got[PATH_MAX];
	struct err e;

	(void)state;
	make_tree(root);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(tree_device(got, root, t[i].device), -ENOENT);
		put(root, &(struct file){ t[i].path, "" });
		assert_int_equal(tree_device(got, root, t[i].device), 0);
		assert_string_equal(got + strlen(root), t[i].path);
		/* udev's link, as it is, names the same */
		assert_int_equal(tree_device(got, root, t[i].path), 0);
		assert_string_equal(got + strlen(root), t[i].path);
	}
	assert_int_equal(tree_device(got, root, "FOO=1"), -EINVAL);
	put(root, &(struct file){ "/boot/vmlinuz-" KVER, NULL });
	assert_int_equal(tree_kernel(got, root, KVER, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "no kernel image of " KVER));
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		put(root, &(struct file){ kernels[i], "MZ" });
		assert_int_equal(tree_kernel(got, root, KVER, &e), 0);
		assert_string_equal(got + strlen(root), kernels[i]);
	}
	assert_int_equal(remove_tree(root), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),	  cmocka_unit_test(test_faults),
		cmocka_unit_test(test_raw),	  cmocka_unit_test(test_two_faults),
		cmocka_unit_test(test_full_list), cmocka_unit_test(test_room_needed),
		cmocka_unit_test(test_tree),	  cmocka_unit_test(test_watchdog),
		cmocka_unit_test(test_last_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
