/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each case changes one file of a tree in which all is well, and names the line that must come. */
#include "status_tree.h"

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
	{ { "/var crash/var/crash/202611250504/dump.202611250504", "KDUMP   that was cut off" },
	  "note",
	  " ago, cut: ",
	  "crashpod show",
	  true },
	{ { "/var crash/var/crash/202611250504/crashpod.json",
	    "{\"program\":\"crashpod 1\",\"crash_time\":1}" },
	  "note",
	  "/var crash/var/crash/202611250504, ",
	  "crashpod show",
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
	{ { "/etc/crashpod.conf", "ext4 UUID=1234\ncore_collector makedumpfile -l -d 31\n" },
	  "note",
	  "there is no lzo",
	  "",
	  true },
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
	/* what PID 1 cannot mount, or not go to, takes no dump */
	{ { "/etc/crashpod.conf", "xfs UUID=1234\n" },
	  "missing",
	  "xfs UUID=1234: it holds ext4",
	  "correct the line",
	  false },
	{ { "/etc/crashpod.conf", "ext3 UUID=1234\n" }, "ok", "ext3 UUID=1234 is there", "", true },
	{ { "/etc/crashpod.conf", "xfs UUID=1234\next4 /dev/vda1\n" },
	  "note",
	  "xfs UUID=1234: it holds ext4",
	  "correct the line",
	  true },
	{ { "/var crash/var", "a file" },
	  "missing",
	  "ext4 UUID=1234: /var is no directory, or a link",
	  "the directory itself",
	  false },
	{ { "/proc/self/mountinfo", "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
				    "23 22 254:2 / /var rw - ext4 /dev/vda2 rw\n" },
	  "note",
	  "/var/crash is on /dev/vda2, not on UUID=1234: dumps are below that mount",
	  "",
	  true },
	/* one of two targets is enough */
	{ { "/etc/crashpod.conf", "ext4 UUID=5678\next4 UUID=1234\n" },
	  "note",
	  "ext4 UUID=5678: no such device",
	  "attach",
	  true },
	{ { "/etc/crashpod.conf", "ext4 /dev/vda1\n" }, "ok", "ext4 /dev/vda1 has", "", true },
	{ { "/etc/crashpod.conf", "ext4 /dev/vda1\n" },
	  "note",
	  "/dev/vda1 may be the name of another disk",
	  "UUID=",
	  true },
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

/* PID 1 does not follow a link on the way to the dumps. */
static void test_path_link(void **state)
{
	char root[] = "/tmp/crashpod-status-XXXXXX", link[PATH_MAX];
	struct status *s = calloc(1, sizeof(*s));

	(void)state;
	assert_non_null(s);
	make_tree(root);
	put(root, &(struct file){ "/var crash/var/x", "" });
	put(root, &(struct file){ "/var crash/data/x", "" });
	assert_int_equal(tree_path(link, root, "/var crash/var/crash"), 0);
	assert_int_equal(symlink("../data", link), 0);
	status_check(s, root, KVER);
	has_line(s, "missing", "/var/crash is no directory, or a link", "the directory itself");
	assert_false(status_ready(s));
	put(root, &(struct file){ "/etc/crashpod.conf", "ext4 UUID=1234\npath /data\n" });
	status_check(s, root, KVER);
	assert_int_equal(remove_tree(root), 0);
	has_line(s, "ok", "ext4 UUID=1234 is there", "");
	assert_true(status_ready(s));
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
		cmocka_unit_test(test_sound),	   cmocka_unit_test(test_faults),
		cmocka_unit_test(test_two_faults), cmocka_unit_test(test_path_link),
		cmocka_unit_test(test_full_list),  cmocka_unit_test(test_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
