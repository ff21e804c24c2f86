/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_tree.h - for the tests of crashpod status: a tree in which all is well, to be changed. */
#ifndef CRASHPOD_TEST_STATUS_TREE_H
#define CRASHPOD_TEST_STATUS_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static inline int remove_tree(const char *root)
{
	const char *argv[] = { "rm", "-rf", "--", root, NULL };

	return run_wait(argv, NULL);
}

static inline void put(const char *root, const struct file *f)
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

static inline void make_tree(char *root)
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

static inline void has_line(const struct status *s, const char *state, const char *text,
			    const char *mend)
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

#endif
