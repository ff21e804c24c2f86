/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "layers_record.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dm.h"
#include "base/guard.h"
#include "base/io.h"
#include "base/lvmmeta.h"
#include "base/resolve_super.h"
#include "layers_target.h"

#define DEPTH_MAX 8
#define UUID_MPATH "mpath-"

static int node(struct layers_record *l, const char *name, unsigned *number, struct err *e);

void layers_record_init(struct layers_record *l, const char *sys, const char *dev)
{
	memset(l, 0, sizeof(*l));
	l->sys = sys;
	l->dev = dev;
}

void layers_record_deinit(struct layers_record *l)
{
	free(l->text);
	l->text = NULL;
}

__attribute__((format(printf, 2, 3))) static int put(struct layers_record *l, const char *fmt, ...)
{
	va_list ap;
	char *line, *grown;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&line, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	grown = realloc(l->text, l->len + (size_t)n + 1);
	if (grown) {
		memcpy(grown + l->len, line, (size_t)n + 1);
		l->text = grown;
		l->len += (size_t)n;
	}
	free(line);
	return grown ? 0 : -ENOMEM;
}

/* The first line of a file below the device's directory; false: there is none. */
static bool attribute(const struct layers_record *l, const char *name, const char *file, char *out,
		      size_t cap)
{
	_cleanup_free_ char *text = NULL;
	char path[512];
	size_t len;

	if (snprintf(path, sizeof(path), "%s/class/block/%s/%s", l->sys, name, file) >=
		    (int)sizeof(path) ||
	    io_read_file(path, 4096, &text, &len, NULL))
		return false;
	text[strcspn(text, "\n")] = '\0';
	return snprintf(out, cap, "%s", text) < (int)cap;
}

/* The names in a directory below the device's, in their order; how many there are. */
static unsigned names(const struct layers_record *l, const char *name, const char *sub,
		      char out[][64], unsigned max)
{
	char path[512];
	struct dirent *d;
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/class/block/%s/%s", l->sys, name, sub);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.' || strlen(d->d_name) >= 64 || n == max)
			continue;
		snprintf(out[n++], 64, "%.63s", d->d_name);
	}
	if (dir)
		closedir(dir);
	qsort(out, n, 64, (int (*)(const void *, const void *))strcmp);
	return n;
}

static bool is_mapped(const struct layers_record *l, const char *name, char *uuid, size_t cap)
{
	char dm[160];

	uuid[0] = '\0';
	if (!attribute(l, name, "dm/name", dm, sizeof(dm)))
		return false;
	attribute(l, name, "dm/uuid", uuid, cap);
	return true;
}

/* Paths to one disk, or a partition of it: in the capture kernel one of the paths stands for them
 * all. */
static bool is_paths(const char *uuid)
{
	const char *p = uuid;

	if (strncmp(p, "part", 4) == 0) {
		p += 4 + strspn(p + 4, "0123456789");
		p += *p == '-';
	}
	return strncmp(p, UUID_MPATH, strlen(UUID_MPATH)) == 0;
}

static int add(struct layers_record *l, const char *name, unsigned *number, struct err *e)
{
	if (l->n == LAYERS_MAX)
		return err_set(e, -E2BIG, "%s: more than %d devices lie below it", name,
			       LAYERS_MAX);
	*number = l->n;
	snprintf(l->done[l->n++], sizeof(l->done[0]), "%s", name);
	return 0;
}

/* A device that others are built on: by what is on it, as names change from kernel to kernel. */
static int leaf(struct layers_record *l, const char *name, unsigned *number, struct err *e)
{
	const struct resolve_roots roots = { .sys = l->sys, .dev = l->dev };
	struct resolve_super s;
	char partuuid[64] = "";
	int rc = resolve_super_read(&roots, name, &s);

	if (rc)
		return err_sys(e, rc, "%s: it cannot be read", name);
	if (!s.uuid[0])
		resolve_partuuid(&roots, name, partuuid, sizeof(partuuid));
	if (!s.uuid[0] && !partuuid[0])
		return err_set(e, -ENOTSUP,
			       "%s: nothing on it tells it from other disks, and names of devices "
			       "change from kernel to kernel",
			       name);
	rc = add(l, name, number, e);
	if (rc)
		return rc;
	rc = s.uuid[0] ? put(l, "leaf %s %s\n", s.type, s.uuid)
		       : put(l, "leaf PARTUUID %s\n", partuuid);
	return rc ? err_sys(e, rc, "%s", name) : 0;
}

/* The members are found by their superblocks, but what they are built on is needed before. */
static int array_members(struct layers_record *l, const char *name, struct resolve_super *first,
			 unsigned *count, struct err *e)
{
	const struct resolve_roots roots = { .sys = l->sys, .dev = l->dev };
	char slaves[64][64];
	unsigned n = names(l, name, "slaves", slaves, 64), below;

	*count = 0;
	first->type[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		char uuid[160], part[16];
		struct resolve_super s;
		int rc = 0;

		if (resolve_super_read(&roots, slaves[i], &s) ||
		    strcmp(s.type, "linux_raid_member") != 0)
			continue;
		if (!*count)
			*first = s;
		++*count;
		if ((is_mapped(l, slaves[i], uuid, sizeof(uuid)) && !is_paths(uuid)) ||
		    attribute(l, slaves[i], "md/level", part, sizeof(part)))
			rc = node(l, slaves[i], &below, e);
		if (rc)
			return rc;
	}
	return 0;
}

static int array(struct layers_record *l, const char *name, const char *level, unsigned *number,
		 struct err *e)
{
	struct resolve_super first;
	char version[32] = "";
	unsigned count;
	int rc = array_members(l, name, &first, &count, e);

	if (rc)
		return rc;
	attribute(l, name, "md/metadata_version", version, sizeof(version));
	if (strncmp(version, "1.", 2) != 0 || !count)
		return err_set(e, -ENOTSUP,
			       "%s: an array with metadata '%s': only 1.0, 1.1 and 1.2 can be "
			       "started without mdadm; " LAYERS_INSTEAD,
			       name, version);
	rc = add(l, name, number, e);
	if (rc)
		return rc;
	rc = put(l, "md %s %s %s %u\n", name, first.uuid, level, count);
	return rc ? err_sys(e, rc, "%s", name) : 0;
}

/* The name in sysfs of a device that a table has as "254:3". */
static bool by_number(const struct layers_record *l, const char *word, size_t n, char *out,
		      size_t cap)
{
	char path[512], target[512], *base;
	size_t digits = strspn(word, "0123456789");
	ssize_t len;

	if (!digits || n > 20 || word[digits] != ':' ||
	    digits + 1 + strspn(word + digits + 1, "0123456789") != n || n == digits + 1)
		return false;
	snprintf(path, sizeof(path), "%s/dev/block/%.*s", l->sys, (int)n, word);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	base = strrchr(target, '/');
	return snprintf(out, cap, "%s", base ? base + 1 : target) < (int)cap;
}

/* One pass over a line's words: records the devices, or writes the line with their numbers. */
static int map_line(struct layers_record *l, const struct dm_line *m, bool write, struct err *e)
{
	int rc = write ? put(l, "map %llu %llu %s", (unsigned long long)m->start,
			     (unsigned long long)m->length, m->type)
		       : 0;

	for (const char *p = m->args; !rc && *(p += strspn(p, " "));) {
		size_t n = strcspn(p, " ");
		unsigned number = 0;
		char name[64];

		if (by_number(l, p, n, name, sizeof(name))) {
			rc = node(l, name, &number, e);
			if (!rc && write)
				rc = put(l, " @%u", number);
		} else if (write) {
			rc = put(l, " %.*s", (int)n, p);
		}
		p += n;
	}
	if (!rc && write)
		rc = put(l, "\n");
	return rc;
}

static int each_line(struct layers_record *l, const char *dm, const char *uuid,
		     const struct dm_table *t, bool write, struct err *e)
{
	char args[LAYERS_TARGET_ARGS];
	struct dm_line m;
	size_t off = 0;

	for (unsigned i = 0; i < t->n; i++) {
		int rc = dm_table_next(t, &off, &m);

		if (rc != 1)
			return err_set(e, -EINVAL, "%s: its table cannot be read", dm);
		/* before anything of it is copied */
		rc = layers_target_take(&m, l->sys, dm, uuid, args, e);
		if (rc)
			return rc;
		rc = map_line(l, &m, write, e);
		if (rc)
			return rc == -ENOMEM ? err_sys(e, rc, "%s", dm) : rc;
	}
	return 0;
}

/* What PID 1 is to find in the volume group's metadata too: those below are recorded by now. */
static int check(struct layers_record *l, const char *dm, const char *uuid, struct err *e)
{
	char path[160], digest[LVMMETA_CHECK_BYTES];
	int rc = -ENODATA;

	if (!lvmmeta_is_lvm(uuid))
		return 0;
	for (unsigned i = 0; rc && i < l->n; i++) {
		snprintf(path, sizeof(path), "%.60s/%s", l->dev, l->done[i]);
		rc = lvmmeta_check(path, uuid, digest, NULL);
	}
	if (rc)
		return err_sys(e, rc, "%s: none of the disks below tells of it as LVM does", dm);
	rc = put(l, "lvm %s\n", digest);
	return rc ? err_sys(e, rc, "%s", dm) : 0;
}

static int mapped(struct layers_record *l, const char *name, const char *uuid, unsigned *number,
		  struct err *e)
{
	_cleanup_close_ int fd = -1;
	struct dm_table t = { 0 };
	char dm[160];
	int rc;

	if (!attribute(l, name, "dm/name", dm, sizeof(dm)))
		return err_set(e, -ENOENT, "%s: it is gone", name);
	rc = dm_open(l->dev, &fd, e);
	if (!rc)
		rc = dm_read_table(fd, dm, &t, e);
	if (!rc && !t.n)
		rc = err_set(e, -ENOTSUP, "%s: it has no table", dm);
	if (!rc)
		rc = each_line(l, dm, uuid, &t, false, e);
	if (!rc)
		rc = add(l, name, number, e);
	if (!rc)
		rc = put(l, "dm %s %s\n", dm, *uuid ? uuid : "-");
	if (!rc)
		rc = check(l, dm, uuid, e);
	if (!rc)
		rc = each_line(l, dm, uuid, &t, true, e);
	dm_table_deinit(&t);
	return rc;
}

/* *number: of the device, recorded now or before. */
static int node(struct layers_record *l, const char *name, unsigned *number, struct err *e)
{
	char uuid[160], level[32] = "";
	int rc;

	for (*number = 0; *number < l->n; ++*number)
		if (strcmp(l->done[*number], name) == 0)
			return 0;
	if (l->depth == DEPTH_MAX)
		return err_set(e, -ELOOP, "%s: too many layers", name);
	l->depth++;
	if (is_mapped(l, name, uuid, sizeof(uuid)) && !is_paths(uuid))
		rc = mapped(l, name, uuid, number, e);
	else if (attribute(l, name, "md/level", level, sizeof(level)) && *level)
		rc = array(l, name, level, number, e);
	else
		rc = leaf(l, name, number, e);
	l->depth--;
	return rc;
}

/* A partition of an array is found as soon as the array is there. */
static bool array_of_partition(const struct layers_record *l, const char *name, char *out,
			       size_t cap)
{
	char path[512], target[1024], level[32], *base;
	ssize_t len;

	if (!attribute(l, name, "partition", level, sizeof(level)))
		return false;
	snprintf(path, sizeof(path), "%s/class/block/%s", l->sys, name);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	base = strrchr(target, '/');
	if (!base)
		return false;
	*base = '\0';
	base = strrchr(target, '/');
	return snprintf(out, cap, "%s", base ? base + 1 : target) < (int)cap &&
	       attribute(l, out, "md/level", level, sizeof(level));
}

int layers_record(struct layers_record *l, const char *name, struct err *e)
{
	char uuid[160], level[32] = "", whole[64];
	unsigned number;

	if (is_mapped(l, name, uuid, sizeof(uuid)))
		return is_paths(uuid) ? 0 : node(l, name, &number, e);
	if (attribute(l, name, "md/level", level, sizeof(level)) && *level)
		return node(l, name, &number, e);
	if (array_of_partition(l, name, whole, sizeof(whole)))
		return node(l, whole, &number, e);
	return 0;
}
