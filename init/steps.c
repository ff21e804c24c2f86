/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps.c - the table, and the one place where a step starts, ends, is told and is recorded. */
#include "steps.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../dumper/base/clock.h"
#include "capture.h"
#include "watchdog.h"

#define SLOW_MS 100 /* from here on a step's time is part of its line */

const struct step steps[] = {
	{ "mounts", STEP_BOOT, STEP_GO_ON, 0, step_mounts, NULL },
	{ "console", STEP_BOOT, STEP_GO_ON, 0, step_console, NULL },
	{ "config", STEP_BOOT, STEP_GO_ON, 0, step_config, NULL },
	{ "watchdog", STEP_BOOT, STEP_GO_ON, 0, step_watchdog, NULL },
	{ "vmcore", STEP_BOOT, STEP_STOP, 0, step_vmcore, NULL },
	{ "dmesg", STEP_BOOT, STEP_GO_ON, 60, step_dmesg, step_dmesg_child },
	{ "modules", STEP_BOOT, STEP_GO_ON, 120, step_modules, step_modules_child },
	{ "watchdog", STEP_BOOT, STEP_GO_ON, 0, step_watchdog, NULL },
	/* the device may take 30 s to appear, and a journal has to be replayed */
	{ "target", STEP_TARGET, STEP_STOP, 150, step_target, step_target_child },
	{ "triage", STEP_TARGET, STEP_STOP, 60, NULL, step_triage_child },
	{ "dump", STEP_TARGET, STEP_STOP, 0, step_dump, step_dump_child },
	{ "commit", STEP_TARGET_END, STEP_GO_ON, 60, step_commit, step_commit_child },
	{ "release", STEP_TARGET_END, STEP_GO_ON, 60, step_release, step_release_child },
	/* the log is on the console before pstore, whose firmware may hang, is tried */
	{ "log to console", STEP_LOST, STEP_GO_ON, 90, step_lost, step_lost_console_child },
	{ "log to pstore", STEP_LOST, STEP_GO_ON, 30, step_lost, step_lost_pstore_child },
	{ "sync", STEP_END, STEP_GO_ON, 60, step_sync, step_sync_child },
	{ "finish", STEP_END, STEP_GO_ON, 0, step_finish, NULL },
	{ NULL, STEP_END, STEP_GO_ON, 0, NULL, NULL },
};

void init_note(struct init *in, const char *fmt, ...)
{
	char line[sizeof(in->notes[0])];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	console_say(&in->con, "%s", line);
	if (in->nnotes < INIT_NOTES_MAX)
		memcpy(in->notes[in->nnotes], line, sizeof(line));
	in->nnotes++;
}

u64 step_time_left_ms(const struct init *in)
{
	u64 now = clock_ms();

	return now < in->end_ms ? in->end_ms - now : 0;
}

struct call {
	struct init *in;
	const struct step *s;
};

static int call_child(void *arg)
{
	struct call *c = arg;
	struct err e = { 0 };
	int rc;

	/* so that closing it in PID 1 is the last close */
	if (c->in->watchdog_fd >= 0)
		close(c->in->watchdog_fd);
	rc = c->s->child(c->in, &e);
	c->in->sh->err = e;
	return rc ? 1 : 0;
}

static void pet(void *arg)
{
	watchdog_pet(arg);
}

/* A child that crashed may have left strings without their end. */
static void end_strings(struct init_shared *sh)
{
	sh->err.msg[sizeof(sh->err.msg) - 1] = '\0';
	sh->said[sizeof(sh->said) - 1] = '\0';
	sh->release[sizeof(sh->release) - 1] = '\0';
	sh->panic[sizeof(sh->panic) - 1] = '\0';
	sh->module_name[sizeof(sh->module_name) - 1] = '\0';
	sh->device[sizeof(sh->device) - 1] = '\0';
	sh->layers[sizeof(sh->layers) - 1] = '\0';
	sh->names.dir[sizeof(sh->names.dir) - 1] = '\0';
	sh->names.dump[sizeof(sh->names.dump) - 1] = '\0';
	sh->names.dmesg[sizeof(sh->names.dmesg) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(sh->removed); i++)
		sh->removed[i].dir[sizeof(sh->removed[i].dir) - 1] = '\0';
	sh->series[sizeof(sh->series) - 1] = '\0';
	sh->stats.format[sizeof(sh->stats.format) - 1] = '\0';
	sh->stats.compression[sizeof(sh->stats.compression) - 1] = '\0';
	sh->stats.reason[sizeof(sh->stats.reason) - 1] = '\0';
}

int step_child_watched(struct init *in, const struct step *s, struct child_watch *w,
		       enum child_end *end, struct err *e)
{
	struct call call = { in, s };
	bool capture = s->when == STEP_BOOT || s->when == STEP_TARGET;
	u64 left = step_time_left_ms(in);
	int signal_no = 0;

	memset(&in->sh->err, 0, sizeof(in->sh->err));
	in->sh->said[0] = '\0';
	w->deadline_ms = s->deadline_s ? (u64)s->deadline_s * 1000 : left;
	/* what saves the record and ends the machine has its own time, even when the capture has
	 * none left */
	if (capture)
		w->deadline_ms = MIN(w->deadline_ms, left);
	if (!w->tick) {
		w->tick = pet;
		w->arg = in;
	}
	*end = child_run(call_child, &call, w, &signal_no);
	if (*end == CHILD_STUCK)
		in->hangs = in->hung = true;
	end_strings(in->sh);
	switch (*end) {
	case CHILD_OK:
		return 0;
	case CHILD_ERROR:
		if (!in->sh->err.msg[0])
			return err_set(e, -EIO, "failed without a word");
		return err_set(e, in->sh->err.code ? in->sh->err.code : -EIO, "%s",
			       in->sh->err.msg);
	case CHILD_CRASHED:
		return err_set(e, -EINTR, "crashed with signal %d", signal_no);
	case CHILD_TIMEOUT:
		return err_set(e, -ETIMEDOUT, "ran into its deadline of %llu s",
			       (unsigned long long)(w->deadline_ms / 1000));
	case CHILD_STALLED:
		return err_set(e, -ETIMEDOUT, "made no progress for %llu s",
			       (unsigned long long)(w->stall_ms / 1000));
	default:
		return err_set(e, -ETIMEDOUT, "%s", child_end_text(*end));
	}
}

int step_child(struct init *in, const struct step *s, struct err *e)
{
	struct child_watch w = { .arg = in };
	enum child_end end;
	int rc = step_child_watched(in, s, &w, &end, e);

	if (end != CHILD_CRASHED)
		return rc;
	/* whatever ended it may have been chance, and the dump may depend on this step */
	init_note(in, "%s %.100s: it is tried once more", s->name, e->msg);
	memset(e, 0, sizeof(*e));
	return step_child_watched(in, s, &w, &end, e);
}

/* The line of a step that has ended. One that took its time says how long, even where it has
 * nothing else to say; summary.c tells the others' at the end. */
static void say_step(struct init *in, const struct step_log *l)
{
	const char *msg = l->msg;
	u64 tenths = (l->took_ms + 50) / 100;
	char took[32] = "";

	if (l->took_ms >= SLOW_MS)
		snprintf(took, sizeof(took), " (%llu.%llu s)", (unsigned long long)(tenths / 10),
			 (unsigned long long)(tenths % 10));
	if (!l->ok)
		console_say(&in->con, "%s failed: %s%s", l->name, msg, took);
	else if (msg[0])
		console_say(&in->con, "%s%s", msg, took);
	else if (took[0])
		console_say(&in->con, "%s: done%s", l->name, took);
}

/* What happened before the console was there is said when it is. */
static void say_news(struct init *in)
{
	if (in->con.fd < 0)
		return;
	for (; in->nsaid < in->nlog; in->nsaid++)
		say_step(in, &in->log[in->nsaid]);
}

static void record(struct init *in, const struct step *s, u64 start, int rc, const char *msg)
{
	bool of_target = s->when == STEP_TARGET || s->when == STEP_TARGET_END;
	struct step_log *l = &in->log[in->nlog];

	if (in->nlog == INIT_LOG_MAX) {
		console_say(&in->con, "%s%s: %s", s->name, rc < 0 ? " failed" : "", msg);
		return;
	}
	l->name = s->name;
	l->start_ms = start - in->start_ms;
	l->took_ms = clock_ms() - start;
	l->ok = rc >= 0;
	l->part = rc == STEP_PART;
	l->target = of_target && in->target < in->conf.ntargets
			    ? in->conf.targets[in->target].device
			    : NULL;
	snprintf(l->msg, sizeof(l->msg), "%.*s", (int)sizeof(l->msg) - 1, msg);
	in->nlog++;
	say_news(in);
}

static int run_one(struct init *in, const struct step *s, struct err *e)
{
	if (s->when == STEP_TARGET && !step_time_left_ms(in))
		return err_set(e, -ETIMEDOUT, "the %u s of the whole capture are over",
			       in->conf.timeout_s);
	return s->run ? s->run(in, s, e) : step_child(in, s, e);
}

bool steps_run(struct init *in, const struct step *table, enum step_when when)
{
	for (const struct step *s = table; s->name; s++) {
		struct err e = { 0 };
		u64 start = clock_ms();
		int rc;

		if (s->when != when)
			continue;
		watchdog_pet(in);
		in->sh->said[0] = '\0';
		rc = run_one(in, s, &e);
		if (rc == STEP_SKIP)
			continue;
		record(in, s, start, rc, rc < 0 ? e.msg : in->sh->said);
		if (rc < 0 && s->failure == STEP_STOP) {
			snprintf(in->why, sizeof(in->why), "%s: %.*s", s->name,
				 (int)sizeof(in->why) - 24, e.msg);
			return false;
		}
	}
	return true;
}

int step_console(struct init *in, const struct step *s, struct err *e)
{
	int rc = console_open(&in->con);
	struct capture c;

	(void)s;
	if (rc)
		return err_sys(e, rc, "neither /dev/console nor /dev/kmsg");
	capture_facts(&c);
	snprintf(in->sh->said, sizeof(in->sh->said),
		 "the capture kernel is up: %s, %llu MiB of memory, CPUs %s", c.release,
		 (unsigned long long)c.memory_kib / 1024, c.cpus);
	return 0;
}
