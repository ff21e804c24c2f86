/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "base/guard.h"
#include "base/io.h"
#include "tree.h"

#define PROC_BYTES_MAX (4 << 20)

/* Dump level bits, as makedumpfile's -d */
#define LEVEL_CACHE 0x2
#define LEVEL_USER  0x8
#define LEVEL_FREE  0x10

static int proc_text(const char *root, const char *path, char **text)
{
	char full[PATH_MAX];
	size_t len;
	int rc = tree_path(full, root, "%s", path);

	return rc ? rc : io_read_file(full, PROC_BYTES_MAX, text, &len, NULL);
}

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
	int rc = proc_text(root, "/proc/meminfo", &text);

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

/* Mount points and sources in mountinfo have spaces and the like as \ooo. */
static void unescape(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*out++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/* 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw: the mount point and its source,
 * cut out of line. */
static bool mount_fields(char *line, char **dev, char **point, char **source)
{
	char *save = NULL, *field[5], *tail = strstr(line, " - ");

	if (!tail)
		return false;
	*tail = '\0';
	for (int i = 0; i < 5; i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return false;
	}
	save = NULL;
	if (!strtok_r(tail + 3, " ", &save))
		return false;
	*source = strtok_r(NULL, " ", &save);
	if (!*source)
		return false;
	*dev = field[2];
	*point = field[4];
	unescape(*point);
	unescape(*source);
	return true;
}

/* Where the device is mounted; by its number, or (btrfs has numbers of its own) by its name. */
static int mount_of(const char *root, const char *node, char point[static PATH_MAX])
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *real = realpath(node, NULL);
	char number[32] = "", *save = NULL;
	const char *name = real;
	struct stat st;
	int rc = proc_text(root, "/proc/self/mountinfo", &text);

	if (rc)
		return rc;
	if (!real)
		return -errno;
	if (!stat(node, &st) && S_ISBLK(st.st_mode))
		snprintf(number, sizeof(number), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	if (!strncmp(real, root, strlen(root)))
		name = real + strlen(root);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *dev, *at, *source;

		if (mount_fields(line, &dev, &at, &source) &&
		    (!strcmp(dev, number) || !strcmp(source, name)))
			return tree_path(point, root, "%s", at);
	}
	return -ENOENT;
}

int room_free(const char *root, const char *node, u64 *bytes)
{
	char point[PATH_MAX];
	struct statvfs vfs;
	int rc;

	rc = mount_of(root, node, point);
	if (rc)
		return rc;
	if (statvfs(point, &vfs))
		return -errno;
	/* PID 1 writes as root, which may use the reserved blocks too */
	*bytes = (u64)vfs.f_bfree * vfs.f_frsize;
	return 0;
}
