/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "child.h"

/* Disks are ready when they are there, but a path of several may have to be tried. */
#define SILENT_S 20

struct probe {
	struct probe_shared *ps;
	const struct resolve_roots *r;
	int (*look)(const struct resolve_roots *r, void *arg, struct err *e);
	void *arg;
};

static bool begin(void *arg, const char *name)
{
	struct probe_shared *ps = arg;

	for (u32 i = 0; i < MIN(ps->nsilent, (u32)INIT_SILENT_MAX); i++)
		if (strcmp(ps->silent[i], name) == 0)
			return false;
	snprintf(ps->name, sizeof(ps->name), "%s", name);
	atomic_fetch_add(&ps->begun, 1);
	return true;
}

static int probe_child(void *arg)
{
	struct probe *p = arg;
	struct resolve_roots roots = *p->r;
	struct err e = { 0 };

	roots.probe = begin;
	roots.arg = p->ps;
	p->ps->rc = p->look(&roots, p->arg, &e);
	p->ps->err = e;
	return 0;
}

static u64 beat(void *arg)
{
	const struct probe *p = arg;

	return atomic_load(&p->ps->begun);
}

int probe_run(struct init *in, const struct resolve_roots *r, const char *what,
	      int (*look)(const struct resolve_roots *r, void *arg, struct err *e), void *arg,
	      struct err *e)
{
	struct probe_shared *ps = &in->sh->probe;
	struct probe p = { ps, r, look, arg };
	struct child_watch w = {
		.deadline_ms = UINT64_MAX,
		.stall_ms = SILENT_S * 1000,
		.beat = beat,
		.arg = &p,
	};

	for (;;) {
		u32 begun = atomic_load(&ps->begun);
		enum child_end end = child_run(probe_child, &p, &w, NULL);

		if (end == CHILD_OK)
			return ps->rc ? err_set(e, ps->rc, "%s", ps->err.msg) : 0;
		if ((end != CHILD_STALLED && end != CHILD_STUCK) ||
		    atomic_load(&ps->begun) == begun || ps->nsilent >= INIT_SILENT_MAX)
			return err_set(e, -EIO, "the search for %s %s", what, child_end_text(end));
		memcpy(ps->silent[ps->nsilent++], ps->name, sizeof(ps->name));
		console_say(&in->con, "device %s does not answer: it is passed over", ps->name);
	}
}

struct by_spec {
	const char *spec;
	char *out; /* shared */
	size_t cap;
};

static int look_for_spec(const struct resolve_roots *r, void *arg, struct err *e)
{
	struct by_spec *s = arg;

	return resolve_device(r, s->spec, s->out, s->cap, e);
}

int probe_device(struct init *in, const struct resolve_roots *r, const char *spec, char *out,
		 size_t cap, struct err *e)
{
	struct by_spec s = { spec, out, cap };

	return probe_run(in, r, spec, look_for_spec, &s, e);
}
