/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolve_super.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "guard.h"
#include "io.h"
#include "resolve_int.h"

struct sought {
	const struct resolve_roots *r;
	const char *type, *uuid;
	struct resolve_supers *out;
};

static void value(blkid_probe pr, const char *key, char *out, size_t cap)
{
	const char *text = NULL;

	if (blkid_probe_lookup_value(pr, key, &text, NULL) == 0)
		snprintf(out, cap, "%s", text);
}

/* "253:16" in the device's file dev. */
static dev_t number(const struct resolve_roots *r, const char *name)
{
	_cleanup_free_ char *text = NULL;
	char path[256], *end;
	unsigned long major_no;
	size_t len;

	if (snprintf(path, sizeof(path), "%s/class/block/%s/dev", r->sys, name) >=
		    (int)sizeof(path) ||
	    io_read_file(path, 64, &text, &len, NULL))
		return 0;
	major_no = strtoul(text, &end, 10);
	return *end == ':' ? makedev(major_no, strtoul(end + 1, NULL, 10)) : 0;
}

int resolve_super_read(const struct resolve_roots *r, const char *name, struct resolve_super *out)
{
	blkid_probe pr = resolve_open(r, name);

	memset(out, 0, sizeof(*out));
	if (!pr)
		return -ENODEV;
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->dev = number(r, name);
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_UUID | BLKID_SUBLKS_TYPE |
						      BLKID_SUBLKS_VERSION);
	if (blkid_do_safeprobe(pr) == 0) {
		value(pr, "TYPE", out->type, sizeof(out->type));
		value(pr, "UUID", out->uuid, sizeof(out->uuid));
		value(pr, "UUID_SUB", out->sub, sizeof(out->sub));
		value(pr, "VERSION", out->version, sizeof(out->version));
	}
	blkid_free_probe(pr);
	return 0;
}

static bool before(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);

	return na != nb ? na < nb : strcmp(a, b) < 0;
}

static void insert(struct resolve_supers *out, const struct resolve_super *s)
{
	unsigned at = out->n;

	if (out->n == ARRAY_SIZE(out->found)) {
		out->more++;
		return;
	}
	for (; at && before(s->name, out->found[at - 1].name); at--)
		out->found[at] = out->found[at - 1];
	out->found[at] = *s;
	out->n++;
}

static void look(void *arg, const char *name)
{
	struct sought *s = arg;
	struct resolve_super found;

	if (s->r->probe && !s->r->probe(s->r->arg, name))
		return;
	if (resolve_super_read(s->r, name, &found) == 0 && strcmp(found.type, s->type) == 0 &&
	    strcasecmp(found.uuid, s->uuid) == 0)
		insert(s->out, &found);
}

static void by_partuuid(struct sought *s)
{
	char spec[80], path[128];
	struct resolve_super found = { 0 };

	snprintf(spec, sizeof(spec), "PARTUUID=%.60s", s->uuid);
	if (resolve_device(s->r, spec, path, sizeof(path), NULL))
		return;
	snprintf(found.name, sizeof(found.name), "%.60s", path + strlen(s->r->dev) + 1);
	for (char *p = found.name; *p; p++)
		if (*p == '/')
			*p = '!';
	found.dev = number(s->r, found.name);
	insert(s->out, &found);
}

void resolve_supers(const struct resolve_roots *r, const char *type, const char *uuid,
		    struct resolve_supers *out)
{
	struct sought s = { r, type, uuid, out };

	out->n = out->more = 0;
	if (strcmp(type, "PARTUUID") == 0)
		by_partuuid(&s);
	else
		resolve_each(r, look, &s);
}

/* The disk's directory in sysfs is the one above the partition's. */
static int disk_of(const struct resolve_roots *r, const char *name, char *out, size_t cap)
{
	char path[256], target[512], *slash;
	ssize_t len;

	snprintf(path, sizeof(path), "%s/class/block/%s", r->sys, name);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	slash = strrchr(target, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	slash = strrchr(target, '/');
	snprintf(out, cap, "%.60s", slash ? slash + 1 : target);
	return 0;
}

int resolve_partuuid(const struct resolve_roots *r, const char *name, char *out, size_t cap)
{
	u64 number_here = resolve_number(r, name, "", "partition");
	blkid_partlist list;
	int rc = -ENOENT;
	blkid_probe pr;
	char disk[64];

	if (!number_here || disk_of(r, name, disk, sizeof(disk)))
		return -ENOENT;
	pr = resolve_open(r, disk);
	if (!pr)
		return -ENOENT;
	blkid_probe_enable_superblocks(pr, 0);
	blkid_probe_enable_partitions(pr, 1);
	list = blkid_probe_get_partitions(pr);
	for (int i = 0; list && i < blkid_partlist_numof_partitions(list); i++) {
		blkid_partition p = blkid_partlist_get_partition(list, i);
		const char *uuid = p ? blkid_partition_get_uuid(p) : NULL;

		if (!uuid || (u64)blkid_partition_get_partno(p) != number_here)
			continue;
		snprintf(out, cap, "%s", uuid);
		rc = 0;
	}
	blkid_free_probe(pr);
	return rc;
}
