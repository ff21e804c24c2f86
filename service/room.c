/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/guard.h"
#include "base/io.h"
#include "mounts.h"
#include "tree.h"

/* Dump level bits, as makedumpfile's -d */
#define LEVEL_CACHE 0x2
#define LEVEL_USER 0x8
#define LEVEL_FREE 0x10

/* A line "Name:   12345 kB"; 0 where it is not there. */
static u64 meminfo_bytes(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = text; p && *p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (!strncmp(p, name, len) && p[len] == ':')
			return strtoull(p + len + 1, NULL, 10) * 1024;
	}
	return 0;
}

static u64 less(u64 a, u64 b)
{
	return a > b ? a - b : 0;
}

int room_needed(const char *root, unsigned level, u64 *bytes)
{
	_cleanup_free_ char *text = NULL;
	int rc = tree_text(root, "/proc/meminfo", &text);

	if (rc)
		return rc;
	*bytes = meminfo_bytes(text, "MemTotal");
	if (!*bytes)
		return -EINVAL;
	if (level & LEVEL_FREE)
		*bytes = less(*bytes, meminfo_bytes(text, "MemFree"));
	if (level & LEVEL_CACHE)
		*bytes = less(*bytes,
			      meminfo_bytes(text, "Cached") + meminfo_bytes(text, "Buffers"));
	if (level & LEVEL_USER)
		*bytes = less(*bytes, meminfo_bytes(text, "AnonPages"));
	return 0;
}

int room_free(const char *root, const char *node, u64 *bytes)
{
	struct mounts_point point;
	struct statvfs vfs;
	int rc;

	rc = mounts_find(&point, root, node, "/");
	if (rc)
		return rc;
	if (point.read_only)
		return -EROFS;
	if (statvfs(point.path, &vfs))
		return -errno;
	/* PID 1 writes as root, which may use the reserved blocks too */
	*bytes = (u64)vfs.f_bfree * vfs.f_frsize;
	return 0;
}

/* Others take files of a TiB and more. */
u64 room_file_max(const char *fstype)
{
	return strcmp(fstype, "vfat") ? UINT64_MAX : IO_VFAT_MAX;
}
