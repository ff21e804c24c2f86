/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "layers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../dumper/base/cryptkeys.h"
#include "../dumper/base/dm.h"
#include "../dumper/base/guard.h"
#include "../dumper/base/io.h"
#include "../dumper/base/layers.h"
#include "../dumper/base/layers_crypt.h"
#include "../dumper/base/lvmmeta.h"
#include "md.h"
#include "probe.h"

/* An array waits that long for its last member, and for any that it needs as long as the target. */
#define MEMBER_WAIT_MS 10000
#define ARGS_MAX 4096

struct built {
	bool up;
	dev_t dev;
	unsigned used;
	char why[160];
};

struct layers_run {
	struct layers table;
	struct built built[LAYERS_MAX];
	struct sought *sought; /* shared with the child that looks */
	char *text;
};

struct sought {
	char type[128], uuid[130];
	struct resolve_supers found;
};

struct layers_run *layers_begin(struct init *in, const char *spec)
{
	struct layers_run *l = calloc(1, sizeof(*l));
	struct err e = { 0 };
	size_t len = 0;
	int rc = l ? 0 : err_sys(&e, -ENOMEM, "the table");

	if (!rc)
		rc = io_read_file(LAYERS_FILE, LAYERS_BYTES_MAX, &l->text, &len, &e);
	if (!rc)
		rc = layers_parse(&l->table, l->text, len, spec, &e);
	if (!rc) {
		l->sought = mmap(NULL, sizeof(*l->sought), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (l->sought != MAP_FAILED)
			return l;
		rc = err_sys(&e, -errno, "the table");
		l->sought = NULL;
	}
	if (rc != -ENOENT)
		console_say(&in->con, "layers: %s: %s", LAYERS_FILE, e.msg);
	layers_end(l);
	return NULL;
}

void layers_end(struct layers_run *l)
{
	if (!l)
		return;
	if (l->sought)
		munmap(l->sought, sizeof(*l->sought));
	layers_deinit(&l->table);
	free(l->text);
	free(l);
}

static int look(const struct resolve_roots *r, void *arg, struct err *e)
{
	struct sought *s = arg;

	(void)e;
	resolve_supers(r, s->type, s->uuid, &s->found);
	return 0;
}

/* The devices with a superblock, in l->sought->found. */
static int find(struct init *in, const struct resolve_roots *r, struct layers_run *l,
		const char *type, const char *uuid, struct err *e)
{
	struct sought *s = l->sought;
	int rc;

	memset(s, 0, sizeof(*s));
	snprintf(s->type, sizeof(s->type), "%s", type);
	snprintf(s->uuid, sizeof(s->uuid), "%s", uuid);
	rc = probe_run(in, r, uuid, look, s, e);
	/* the child that wrote this may have crashed */
	s->found.n = MIN(s->found.n, (unsigned)ARRAY_SIZE(s->found.found));
	for (unsigned i = 0; i < s->found.n; i++) {
		struct resolve_super *f = &s->found.found[i];

		f->name[sizeof(f->name) - 1] = '\0';
		f->sub[sizeof(f->sub) - 1] = '\0';
		f->version[sizeof(f->version) - 1] = '\0';
	}
	return rc;
}

static int find_leaf(struct init *in, const struct resolve_roots *r, struct layers_run *l,
		     const struct layer *node, struct built *b, struct err *e)
{
	int rc = find(in, r, l, node->name, node->uuid, e);

	if (rc)
		return rc;
	if (!l->sought->found.n)
		return err_set(e, -ENOENT, "no device is %s %s", node->name, node->uuid);
	/* of several paths the first that answers */
	b->dev = l->sought->found.found[0].dev;
	return 0;
}

static int array_dev(const struct resolve_roots *r, const char *name, dev_t *dev, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	unsigned ma, mi;
	char path[160];
	size_t len;
	int rc;

	snprintf(path, sizeof(path), "%.40s/block/%.100s/dev", r->sys, name);
	rc = io_read_file(path, 64, &text, &len, e);
	if (rc)
		return rc;
	if (sscanf(text, "%u:%u", &ma, &mi) != 2)
		return err_set(e, -EINVAL, "%s", path);
	*dev = makedev(ma, mi);
	return 0;
}

static int start_array(struct init *in, const struct resolve_roots *r, struct layers_run *l,
		       const struct layer *node, struct built *b, u64 waited_ms, struct err *e)
{
	int rc = 0;

	if (!md_runs(node->name)) {
		rc = find(in, r, l, "linux_raid_member", node->uuid, e);
		if (rc)
			return rc;
		if (!l->sought->found.n)
			return err_set(e, -ENOENT, "%s: no member is there", node->name);
		if (l->sought->found.n < node->members && waited_ms < MEMBER_WAIT_MS)
			return err_set(e, -EAGAIN, "%s: %u of %u members are there", node->name,
				       l->sought->found.n, node->members);
		rc = md_start(node->name, &l->sought->found, &b->used, e);
	}
	return rc ? rc : array_dev(r, node->name, &b->dev, e);
}

static int write_dev(void *arg, unsigned n, char *out, size_t cap)
{
	const struct layers_run *l = arg;
	int len;

	if (n >= l->table.n || !l->built[n].up)
		return -ENODEV;
	len = snprintf(out, cap, "%u:%u", major(l->built[n].dev), minor(l->built[n].dev));
	return len < 0 || (size_t)len >= cap ? -ENAMETOOLONG : 0;
}

/* What is below it and is not there is the reason that is worth telling. */
static bool has_all(const struct layers_run *l, const struct layer *node)
{
	for (unsigned i = 0; i < node->nmaps; i++) {
		const struct layer_map *m = &l->table.maps[node->map + i];
		size_t off = 0;
		int ref;

		while ((ref = layers_next_ref(m, &off)) >= 0)
			if ((unsigned)ref >= l->table.n || !l->built[ref].up)
				return false;
	}
	return true;
}

static int node_of(dev_t dev, char *out, size_t cap)
{
	char path[64], target[256], *slash;
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	slash = strrchr(target, '/');
	snprintf(out, cap, "/dev/%.60s", slash ? slash + 1 : target);
	return 0;
}

/* The table is as old as the image. Where LVM has moved the volume since, its old place may be
 * another one's by now. */
static int check_volume(const struct layers_run *l, unsigned n, struct err *e)
{
	const struct layer *node = &l->table.node[n];
	char path[80], digest[LVMMETA_CHECK_BYTES];
	int rc = -ENODATA;

	if (!node->check[0])
		return 0;
	for (unsigned i = 0; rc && i < n; i++)
		if (l->built[i].up && node_of(l->built[i].dev, path, sizeof(path)) == 0)
			rc = lvmmeta_check(path, node->uuid, digest, NULL);
	if (rc)
		return err_sys(e, rc, "dm %s: LVM's metadata of it", node->name);
	if (strcmp(digest, node->check) != 0)
		return err_set(
			e, -ESTALE,
			"dm %s: LVM has changed it since the image was made: mkinitrd has to "
			"run again",
			node->name);
	return 0;
}

/* The table has its keys by name. */
static int need_keys(const struct layers_run *l, const struct layer *node, struct err *e)
{
	for (unsigned i = 0; i < node->nmaps; i++)
		if (strcmp(l->table.maps[node->map + i].type, LAYERS_CRYPT) == 0 &&
		    cryptkeys_restore(e))
			return err_ctx(e, "dm %s", node->name);
	return 0;
}

/* One buffer holds all arguments. */
static int map_device(struct layers_run *l, const struct layer *node, dev_t *dev, struct err *e)
{
	_cleanup_free_ struct dm_line *lines = calloc(node->nmaps, sizeof(*lines));
	_cleanup_free_ char *args = NULL;
	_cleanup_close_ int fd = -1;
	size_t room = 0, used = 0;
	int rc;

	for (unsigned i = 0; i < node->nmaps; i++)
		room += l->table.maps[node->map + i].args_len + ARGS_MAX;
	args = malloc(room);
	if (!lines || !args)
		return err_sys(e, -ENOMEM, "dm %s", node->name);
	for (unsigned i = 0; i < node->nmaps; i++) {
		const struct layer_map *m = &l->table.maps[node->map + i];

		rc = layers_args(m, write_dev, l, args + used, room - used);
		if (rc)
			return err_sys(e, rc, "dm %s: its table", node->name);
		lines[i] = (struct dm_line){ m->start, m->length, m->type, args + used };
		used += strlen(args + used) + 1;
	}
	rc = need_keys(l, node, e);
	if (!rc)
		rc = dm_open("/dev", &fd, e);
	return rc ? rc : dm_build(fd, node->name, node->uuid, lines, node->nmaps, dev, e);
}

static int build(struct init *in, const struct resolve_roots *r, struct layers_run *l, unsigned i,
		 u64 waited_ms, struct err *e)
{
	const struct layer *node = &l->table.node[i];
	struct built *b = &l->built[i];
	int rc;

	switch (node->kind) {
	case LAYER_LEAF:
		return find_leaf(in, r, l, node, b, e);
	case LAYER_MD:
		return start_array(in, r, l, node, b, waited_ms, e);
	default:
		rc = check_volume(l, i, e);
		return rc ? rc : map_device(l, node, &b->dev, e);
	}
}

bool layers_try(struct init *in, const struct resolve_roots *r, struct layers_run *l, u64 waited_ms)
{
	bool all = true;

	for (unsigned i = 0; l && i < l->table.n; i++) {
		struct built *b = &l->built[i];
		struct err e = { 0 };

		if (b->up)
			continue;
		if (l->table.node[i].kind == LAYER_DM && !has_all(l, &l->table.node[i])) {
			all = false;
			continue;
		}
		b->up = build(in, r, l, i, waited_ms, &e) == 0;
		all = all && b->up;
		snprintf(b->why, sizeof(b->why), "%.*s", (int)sizeof(b->why) - 1, e.msg);
	}
	return all;
}

bool layers_top(const struct layers_run *l, char *out, size_t cap)
{
	const struct layer *node = l && l->table.n ? &l->table.node[l->table.n - 1] : NULL;

	return node && node->kind == LAYER_DM && l->built[l->table.n - 1].up &&
	       node_of(l->built[l->table.n - 1].dev, out, cap) == 0;
}

void layers_why(const struct layers_run *l, char *out, size_t cap)
{
	out[0] = '\0';
	for (unsigned i = 0; l && i < l->table.n; i++)
		if (!l->built[i].up && l->built[i].why[0]) {
			snprintf(out, cap, "; %s", l->built[i].why);
			return;
		}
}

void layers_said(const struct layers_run *l, char *out, size_t cap)
{
	out[0] = '\0';
	for (unsigned i = 0; l && i < l->table.n; i++) {
		const struct layer *node = &l->table.node[i];

		if (node->kind == LAYER_MD && l->built[i].used &&
		    l->built[i].used < node->members) {
			snprintf(out, cap, "%.32s runs with %u of %u members", node->name,
				 l->built[i].used, node->members);
			return;
		}
	}
}
