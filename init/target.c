/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target.c - finds, mounts and leaves the file system that takes the dump. */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../dumper/base/guard.h"
#include "../dumper/base/resolve.h"
#include "../dumper/base/clock.h"
#include "fskind.h"
#include "kmsg.h"
#include "layers.h"
#include "path.h"
#include "probe.h"
#include "rawtarget.h"
#include "room.h"
#include "steps.h"

#define WAIT_MS 30000
/* A disk may show up a moment after its driver, and is looked at twice. */
#define WAIT_LEAST_MS 2500
#define TELL_MS 1000
#define POLL_MS 100
/* Without news of devices, one that was not ready when it was probed is probed again. */
#define PROBE_AGAIN_MS 2000
/* All that naming.h takes: where others may write, a thousand are soon made. */
#define SERIAL_MAX 1000000
/* Since 5.10; a kernel before it passes over the bit. */
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#define TARGET_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW)
#define DIR_BYTES ((u64)16 << 10)

static const struct resolve_roots roots = { .sys = "/sys", .dev = "/dev" };

/* The time runs from the first look for any target on: what is not there 30 s after the modules
 * were loaded does not come later for a target that is further down the list. */
static int wait_for_device(struct init *in, const char *spec, struct layers_run *layers, char *out,
			   size_t cap, struct err *e)
{
	u64 start = clock_ms(), probed = 0, seen = 0;
	bool told = false;
	char names[64], why[160];

	for (;;) {
		u64 now = clock_ms(), sig = resolve_signature(&roots);
		struct err pe = { 0 };
		int rc = -ENOENT;

		if (!probed || sig != seen || now - probed >= PROBE_AGAIN_MS) {
			/* what cannot be had as it should be is not looked for below itself */
			if (layers_try(in, &roots, layers, now - in->devices_ms)) {
				if (spec[0] == '/' && layers_top(layers, out, cap))
					return 0;
				rc = probe_device(in, &roots, spec, out, cap, &pe);
			}
			seen = sig;
			probed = now;
		}
		if (rc != -ENOENT)
			return rc ? err_set(e, rc, "%s", pe.msg) : 0;
		if (now - in->devices_ms >= WAIT_MS && now - start >= WAIT_LEAST_MS)
			break;
		if (!told && now - start >= TELL_MS) {
			console_say(&in->con, "%s is not there yet, waiting", spec);
			told = true;
		}
		clock_sleep_ms(POLL_MS);
	}
	resolve_names(&roots, names, sizeof(names));
	layers_why(layers, why, sizeof(why));
	return err_set(e, -ENOENT, "%s did not appear within %d s%s; %s%s", spec, WAIT_MS / 1000,
		       why, *names ? "there are: " : "there is no disk at all", names);
}

/* An errno says little of a file system that cannot be mounted: what is on the device, and what the
 * kernel had to say. */
static int mount_failed(const struct conf_target *t, const char *device, int code, int log,
			struct err *e)
{
	char type[32] = "", holds[64] = "", said[120];

	switch (code) {
	case ENODEV:
		return err_set(e, -ENODEV,
			       "mount %s: this kernel has no %s: its module is not in the "
			       "ramdisk, or could not be loaded",
			       device, t->fstype);
	case EACCES:
		return err_set(e, -EROFS, "mount %s as %s: the device is read-only", device,
			       t->fstype);
	}
	if (resolve_fstype(device, type, sizeof(type)))
		snprintf(holds, sizeof(holds), "; no file system was found on it");
	else if (strcmp(type, t->fstype) != 0)
		snprintf(holds, sizeof(holds), "; it holds %s", type);
	kmsg_complaint(log, said, sizeof(said));
	return err_set(e, -code, "mount %s as %s: %s%s%s%s", device, t->fstype, err_text(code),
		       holds, *said ? "; " : "", said);
}

static int mount_as(const char *device, const char *fstype)
{
	return mount(device, INIT_TARGET_DIR, fstype, TARGET_FLAGS, fskind_of(fstype)->data);
}

static bool is_ext(const char *fstype)
{
	return strncmp(fstype, "ext", 3) == 0;
}

/* type: what it was mounted as. One driver serves ext2, ext3 and ext4, and refuses one by the name
 * of another: that costs no dump. */
static int mount_target(const struct conf_target *t, const char *device, char *type, size_t cap,
			struct err *e)
{
	_cleanup_close_ int log = kmsg_begin();
	int code;

	if (mkdir(INIT_TARGET_DIR, 0700) && errno != EEXIST)
		return err_sys(e, -errno, "mkdir " INIT_TARGET_DIR);
	/* what is there can only be from a child of this step that crashed */
	umount2(INIT_TARGET_DIR, MNT_DETACH);
	snprintf(type, cap, "%s", t->fstype);
	if (mount_as(device, type) == 0)
		return 0;
	code = errno;
	if (code == EINVAL && is_ext(t->fstype) && resolve_fstype(device, type, cap) == 0 &&
	    is_ext(type) && strcmp(type, t->fstype) != 0 && mount_as(device, type) == 0)
		return 0;
	return mount_failed(t, device, code, log, e);
}

int target_open_dir(const struct init *in, bool dump, int *fd, struct err *e)
{
	_cleanup_close_ int root = open(INIT_TARGET_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int path = -1;
	int rc;

	if (root < 0)
		return err_sys(e, -errno, INIT_TARGET_DIR);
	rc = path_open_dir(root, in->conf.path, false, &path, e);
	if (rc)
		return err_ctx(e, "%s", in->conf.path);
	if (!dump) {
		*fd = guard_take_fd(path);
		return 0;
	}
	rc = path_open_dir(path, in->sh->names.dir, false, fd, e);
	return rc ? rc : path_check_private(fd, in->sh->names.dir, e);
}

int target_new_dump_dir(int parent, enum conf_naming style, time_t stamp, struct naming *names,
			struct err *e)
{
	int rc = -EEXIST, fd = -1;

	for (unsigned serial = 0; rc == -EEXIST && serial < SERIAL_MAX; serial++) {
		naming_make(names, style, stamp, serial);
		rc = path_new_dir(parent, names->dir, &fd, e);
	}
	if (!rc)
		close(fd);
	return rc;
}

/* Runs below a fresh mount. */
static int make_dirs(struct init *in, const char *fstype, struct err *e)
{
	enum conf_naming style = fskind_of(fstype)->plain_names ? CONF_NAMING_DEBIAN
								: in->conf.naming;
	_cleanup_close_ int root = open(INIT_TARGET_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int path = -1;
	int rc;

	if (root < 0)
		return err_sys(e, -errno, INIT_TARGET_DIR);
	rc = path_open_dir(root, in->conf.path, true, &path, e);
	if (rc)
		return err_ctx(e, "%s", in->conf.path);
	if (in->sh->dir_made)
		return 0;
	keep_series(path, "", (u64)in->stamp, in->sh->series, sizeof(in->sh->series));
	rc = target_new_dump_dir(path, style, in->stamp, &in->sh->names, e);
	if (rc && room_for_log(in, path, rc, DIR_BYTES)) {
		memset(e, 0, sizeof(*e));
		rc = target_new_dump_dir(path, style, in->stamp, &in->sh->names, e);
	}
	if (rc)
		return err_ctx(e, "%s", in->conf.path);
	in->sh->dir_made = true;
	return 0;
}

int step_target_child(struct init *in, struct err *e)
{
	const struct conf_target *t = &in->conf.targets[in->target];
	struct init_shared *sh = in->sh;
	struct layers_run *layers;
	char type[16], other[32] = "";
	int rc;

	layers = layers_begin(in, t->device);
	rc = wait_for_device(in, t->device, layers, sh->device, sizeof(sh->device), e);
	layers_said(layers, sh->layers, sizeof(sh->layers));
	layers_end(layers);
	if (rc)
		return rc;
	if (t->kind == CONF_TARGET_RAW)
		return rawtarget_find(in, e);
	rc = mount_target(t, sh->device, type, sizeof(type), e);
	if (rc)
		return rc;
	if (fskind_of(type)->limit)
		console_say(&in->con, "%s", fskind_of(type)->limit);
	rc = make_dirs(in, type, e);
	if (rc)
		return rc;
	if (strcmp(type, t->fstype) != 0)
		snprintf(other, sizeof(other), " (%s, not %.4s)", type, t->fstype);
	snprintf(sh->said, sizeof(sh->said),
		 "target %.48s is %.20s%.18s, the dump goes to %.48s/%.32s", t->device, sh->device,
		 other, strcmp(in->conf.path, "/") ? in->conf.path : "", sh->names.dir);
	return 0;
}

int step_target(struct init *in, const struct step *s, struct err *e)
{
	int rc;

	in->sh->dir_made = false;
	in->sh->device[0] = '\0';
	in->sh->layers[0] = '\0';
	if (!in->devices_ms)
		in->devices_ms = clock_ms();
	rc = step_child(in, s, e);
	if (in->sh->layers[0])
		init_note(in, "%s", in->sh->layers);
	in->on_target = rc == 0 && in->sh->dir_made;
	return rc;
}

int step_release(struct init *in, const struct step *s, struct err *e)
{
	return rawtarget_is(in) ? STEP_SKIP : step_child(in, s, e);
}

int step_release_child(struct init *in, struct err *e)
{
	(void)in;
	/* EINVAL: it was never mounted */
	if (umount2(INIT_TARGET_DIR, 0) == 0 || errno == EINVAL || errno == ENOENT)
		return 0;
	/* a dump child that could not be ended holds it */
	if (errno == EBUSY && umount2(INIT_TARGET_DIR, MNT_DETACH) == 0)
		return err_set(e, -EBUSY, INIT_TARGET_DIR ": still in use, detached");
	return err_sys(e, -errno, "umount " INIT_TARGET_DIR);
}
