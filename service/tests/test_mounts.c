/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mountinfo says, and where the dumps are to be looked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../init/tests/tempdir.h"
#include "../mounts.h"

#define PROC "21 1 0:5 / /proc rw - proc proc rw\n"

static const struct {
	const char *conf, *mountinfo, *dir, *note; /* note "": nothing to say */
} places[] = {
	{ "ext4 /dev/vda1", PROC "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n", "//var/crash", "" },
	{ "ext4 /dev/vda1\npath /", PROC "22 1 254:1 / /mnt/a\\040b rw - ext4 /dev/vda1 rw\n",
	  "/mnt/a b/", "" },
	{ "raw /dev/vdb\next4 /dev/vda1", "22 1 254:1 / /srv rw - ext4 /dev/vda1 rw\n",
	  "/srv/var/crash", "" },
	/* the first of several targets; the whole before a bind mount of a part */
	{ "ext4 /dev/vda1\next4 /dev/vda2",
	  "22 1 254:1 /sub /sub rw - ext4 /dev/vda1 rw\n"
	  "23 1 254:2 / /two rw - ext4 /dev/vda2 rw\n"
	  "24 1 254:1 / /one rw - ext4 /dev/vda1 rw\n"
	  "25 1 254:1 /x /later rw - ext4 /dev/vda1 rw\n",
	  "/one/var/crash", "" },
	{ "btrfs /dev/vda1", "22 1 0:33 /@ /home rw - btrfs /dev/vda1 rw,subvol=/@\n",
	  "/home/var/crash", "btrfs /dev/vda1 is mounted in part at " },
	/* of subvolumes the one that has the path, as crashpod setup writes it */
	{ "btrfs /dev/vda1\npath /@rootfs/var/crash",
	  "22 1 0:33 /@rootfs / rw - btrfs /dev/vda1 rw,subvol=/@rootfs\n"
	  "23 22 0:33 /@home /home rw - btrfs /dev/vda1 rw,subvol=/@home\n",
	  "//var/crash", "" },
	{ "btrfs /dev/vda1\npath /@/var/crash",
	  "22 1 0:33 /@home /home rw - btrfs /dev/vda1 rw,subvol=/@home\n"
	  "23 1 0:33 /@ /old rw - btrfs /dev/vda1 rw,subvol=/@\n"
	  "24 1 0:33 /@/var /var rw - btrfs /dev/vda1 rw,subvol=/@/var\n",
	  "/var/crash", "" },
	{ "btrfs /dev/vda1\npath /crash",
	  "22 1 0:33 /@ / rw - btrfs /dev/vda1 rw,subvol=/@\n"
	  "23 22 0:33 /crash /var/crash rw - btrfs /dev/vda1 rw,subvol=/crash\n",
	  "/var/crash", "" },
	{ "btrfs /dev/vda1\npath /@/crash",
	  "22 1 0:33 /@ /data rw - btrfs /dev/mapper/vg-root rw,subvol=/@\n", "/data/crash", "" },
	/* what only begins with the same letters is another one */
	{ "btrfs /dev/vda1\npath /@root/crash",
	  "22 1 0:33 /@ /x rw - btrfs /dev/vda1 rw,subvol=/@\n", "/x/@root/crash",
	  "btrfs /dev/vda1 is mounted in part at " },
	/* something else is mounted over it */
	{ "ext4 /dev/vda1",
	  "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
	  "23 22 254:2 / /var rw - ext4 /dev/vda2 rw\n",
	  "//var/crash", "/var/crash is on /dev/vda2, not on /dev/vda1: dumps are below" },
	{ "ext4 /dev/vda1", PROC, "/var/crash", "ext4 /dev/vda1 is not mounted: looking at /var" },
	{ "ext4 LABEL=gone", PROC, "/var/crash", "ext4 LABEL=gone is not mounted" },
	{ "raw /dev/vda1", PROC, "/var/crash", "" },
	{ "path /x", PROC, "/x", "" },
};

static void test_dump_dir(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char dir[PATH_MAX], link[PATH_MAX];
		struct err e = { 0 };
		struct tempdir t;
		struct conf c;

		tempdir_open(&t);
		tempdir_mkdir(&t, "proc/self");
		tempdir_mkdir(&t, "dev");
		tempdir_mkdir(&t, "var"); /* as mount points are */
		tempdir_mkdir(&t, "dev/mapper");
		snprintf(link, sizeof(link), "%s/dev/mapper/vg-root", t.path);
		assert_int_equal(symlink("../vda1", link), 0);
		tempdir_puts(&t, "dev/vda1", "");
		tempdir_puts(&t, "dev/vda2", "");
		tempdir_puts(&t, "proc/self/mountinfo", places[i].mountinfo);
		conf_defaults(&c);
		assert_int_equal(
			conf_parse(&c, places[i].conf, strlen(places[i].conf), "f", NULL, NULL), 0);
		assert_int_equal(mounts_dump_dir(dir, t.path, &c, &e), 0);
		assert_string_equal(dir + strlen(t.path), places[i].dir);
		if (places[i].note[0] ? !strstr(e.msg, places[i].note) : e.msg[0])
			fail_msg("%s: '%s'", places[i].conf, e.msg);
		tempdir_close(&t);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
