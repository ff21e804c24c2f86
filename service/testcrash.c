/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "testcrash.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/io.h"
#include "tree.h"

#define TRIGGER "/proc/sysrq-trigger"

bool testcrash_loaded(const char *root)
{
	s64 loaded;

	return tree_number(root, "/sys/kernel/kexec_crash_loaded", &loaded) == 0 && loaded == 1;
}

int testcrash_crash(const char *root, struct err *e)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	struct marker m;
	int rc = tree_path(path, root, TRIGGER);

	if (rc)
		return err_sys(e, rc, TRIGGER);
	/* before anything is written: a kernel without it can be crashed in no such way */
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, -errno, TRIGGER);
	rc = marker_now(&m, root, e);
	if (!rc)
		rc = marker_write(&m, root, e);
	if (rc)
		return rc;
	/* without it the time and the kernel have to tell which dump it is */
	marker_log(&m, root);
	sync();
	rc = io_write_all(fd, "c", 1);
	return rc ? err_sys(e, rc, TRIGGER)
		  : err_set(e, -EIO, "the machine goes on: sysrq-c did not crash it");
}
