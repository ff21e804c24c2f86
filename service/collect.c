/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/keep.h"
#include "base/naming.h"
#include "base/record_read.h"
#include "raw_collect.h"
#include "tree.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* One area's lines begin with its device. */
struct one {
	struct collect *c;
	const char *device;
};

static void one_says(void *arg, const char *line)
{
	const struct one *one = arg;
	char text[1200];

	snprintf(text, sizeof(text), "%.256s: %s", one->device, line);
	one->c->say(one->c->arg, text);
}

static bool is_newer(const char *a, const char *b)
{
	u64 as, an, bs, bn;

	naming_age(a, &as, &an);
	naming_age(b, &bs, &bn);
	return as != bs ? as > bs : an >= bn;
}

static void one_took(void *arg, const char *name, bool complete)
{
	struct collect *c = ((const struct one *)arg)->c;

	c->complete += complete;
	if (c->newest[0] && !is_newer(name, c->newest))
		return;
	snprintf(c->newest, sizeof(c->newest), "%s", name);
	c->newest_complete = complete;
}

int collect_device(struct collect *c, const char *device, const char *dir, struct err *e)
{
	struct one one = { c, device };
	const struct raw_collect_to to = { one_says, one_took, &one };
	struct raw_area a;
	int rc = raw_area_open(&a, device, RAW_CLAIM, e);

	if (rc)
		return rc;
	rc = raw_collect(&a, dir, &to, e);
	raw_area_close(&a);
	if (rc)
		err_ctx(e, "%s", device);
	return rc;
}

static void removed(void *arg, const char *name)
{
	const struct collect *c = arg;
	char line[160];

	snprintf(line, sizeof(line), "%.64s is removed: more than `keep` allows", name);
	c->say(c->arg, line);
}

int collect_prune(const struct collect *c, const char *dir, unsigned keep, struct err *e)
{
	_cleanup_close_ int top = -1, newest = -1;
	char first[64] = "";
	struct keep k = {
		/* all that came in now are new, not only the newest of them */
		.keep = keep ? MAX(keep, c->complete) : 0,
		.newest = c->newest,
		.complete = c->newest_complete,
		.first = first,
	};

	if (!keep || !c->newest[0])
		return 0;
	top = open(dir, DIR_FLAGS);
	if (top < 0)
		return err_sys(e, -errno, "%s", dir);
	newest = openat(top, c->newest, DIR_FLAGS | O_NOFOLLOW);
	if (newest >= 0)
		record_read(newest, NAMING_RECORD, NAMING_SERIES, first, sizeof(first));
	return keep_prune(top, &k, removed, (void *)c, e);
}

int collect_all(struct collect *c, const char *root, const struct conf *conf, const char *dir)
{
	struct err e = { 0 };
	int rc = 0;

	for (unsigned i = 0; i < conf->ntargets; i++) {
		char node[PATH_MAX];
		struct err why = { 0 };
		int one;

		if (conf->targets[i].kind != CONF_TARGET_RAW)
			continue;
		one = tree_device(node, root, conf->targets[i].device);
		if (one)
			err_sys(&why, one, "%s", conf->targets[i].device);
		else
			one = collect_device(c, node, dir, &why);
		if (one) {
			rc = one;
			c->failed(c->arg, why.msg);
		}
	}
	if (collect_prune(c, dir, conf->keep, &e)) {
		rc = e.code;
		c->failed(c->arg, e.msg);
	}
	return rc;
}
