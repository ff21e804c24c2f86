/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "md.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <linux/raid/md_u.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../dumper/base/clock.h"
#include "../dumper/base/guard.h"
#include "../dumper/base/io.h"

#define NODE_MS 3000
#define POLL_MS 20

int md_minor_version(const char *version)
{
	if (strncmp(version, "1.", 2) != 0 || version[2] < '0' || version[2] > '2' || version[3])
		return -EINVAL;
	return version[2] - '0';
}

static int put(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return io_write_all(fd, text, strlen(text));
}

bool md_runs(const char *name)
{
	_cleanup_free_ char *state = NULL;
	char path[256];
	size_t len;

	snprintf(path, sizeof(path), "/sys/block/%.100s/md/array_state", name);
	if (io_read_file(path, 64, &state, &len, NULL))
		return false;
	return strncmp(state, "clear", 5) != 0 && strncmp(state, "inactive", 8) != 0;
}

/* The node comes from devtmpfs. */
static int open_array(const char *name, int *fd, struct err *e)
{
	u64 end = clock_ms() + NODE_MS;
	char path[160];
	int rc;

	snprintf(path, sizeof(path), "/dev/%.100s", name);
	if (access(path, F_OK)) {
		rc = put("/sys/module/md_mod/parameters/new_array", name);
		if (rc)
			return err_sys(e, rc, "%s: the kernel does not make it", name);
	}
	while ((*fd = open(path, O_RDWR | O_CLOEXEC)) < 0 && errno == ENOENT && clock_ms() < end)
		clock_sleep_ms(POLL_MS);
	return *fd < 0 ? err_sys(e, -errno, "%s", path) : 0;
}

static bool is_double(const struct resolve_supers *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (m->found[n].sub[0] && strcmp(m->found[i].sub, m->found[n].sub) == 0)
			return true;
	return false;
}

static int add_members(int fd, const char *name, const struct resolve_supers *m, unsigned *used,
		       struct err *e)
{
	mdu_array_info_t info = { .major_version = 1 };
	int minor_version = m->n ? md_minor_version(m->found[0].version) : -ENODEV, code = ENODEV;

	*used = 0;
	if (minor_version < 0)
		return err_set(e, minor_version, "%s: a superblock of version %s", name,
			       m->n ? m->found[0].version : "none");
	info.minor_version = minor_version;
	if (ioctl(fd, SET_ARRAY_INFO, &info))
		return err_sys(e, -errno, "%s: set up", name);
	for (unsigned i = 0; i < m->n; i++) {
		mdu_disk_info_t disk = { .number = -1 };

		if (is_double(m, i))
			continue;
		disk.major = (int)major(m->found[i].dev);
		disk.minor = (int)minor(m->found[i].dev);
		if (ioctl(fd, ADD_NEW_DISK, &disk) == 0)
			++*used;
		else
			code = errno;
	}
	return *used ? 0 : err_sys(e, -code, "%s: no member was taken", name);
}

/* Not every level knows a resync, and not every kernel these files. */
static void keep_still(const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "/sys/block/%.100s/md/sync_action", name);
	put(path, "frozen");
}

int md_start(const char *name, const struct resolve_supers *members, unsigned *used, struct err *e)
{
	_cleanup_close_ int fd = -1;
	int rc = open_array(name, &fd, e);

	if (rc)
		return rc;
	put("/sys/module/md_mod/parameters/start_ro", "1");
	/* of a child that crashed, and of a first try without all members */
	ioctl(fd, STOP_ARRAY, NULL);
	rc = add_members(fd, name, members, used, e);
	if (!rc && ioctl(fd, RUN_ARRAY, NULL))
		rc = err_sys(e, -errno, "%s: start it with %u members", name, *used);
	if (rc) {
		ioctl(fd, STOP_ARRAY, NULL);
		return rc;
	}
	keep_still(name);
	return 0;
}
