/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "refresh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/conf.h"
#include "base/guard.h"
#include "inputs.h"
#include "load.h"
#include "put.h"
#include "run.h"
#include "tree.h"

#define LOCK_FILE "/run/crashpod/lock"
#define LOCK_MINUTES 20u
#define LOCK_NAP_NS 100000000L
#define LOCK_NAPS (LOCK_MINUTES * 600u)

int refresh_lock(const char *root, struct err *e)
{
	const char *path = root[0] ? root : LOCK_FILE;
	int rc = root[0] ? 0 : put_parents(path, e), fd;

	if (rc)
		return rc;
	/* another root has no running system that would want one of its own */
	fd = root[0] ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
		     : open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, -errno, "%s", path);
	/* one that hangs is not to hang the package manager, too */
	for (unsigned naps = 0; flock(fd, LOCK_EX | LOCK_NB); naps++) {
		if ((errno == EWOULDBLOCK || errno == EINTR) && naps < LOCK_NAPS) {
			nanosleep(&(struct timespec){ .tv_nsec = LOCK_NAP_NS }, NULL);
			continue;
		}
		rc = errno == EWOULDBLOCK
			     ? err_set(e, -EBUSY,
				       "another crashpod refresh has been at work for %u "
				       "minutes (it holds %s)",
				       LOCK_MINUTES, path)
			     : err_sys(e, -errno, "%s", path);
		close(fd);
		return rc;
	}
	return fd;
}

/* What a crash of this kernel would be captured with, after a failure. */
static int tell_old(const char *root, const char *kver, struct err *e)
{
	char path[PATH_MAX], when[32];
	struct stat st;
	struct tm tm;

	if (tree_path(path, root, TREE_INITRD, kver) || stat(path, &st))
		return err_ctx(e,
			       "%s: its initramfs could not be made, and there is none: a crash "
			       "of it would not be captured",
			       kver);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M", gmtime_r(&st.st_mtime, &tm));
	return err_ctx(e, "%s: its initramfs could not be made, the one of %s stays", kver, when);
}

int refresh_kernel(const char *root, const char *kver, bool if_needed, struct err *e)
{
	struct inputs_call c;
	int rc = inputs_call(&c, root, kver, if_needed ? "--if-needed" : NULL, e);

	if (!rc)
		rc = run_wait(c.argv, e);
	inputs_call_free(&c);
	return rc ? tell_old(root, kver, e) : 0;
}

bool refresh_conf_changed(const char *root, char sum[static SHA256_TEXT])
{
	char path[PATH_MAX], now[SHA256_TEXT] = "";
	bool changed;

	/* one that cannot be read is one, too */
	if (!tree_path(path, root, "%s", CONF_FILE))
		sha256_file(now, path);
	changed = strcmp(now, sum) != 0;
	snprintf(sum, SHA256_TEXT, "%s", now);
	return changed;
}

bool refresh_is_there(const char *root, const char *kver)
{
	char path[PATH_MAX];
	struct stat st;

	return !tree_path(path, root, TREE_INITRD, kver) && !stat(path, &st) && st.st_size > 0;
}

int refresh_removed(const char *root, const char *kver, bool *gone, struct err *e)
{
	char image[PATH_MAX], text[PATH_MAX];
	struct stat st;
	int rc;

	*gone = false;
	rc = tree_path(image, root, TREE_INITRD, kver);
	if (!rc)
		rc = tree_path(text, root, INPUTS_FILE, kver);
	if (rc)
		return err_sys(e, rc, "%s", kver);
	*gone = !stat(image, &st);
	rc = put_remove(image, e);
	return rc ? rc : put_remove(text, e);
}

bool refresh_wants_reload(const char *root)
{
	struct loaded *l = calloc(1, sizeof(*l));
	bool wants = false, lost = load_was_lost(root);

	if (l && (lost || load_is_loaded(root)) && !loaded_read(l, root)) {
		/* what is gone cannot be loaded again: what is loaded stays */
		int kernel = loaded_changed(root, l->kernel, l->kernel_sum);
		int initrd = loaded_changed(root, l->initrd, l->initrd_sum);

		wants = kernel >= 0 && initrd >= 0 && (kernel || initrd || lost);
		loaded_free(l);
	}
	free(l);
	return wants;
}
