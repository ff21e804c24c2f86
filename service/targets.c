/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

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
static void check_room(struct status *s, const char *root, const struct conf *conf,
		       const struct conf_target *t, const char *node)
{
	u64 room, least, asked;
	int rc = room_free(root, node, &room);

	if (rc == -ENOENT) {
		status_add(s, STATUS_NOTE, "room", "mount it to have its free room looked at",
			   "%s %s is not mounted: free room unknown", t->fstype, t->device);
		return;
	}
	if (!rc)
		rc = room_needed(root, LEVEL_ALL, &least);
	if (!rc)
		rc = room_needed(root, conf->dump_level, &asked);
	if (rc)
		status_add(s, STATUS_NOTE, "room", "", "%s %s: free room unknown: %s", t->fstype,
			   t->device, strerror(-rc));
	else if (room < least)
		status_add(s, STATUS_MISSING, "room", "free room there, or name another target",
			   "%s %s has %lld MiB free, a dump now may need %lld MiB", t->fstype,
			   t->device, mib(room), mib(least));
	else if (room < asked)
		status_add(s, STATUS_NOTE, "room", "free room there, or raise dump_level",
			   "%s %s has %lld MiB free, a dump now may need %lld MiB at level %u: it "
			   "would be filtered more",
			   t->fstype, t->device, mib(room), mib(asked), conf->dump_level);
	else
		status_add(s, STATUS_OK, "room", NULL,
			   "%s %s has %lld MiB free, a dump now needs at most %lld MiB", t->fstype,
			   t->device, mib(room), mib(asked));
}

/* enough: another target is usable, so that this one is not what is missing. */
static void check_target(struct status *s, const char *root, const struct conf *conf,
			 const struct conf_target *t, bool enough)
{
	enum status_state unusable = enough ? STATUS_NOTE : STATUS_MISSING;
	char node[PATH_MAX];
	int rc;

	if (t->kind == CONF_TARGET_RAW) {
		status_add(s, unusable, "target", "name a file system as 'ext4 UUID=...'",
			   "raw %s: raw targets are not supported yet", t->device);
		return;
	}
	rc = tree_device(node, root, t->device);
	if (rc) {
		status_add(s, unusable, "target",
			   "attach the device, or correct the line in " CONF_FILE, "%s %s: %s",
			   t->fstype, t->device, rc == -ENOENT ? "no such device" : strerror(-rc));
		return;
	}
	status_add(s, STATUS_OK, "target", NULL, "%s %s is there", t->fstype, t->device);
	check_room(s, root, conf, t, node);
}

void status_targets(struct status *s, const char *root, const struct conf *conf)
{
	char node[PATH_MAX];
	bool enough = false;

	if (conf->ntargets == 0) {
		status_add(s, STATUS_MISSING, "target", "add a line as 'ext4 UUID=...'",
			   "%s names no target", CONF_FILE);
		return;
	}
	for (unsigned i = 0; i < conf->ntargets; i++)
		enough |= conf->targets[i].kind != CONF_TARGET_RAW &&
			  !tree_device(node, root, conf->targets[i].device);
	for (unsigned i = 0; i < conf->ntargets; i++)
		check_target(s, root, conf, &conf->targets[i], enough);
}
