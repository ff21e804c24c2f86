/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cryptkeys.h"
#include "base/layers_crypt.h"
#include "held.h"
#include "keys.h"
#include "rawcheck.h"
#include "room.h"
#include "status.h"
#include "tree.h"

#define LEVEL_ALL 31

static long long mib(u64 bytes)
{
	return (long long)(bytes >> 20);
}

/* The level that PID 1 falls back to is the strictest: a dump that does not fit at that one is
 * cut; one that does not fit at the level asked for is filtered more. */
void status_room(struct status *s, const char *root, const struct conf *conf,
		 const struct conf_target *t, int rc, u64 free_bytes)
{
	bool raw = t->kind == CONF_TARGET_RAW;
	const char *fstype = raw ? "raw" : t->fstype;
	u64 max = raw ? UINT64_MAX : room_file_max(fstype), room = MIN(free_bytes, max);
	bool full = free_bytes <= max; /* else it is the file that ends */
	char have[60];
	u64 least, asked;

	snprintf(have, sizeof(have), full ? "%lld MiB free" : "files of at most %lld MiB",
		 mib(room));
	if (!rc)
		rc = room_needed(root, LEVEL_ALL, &least);
	if (!rc)
		rc = room_needed(root, conf->dump_level, &asked);
	if (rc)
		status_add(s, STATUS_NOTE, "room", "", "%s %s: free room unknown: %s", fstype,
			   t->device, strerror(-rc));
	else if (room < least)
		status_add(s, STATUS_MISSING, "room",
			   full ? "free room there, or name another target"
				: "name a target on another file system",
			   "%s %s has %s, a dump now may need %lld MiB", fstype, t->device, have,
			   mib(least));
	else if (room < asked)
		status_add(s, STATUS_NOTE, "room",
			   full ? "free room there, or raise dump_level"
				: "raise dump_level, or name a target on another file system",
			   "%s %s has %s, a dump now may need %lld MiB at level %u: it would be "
			   "filtered more",
			   fstype, t->device, have, mib(asked), conf->dump_level);
	else
		status_add(s, STATUS_OK, "room", NULL,
			   "%s %s has %s, a dump now needs at most %lld MiB", fstype, t->device,
			   have, mib(asked));
}

static void check_room(struct status *s, const char *root, const struct conf *conf,
		       const struct conf_target *t, const char *node)
{
	u64 room = 0;
	int rc = room_free(root, node, &room);

	if (rc == -ENOENT)
		status_add(s, STATUS_NOTE, "room", "mount it to have its free room looked at",
			   "%s %s is not mounted: free room unknown", t->fstype, t->device);
	else if (rc == -EROFS)
		status_add(s, STATUS_MISSING, "target", "fsck it, then mount it to be written to",
			   "%s %s is mounted read-only, as after an error in it", t->fstype,
			   t->device);
	else
		status_room(s, root, conf, t, rc, room);
}

/* The key of c: 0, or what keeps the capture kernel from having it. The kernel copies keys while it
 * loads, and only those that were named to it. */
static int key_handed(const char *root, const struct encrypted *c, struct err *e)
{
	char desc[LAYERS_CRYPT_DESC_CAP];
	int rc = keys_check(desc, root, c, cryptkeys_find, e);

	if (!rc && !keys_are_named(root, desc))
		rc = err_set(e, -EAGAIN, "the key of %s was not handed over", c->name);
	return rc;
}

static void check_keys(struct status *s, const char *root, const struct conf_target *t,
		       const char *node, enum status_state unusable)
{
	struct encrypted_list l;

	encrypted_below_node(&l, root, node);
	for (unsigned i = 0; i < l.n; i++) {
		struct err e = { 0 };
		int rc;

		if (status_is_blind(root))
			status_add(s, STATUS_NOTE, "key", "ask as root",
				   "%s: whether the key of %s is handed over cannot be told",
				   t->device, l.found[i].name);
		else if ((rc = key_handed(root, &l.found[i], &e)))
			status_add(s, unusable, "key",
				   rc == -ENOSYS || rc == -ENOTSUP
					   ? "name another target"
					   : "crashpod load, when it is there",
				   "%s: %s", t->device, e.msg);
		else
			status_add(s, STATUS_OK, "key", NULL,
				   "%s: the capture kernel has the key of %s", t->device,
				   l.found[i].name);
	}
}

static bool has_keys(const char *root, const char *node)
{
	struct encrypted_list l;

	encrypted_below_node(&l, root, node);
	for (unsigned i = 0; i < l.n && !status_is_blind(root); i++)
		if (key_handed(root, &l.found[i], NULL))
			return false;
	return true;
}

static bool is_usable(const char *root, const struct conf *conf, const struct conf_target *t)
{
	const char *mend;
	char node[PATH_MAX];
	struct raw_area a;
	int rc;

	rc = tree_device(node, root, t->device);
	if (rc || !has_keys(root, node))
		return false;
	if (t->kind == CONF_TARGET_FS)
		return !held_check(root, conf, t, node, &mend, NULL);
	rc = rawcheck_open(&a, root, t, NULL);
	raw_area_close(&a);
	/* who may not look cannot tell */
	return !rc || rc == -EACCES || rc == -EPERM;
}

static void check_slots(struct status *s, const struct conf_target *t, const struct raw_area *a)
{
	unsigned waiting = 0, damaged = 0;
	const char *mend = NULL;

	for (unsigned i = 0; i < RAW_SLOTS; i++) {
		waiting += raw_slot_waits(&a->slots[i]);
		damaged += !a->slots[i].valid;
	}
	if (waiting)
		mend = "crashpod raw collect";
	else if (damaged)
		mend = "crashpod raw format --force";
	status_add(s, mend ? STATUS_NOTE : STATUS_OK, "target", mend,
		   "raw %s: %u slots free, %u not collected, %u damaged", t->device,
		   RAW_SLOTS - waiting - damaged, waiting, damaged);
}

static void check_raw(struct status *s, const char *root, const struct conf *conf,
		      const struct conf_target *t, enum status_state unusable)
{
	struct err e = { 0 };
	struct raw_area a;
	int rc = rawcheck_open(&a, root, t, &e);

	if (rc == -EACCES || rc == -EPERM) {
		status_add(s, STATUS_NOTE, "target", "ask as root", "%s", e.msg);
	} else if (rc) {
		status_add(s, unusable, "target",
			   rc == -ENODEV || rc == -EINVAL ? "crashpod raw format DEVICE"
							  : "attach the device, or correct the "
							    "line in " CONF_FILE,
			   "%s", e.msg);
	} else {
		check_slots(s, t, &a);
		status_room(s, root, conf, t, 0, raw_slot_room(&a, 0));
		raw_area_close(&a);
	}
}

/* The kernel numbers disks as it finds them, and a capture kernel has fewer drivers. */
static void check_name(struct status *s, const struct conf_target *t)
{
	const char *name = t->device + strlen("/dev/");

	/* what LVM and arrays are called they are called there, too */
	if (!strncmp(t->device, "/dev/", 5) && !strchr(name, '/') && strncmp(name, "md", 2))
		status_add(s, STATUS_NOTE, "target", "name it UUID=... in " CONF_FILE,
			   "%s may be the name of another disk in the capture kernel", t->device);
}

/* enough: another target is usable, so that this one is not what is missing. */
static void check_target(struct status *s, const char *root, const struct conf *conf,
			 const struct conf_target *t, bool enough)
{
	enum status_state unusable = enough ? STATUS_NOTE : STATUS_MISSING;
	const char *mend = NULL;
	char node[PATH_MAX];
	struct err e = { 0 };
	int rc;

	rc = tree_device(node, root, t->device);
	if (!rc)
		check_keys(s, root, t, node, unusable);
	if (t->kind == CONF_TARGET_RAW) {
		check_raw(s, root, conf, t, unusable);
		return;
	}
	if (rc) {
		status_add(s, unusable, "target",
			   "attach the device, or correct the line in " CONF_FILE, "%s %s: %s",
			   t->fstype, t->device, rc == -ENOENT ? "no such device" : strerror(-rc));
		return;
	}
	if (held_check(root, conf, t, node, &mend, &e))
		status_add(s, unusable, "target", mend, "%s", e.msg);
	else
		status_add(s, STATUS_OK, "target", NULL, "%s %s is there", t->fstype, t->device);
	check_name(s, t);
	check_room(s, root, conf, t, node);
}

void status_targets(struct status *s, const char *root, const struct conf *conf)
{
	bool enough = false;

	if (conf->ntargets == 0) {
		status_add(s, STATUS_MISSING, "target", "add a line as 'ext4 UUID=...'",
			   "%s names no target", CONF_FILE);
		return;
	}
	for (unsigned i = 0; i < conf->ntargets; i++)
		enough |= is_usable(root, conf, &conf->targets[i]);
	for (unsigned i = 0; i < conf->ntargets; i++)
		check_target(s, root, conf, &conf->targets[i], enough);
}
