/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rawtarget.h"

#include <errno.h>
#include <stdio.h>

#include "record.h"

bool rawtarget_is(const struct init *in)
{
	return in->target < in->conf.ntargets &&
	       in->conf.targets[in->target].kind == CONF_TARGET_RAW;
}

/* What the dump takes the place of, for the console and the record; empty where that is nothing. */
static void say_victim(const struct raw_slot *s, char *buf, size_t cap)
{
	struct naming n;

	buf[0] = '\0';
	if (!s->valid) {
		snprintf(buf, cap, ", whose header was damaged");
	} else if (raw_slot_waits(s)) {
		naming_make(&n, (enum conf_naming)s->h.naming, (time_t)s->h.stamp, 0);
		snprintf(buf, cap, " in place of %.32s (%s), which was not collected", n.dir,
			 raw_slot_state(s));
	}
}

int rawtarget_find(struct init *in, struct err *e)
{
	bool last = in->target + 1 == in->conf.ntargets;
	struct init_shared *sh = in->sh;
	struct raw_area a;
	char victim[80];
	int rc = raw_area_open(&a, sh->device, RAW_CLAIM, e);

	if (rc)
		return rc;
	rc = raw_area_choose(&a, last, &sh->slot, e);
	if (rc) {
		err_ctx(e, "%s", sh->device);
	} else {
		say_victim(&a.slots[sh->slot], victim, sizeof(victim));
		naming_make(&sh->names, in->conf.naming, in->stamp, 0);
		sh->dir_made = true;
		snprintf(sh->said, sizeof(sh->said),
			 "target %.40s is %.28s, the dump goes to slot %u%s",
			 in->conf.targets[in->target].device, sh->device, sh->slot, victim);
	}
	raw_area_close(&a);
	return rc;
}

static int open_area(const struct init *in, struct raw_area *a, struct err *e)
{
	a->fd = -1;
	if (in->sh->slot >= RAW_SLOTS)
		return err_set(e, -EINVAL, "no slot was chosen");
	return raw_area_open(a, in->sh->device, RAW_WRITE, e);
}

int rawtarget_triage(struct init *in, const void *text, size_t len, struct err *e)
{
	struct raw_area a;
	struct json j;
	int rc = open_area(in, &a, e);

	if (rc)
		return rc;
	json_init(&j);
	rc = record_text(in, &j);
	if (rc)
		err_sys(e, rc, NAMING_RECORD);
	else
		rc = raw_slot_begin(&a, in->sh->slot, in->stamp, in->conf.naming, text, len, j.buf,
				    j.len, e);
	json_deinit(&j);
	raw_area_close(&a);
	if (!rc && len)
		snprintf(in->sh->said, sizeof(in->sh->said), "the log is in slot %u, %zu bytes",
			 in->sh->slot, len);
	return rc;
}

enum dump_result rawtarget_dump(struct init *in, const struct core *core, const struct dump_opts *o,
				struct err *e)
{
	bool direct = o->direct && o->format == DUMP_KDUMP;
	struct raw_area a;
	struct sink *sink;
	enum dump_result result = DUMP_FAILED;
	int rc = open_area(in, &a, e);
	const struct raw_slot_header *h = &a.slots[in->sh->slot].h;

	/* a dump that left nothing is followed by another one */
	if (!rc && h->state == RAW_INCOMPLETE && !h->dump_bytes)
		rc = raw_slot_end(&a, in->sh->slot, RAW_WRITING, 0, e);
	if (!rc)
		rc = sink_raw_open(&sink, &a, in->sh->slot, in->sh->device, direct, e);
	if (!rc)
		result = dump_run_sink(core, sink, o, &in->sh->stats, e);
	raw_area_close(&a);
	return result;
}

/* A child that was killed may have left a dump that opens, or one that is whole but for PID 1's
 * knowing it. */
static int end_slot(struct init *in, struct raw_area *a, struct err *e)
{
	enum raw_state state = (enum raw_state)a->slots[in->sh->slot].h.state;

	/* a dump_run_sink() that returned knows better: its fsync failed */
	if (state == RAW_COMPLETE && in->outcome != OUTCOME_COMPLETE && !in->has_stats) {
		init_note(in, "the dump is marked complete: %.120s", in->why);
		in->outcome = OUTCOME_COMPLETE;
		in->why[0] = '\0';
	}
	return state == RAW_WRITING ? raw_slot_end(a, in->sh->slot, RAW_INCOMPLETE, 0, e) : 0;
}

int rawtarget_commit(struct init *in, struct err *e)
{
	struct raw_area a;
	struct json j;
	int rc = open_area(in, &a, e);

	if (rc)
		return rc;
	if (!raw_slot_waits(&a.slots[in->sh->slot])) {
		raw_area_close(&a);
		return err_set(e, -EINVAL, "slot %u was not begun", in->sh->slot);
	}
	rc = end_slot(in, &a, e);
	json_init(&j);
	if (!rc && record_text(in, &j))
		rc = err_sys(e, -ENOMEM, NAMING_RECORD);
	if (!rc)
		rc = raw_slot_record(&a, in->sh->slot, j.buf, j.len, e);
	json_deinit(&j);
	raw_area_close(&a);
	in->sh->dump_whole = !rc && in->outcome == OUTCOME_COMPLETE;
	return rc;
}
