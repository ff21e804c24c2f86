/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounts.c - the kernel's own file systems. None of these can block. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "steps.h"

static const struct {
	const char *type, *where;
	unsigned long flags;
} mounts[] = {
	{ "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC },
};

/* Whoever ran before PID 1 may have mounted it. Since 5.8 every mount of proc is one of its own,
 * and would hide what is there. */
static bool is_proc(const char *where)
{
	struct statfs fs;

	return statfs(where, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* With the kernel's default a panic of the capture kernel, PID 1's own death included, would leave
 * the machine standing for ever. A panic= of the command line stands. */
static void always_end(void)
{
	char now[8] = "";
	int fd = open("/proc/sys/kernel/panic", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, now, sizeof(now) - 1) > 0 && now[0] == '0' && pwrite(fd, "10\n", 3, 0) != 3) {
		/* nothing to do about it; the watchdog may still help */
	}
	close(fd);
}

/* Where free memory is in pieces of the wrong kind, the kernel keeps 2 MiB and more back until
 * kswapd has run: of a small reservation that is what the dump needs. */
static void keep_nothing_back(void)
{
	int fd = open("/proc/sys/vm/watermark_boost_factor", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "0\n", 2) != 2) {
		/* it may do all the same */
	}
	close(fd);
}

int step_mounts(struct init *in, const struct step *s, struct err *e)
{
	int rc = 0;

	(void)in;
	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		if (mkdir(mounts[i].where, 0755) && errno != EEXIST)
			rc = err_sys(e, -errno, "mkdir %s", mounts[i].where);
		if (is_proc(mounts[i].where))
			continue;
		/* EBUSY: it is mounted */
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, mounts[i].flags, NULL) &&
		    errno != EBUSY)
			rc = err_sys(e, -errno, "mount %s", mounts[i].where);
	}
	always_end();
	keep_nothing_back();
	return rc;
}
