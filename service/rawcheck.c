/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rawcheck.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tree.h"
#include "where.h"

int rawcheck_open(struct raw_area *a, const char *root, const struct conf_target *t, struct err *e)
{
	char node[PATH_MAX];
	struct err why = { 0 };
	int rc = tree_device(node, root, t->device);

	a->fd = -1;
	if (rc)
		return err_set(e, rc, "raw %s: %s", t->device,
			       rc == -ENOENT ? "no such device" : strerror(-rc));
	rc = raw_area_open(a, node, RAW_READ, &why);
	return rc ? err_set(e, rc, "raw %s: %s", t->device, why.msg + strlen(root)) : 0;
}

unsigned rawcheck_waiting(const char *root, const struct conf_target *t)
{
	struct raw_area a;
	unsigned n = 0;

	if (t->kind == CONF_TARGET_RAW && !rawcheck_open(&a, root, t, NULL)) {
		for (unsigned i = 0; i < RAW_SLOTS; i++)
			n += raw_slot_waits(&a.slots[i]);
		raw_area_close(&a);
	}
	return n;
}

void rawcheck_all(const char *root, void (*say)(void *arg, const char *line), void *arg)
{
	struct conf c;

	where_conf(&c, root, NULL, NULL); /* none: it has no targets */
	for (unsigned i = 0; i < c.ntargets; i++) {
		struct err e = { 0 };
		struct raw_area a;

		if (c.targets[i].kind != CONF_TARGET_RAW)
			continue;
		if (rawcheck_open(&a, root, &c.targets[i], &e))
			say(arg, e.msg);
		raw_area_close(&a);
	}
}
