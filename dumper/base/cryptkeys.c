/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cryptkeys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard.h"
#include "io.h"

#define SYS_DIR "/sys"

static bool is_there(const char *sys)
{
	char path[512];

	return snprintf(path, sizeof(path), "%s" CRYPTKEYS_DIR, sys) < (int)sizeof(path) &&
	       access(path, F_OK) == 0;
}

bool cryptkeys_offered(const char *sys)
{
	if (is_there(sys))
		return true;
	/* systemd mounts it where the kernel has it; others need not */
	return strcmp(sys, SYS_DIR) == 0 &&
	       mount("configfs", SYS_DIR CRYPTKEYS_CONFIGFS, "configfs",
		     MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 &&
	       is_there(sys);
}

int cryptkeys_join(void)
{
	/* a service of systemd has a session of its own, without the user's keyring */
	return syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING) < 0
		       ? -errno
		       : 0;
}

int cryptkeys_find(const char *desc)
{
	int rc = cryptkeys_join();

	if (rc)
		return rc;
	/* without a text for request-key nothing is asked in user space */
	return syscall(SYS_request_key, "logon", desc, NULL, 0) < 0 ? -errno : 0;
}

/* Without it the kernel would read what lies at 0. */
static bool was_given(void)
{
	_cleanup_free_ char *line = NULL;
	size_t len;

	return io_read_file("/proc/cmdline", 1 << 16, &line, &len, NULL) == 0 &&
	       (strncmp(line, "dmcryptkeys=", 12) == 0 || strstr(line, " dmcryptkeys="));
}

int cryptkeys_restore(struct err *e)
{
	static const char path[] = SYS_DIR CRYPTKEYS_DIR "/restore";
	_cleanup_close_ int fd = -1;
	int rc;

	if (!was_given())
		return err_set(e, -ENOKEY, "this kernel was loaded without the disk's key");
	if (!cryptkeys_offered(SYS_DIR))
		return err_set(e, -ENOSYS, "this kernel takes no keys (CONFIG_CRASH_DM_CRYPT)");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return err_sys(e, -errno, "%s", path);
	rc = cryptkeys_join();
	return rc ? err_sys(e, rc, "root's keyring") : 0;
}
