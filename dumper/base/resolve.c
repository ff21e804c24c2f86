/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolve.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_device.h"
#include "guard.h"
#include "io.h"
#include "resolve_int.h"

#define ITEM(fstype) fstype,
#define NAME_MAX_BYTES 64 /* of a block device; the kernel's limit is 32 */

/* No targets, and a prober that waits for a floppy's motor waits long. */
static const char *const skipped[] = { "fd", "sr", "ram", "zram", "loop", "nbd" };

struct search {
	const struct resolve_roots *r;
	const struct conf_tag *tag;
	const char *value;
	char best[NAME_MAX_BYTES]; /* sysfs name of what was found; empty: nothing */
};

static bool equal(const struct conf_tag *t, const char *a, const char *b)
{
	return a && (t->label ? strcmp(a, b) == 0 : strcasecmp(a, b) == 0);
}

/* Shorter names first: sda before sdaa, as the kernel counts. */
static void candidate(struct search *s, const char *name)
{
	size_t a = strlen(name), b = strlen(s->best);

	if (a >= sizeof(s->best))
		return;
	if (!b || a < b || (a == b && strcmp(name, s->best) < 0))
		snprintf(s->best, sizeof(s->best), "%s", name);
}

u64 resolve_number(const struct resolve_roots *r, const char *dev, const char *sub,
		   const char *file)
{
	_cleanup_free_ char *text = NULL;
	char path[512];
	size_t len;

	if (snprintf(path, sizeof(path), "%s/class/block/%s%s%s/%s", r->sys, dev, *sub ? "/" : "",
		     sub, file) >= (int)sizeof(path))
		return 0;
	if (io_read_file(path, 64, &text, &len, NULL))
		return 0;
	return strtoull(text, NULL, 10);
}

/* The node of a sysfs name, in which '/' is written '!'. */
static int node_path(const struct resolve_roots *r, const char *name, char *out, size_t cap)
{
	int n = snprintf(out, cap, "%s/%s", r->dev, name);

	if (n < 0 || (size_t)n >= cap)
		return -ENAMETOOLONG;
	for (char *p = out + strlen(r->dev); *p; p++)
		if (*p == '!')
			*p = '/';
	return 0;
}

blkid_probe resolve_open(const struct resolve_roots *r, const char *name)
{
	char path[256];

	if (node_path(r, name, path, sizeof(path)))
		return NULL;
	return blkid_new_probe_from_filename(path);
}

static bool is_member(const char *type)
{
	static const char *const members[] = { RESOLVE_MEMBERS(ITEM) };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (strcmp(type, members[i]) == 0)
			return true;
	return false;
}

static void probe_filesystem(struct search *s, const char *name)
{
	/* A member of an array may show the file system that is on the array. */
	const char *types[] = { CONF_FSTYPES(ITEM) RESOLVE_MEMBERS(ITEM) NULL };
	blkid_probe pr = resolve_open(s->r, name);
	const char *value = NULL, *type = NULL;

	if (!pr)
		return;
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_UUID | BLKID_SUBLKS_LABEL |
						      BLKID_SUBLKS_TYPE);
	blkid_probe_filter_superblocks_type(pr, BLKID_FLTR_ONLYIN, (char **)types);
	/* -2: signs of several file systems; such a device is not touched */
	if (blkid_do_safeprobe(pr) == 0 && blkid_probe_lookup_value(pr, "TYPE", &type, NULL) == 0 &&
	    !is_member(type) && blkid_probe_lookup_value(pr, s->tag->key, &value, NULL) == 0 &&
	    equal(s->tag, value, s->value))
		candidate(s, name);
	blkid_free_probe(pr);
}

/* The partition of this number, as the kernel knows it. */
static void find_partition(struct search *s, const char *disk, int partno)
{
	char path[512];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/class/block/%s", s->r->sys, disk);
	dir = opendir(path);
	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.' &&
		    resolve_number(s->r, disk, d->d_name, "partition") == (u64)partno)
			candidate(s, d->d_name);
	if (dir)
		closedir(dir);
}

static void probe_partitions(struct search *s, const char *name)
{
	blkid_partlist list;
	blkid_probe pr;

	if (resolve_number(s->r, name, "", "partition"))
		return;
	pr = resolve_open(s->r, name);
	if (!pr)
		return;
	blkid_probe_enable_superblocks(pr, 0);
	blkid_probe_enable_partitions(pr, 1);
	list = blkid_probe_get_partitions(pr);
	for (int i = 0; list && i < blkid_partlist_numof_partitions(list); i++) {
		blkid_partition p = blkid_partlist_get_partition(list, i);
		const char *value;

		if (!p)
			continue;
		value = s->tag->label ? blkid_partition_get_name(p) : blkid_partition_get_uuid(p);
		if (equal(s->tag, value, s->value))
			find_partition(s, name, blkid_partition_get_partno(p));
	}
	blkid_free_probe(pr);
}

static bool is_skipped(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(skipped); i++) {
		size_t n = strlen(skipped[i]);

		if (strncmp(name, skipped[i], n) == 0 && name[n] >= '0' && name[n] <= '9')
			return true;
	}
	return name[0] == '.';
}

void resolve_each(const struct resolve_roots *r, void (*fn)(void *arg, const char *name), void *arg)
{
	char path[256];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/class/block", r->sys);
	dir = opendir(path);
	while (dir && (d = readdir(dir)))
		if (!is_skipped(d->d_name) && resolve_number(r, d->d_name, "", "size"))
			fn(arg, d->d_name);
	if (dir)
		closedir(dir);
}

/* What something else is built on is not the device that is meant: it has the same file system on
 * it where an array keeps its superblock at the end, or a mapping begins at its first sector. */
static bool is_held(const struct resolve_roots *r, const char *name)
{
	char path[512];
	struct dirent *d;
	bool held = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/class/block/%s/holders", r->sys, name);
	dir = opendir(path);
	while (dir && !held && (d = readdir(dir)))
		held = d->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return held;
}

static void search_one(void *arg, const char *name)
{
	struct search *s = arg;

	if (s->tag->key && is_held(s->r, name))
		return;
	if (s->r->probe && !s->r->probe(s->r->arg, name))
		return;
	if (s->tag->key)
		probe_filesystem(s, name);
	else
		probe_partitions(s, name);
}

static int plain_device(const struct resolve_roots *r, const char *spec, char *out, size_t cap,
			struct err *e)
{
	struct stat st;
	int n = snprintf(out, cap, "%s%s", r->dev, spec + strlen("/dev"));

	if (n < 0 || (size_t)n >= cap)
		return err_set(e, -ENAMETOOLONG, "%s: the name is too long", spec);
	if (stat(out, &st))
		return err_sys(e, -errno, "%s", spec);
	return 0;
}

int resolve_device(const struct resolve_roots *r, const char *spec, char *out, size_t cap,
		   struct err *e)
{
	struct search s = { .r = r };
	struct conf_device d;
	int rc = conf_device_read(&d, spec, e);

	if (rc)
		return rc;
	if (!d.tag)
		return plain_device(r, spec, out, cap, e);
	s.tag = d.tag;
	s.value = d.value;
	resolve_each(r, search_one, &s);
	if (!s.best[0])
		return err_set(e, -ENOENT, "no device is %s", spec);
	if (node_path(r, s.best, out, cap))
		return err_set(e, -ENAMETOOLONG, "%s: the name is too long", s.best);
	return 0;
}

int resolve_fstype(const char *device, char *out, size_t cap)
{
	blkid_probe pr = blkid_new_probe_from_filename(device);
	const char *type = NULL;
	int rc = -ENOENT;

	if (!pr)
		return rc;
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE);
	if (blkid_do_safeprobe(pr) == 0 && blkid_probe_lookup_value(pr, "TYPE", &type, NULL) == 0) {
		snprintf(out, cap, "%s", type);
		rc = 0;
	}
	blkid_free_probe(pr);
	return rc;
}

struct listing {
	char *out;
	size_t cap, len;
};

static void list(void *arg, const char *name)
{
	static const char more[] = " ...";
	struct listing *l = arg;
	size_t n = strlen(name) + 1, room = l->cap - l->len;

	/* room for the mark is kept, for the next one */
	if (n + sizeof(more) <= room)
		l->len += (size_t)snprintf(l->out + l->len, room, "%s%s", l->len ? " " : "", name);
	else if (l->len && room >= sizeof(more))
		l->len += (size_t)snprintf(l->out + l->len, room, "%s", more);
}

void resolve_names(const struct resolve_roots *r, char *out, size_t cap)
{
	struct listing l = { .out = out, .cap = cap };

	*out = '\0';
	resolve_each(r, list, &l);
}

struct signing {
	const struct resolve_roots *r;
	u64 sum;
};

static void sign(void *arg, const char *name)
{
	struct signing *sg = arg;
	u64 h = 14695981039346656037ull; /* FNV-1a */

	for (const char *p = name; *p; p++)
		h = (h ^ (u8)*p) * 1099511628211ull;
	/* a sum, as readdir() has no order */
	sg->sum += h ^ resolve_number(sg->r, name, "", "size");
}

u64 resolve_signature(const struct resolve_roots *r)
{
	struct signing sg = { .r = r };

	resolve_each(r, sign, &sg);
	return sg.sum;
}
