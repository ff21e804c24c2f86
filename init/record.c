/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "../dumper/base/clock.h"
#include "../dumper/base/guard.h"
#include "../dumper/base/io.h"
#include "capture.h"
#include "outcome.h"
#include "path.h"
#include "steps.h"

#ifndef CRASHPOD_VERSION
#define CRASHPOD_VERSION "unknown"
#endif

#define CONF_TEXT_MAX 4096
#define CMDLINE_MAX 4096
/* Records of this capture and of the next, and what their directories take. */
#define RESERVE_BYTES ((u64)64 << 10)

static const char *const outcomes[] = {
	[OUTCOME_NONE] = "writing",
	[OUTCOME_COMPLETE] = "complete",
	[OUTCOME_INCOMPLETE] = "incomplete",
	[OUTCOME_FAILED] = "failed",
};

/* Seconds since 1970 as a date, for people; UTC, as the names on the target are. */
static void put_utc(struct json *j, const char *key, time_t t)
{
	char text[64];
	struct tm tm;

	if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		json_string(j, key, text);
}

static void put_capture(const struct init *in, struct json *j)
{
	_cleanup_free_ char *cmdline = NULL;
	struct capture c;
	size_t len;

	capture_facts(&c);
	if (c.cpus[0])
		json_string(j, "cpus_online", c.cpus);
	json_object(j, "capture");
	json_string(j, "kernel", c.release);
	if (!io_read_file("/proc/cmdline", CMDLINE_MAX, &cmdline, &len, NULL)) {
		cmdline[strcspn(cmdline, "\n")] = '\0';
		json_string(j, "cmdline", cmdline);
	}
	json_u64(j, "memory_kib", c.memory_kib);
	json_u64(j, "memory_free_kib", c.free_kib);
	json_seconds(j, "boot_seconds", (double)in->start_ms / 1000);
	json_bool(j, "watchdog", in->watchdog_fd >= 0);
	json_object_end(j);
}

static void put_dmesg(const struct init *in, struct json *j)
{
	const struct init_shared *sh = in->sh;
	size_t len = atomic_load(&sh->text_len);
	const char *status = "whole";

	if (!len)
		status = "none";
	else if (in->text_failed)
		status = "damaged";
	else if (sh->text_cut)
		status = "cut";
	json_u64(j, "dmesg_bytes", len);
	json_string(j, "dmesg_status", status);
	json_u64(j, "dmesg_cut_bytes", sh->text_cut);
}

/* The configuration as it was in force, line by line: the names of the file itself. */
static void put_asked(const struct init *in, struct json *j)
{
	char text[CONF_TEXT_MAX], *line, *end;

	conf_print(&in->conf, text, sizeof(text));
	json_array(j, "asked");
	for (line = text; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		json_string(j, NULL, line);
	}
	json_array_end(j);
}

static const char *fstype(const struct conf_target *t)
{
	return t->kind == CONF_TARGET_RAW ? "raw" : t->fstype;
}

static void put_target(const struct init *in, struct json *j)
{
	const struct conf_target *t = &in->conf.targets[in->target];

	json_object(j, "target");
	json_string(j, "name", t->device);
	json_string(j, "fstype", fstype(t));
	json_string(j, "device", in->sh->device);
	json_string(j, "directory", in->sh->names.dir);
	json_string(j, "dump", in->sh->names.dump);
	json_string(j, "dmesg", in->sh->names.dmesg);
	json_object_end(j);
}

static void put_tried(const struct conf_target *t, enum outcome outcome, const char *dir,
		      const char *why, struct json *j)
{
	json_object(j, NULL);
	json_string(j, "name", t->device);
	json_string(j, "fstype", fstype(t));
	json_string(j, "status", outcomes[outcome]);
	if (why[0])
		json_string(j, "reason", why);
	if (dir[0])
		json_string(j, "directory", dir);
	json_object_end(j);
}

/* Every target so far, the one in use last, and where it goes from here. */
static void put_targets(const struct init *in, struct json *j)
{
	json_array(j, "targets");
	for (unsigned i = 0; i < in->target; i++)
		put_tried(&in->conf.targets[i], in->tried[i].outcome, in->tried[i].dir,
			  in->tried[i].why, j);
	put_tried(&in->conf.targets[in->target], in->outcome, in->sh->names.dir, in->why, j);
	json_array_end(j);
	if (in->outcome == OUTCOME_NONE)
		return;
	if (outcome_has_next(in, step_time_left_ms(in)))
		json_string(j, "next_target", in->conf.targets[in->target + 1].device);
	else
		json_string(j, "action", outcome_action_name(outcome_action(in)));
}

static void put_removed(const struct init *in, struct json *j)
{
	u32 n = atomic_load(&in->sh->nremoved);

	json_array(j, "removed");
	for (u32 i = 0; i < MIN(n, (u32)INIT_REMOVED_MAX); i++) {
		const struct init_removed *r = &in->sh->removed[i];

		json_object(j, NULL);
		if (r->target < in->conf.ntargets)
			json_string(j, "target", in->conf.targets[r->target].device);
		json_string(j, "directory", r->dir);
		json_string(j, "why", r->for_room ? "room" : "keep");
		json_object_end(j);
	}
	json_array_end(j);
	json_u64(j, "removed_count", n);
}

static void put_steps(const struct init *in, struct json *j)
{
	json_array(j, "steps");
	for (unsigned i = 0; i < in->nlog; i++) {
		const struct step_log *l = &in->log[i];

		json_object(j, NULL);
		json_string(j, "name", l->name);
		if (l->target)
			json_string(j, "target", l->target);
		json_seconds(j, "start", (double)l->start_ms / 1000);
		json_seconds(j, "seconds", (double)l->took_ms / 1000);
		json_string(j, "result", !l->ok ? "failed" : l->part ? "incomplete" : "ok");
		if (l->msg[0])
			json_string(j, "message", l->msg);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_notes(const struct init *in, struct json *j)
{
	char more[64];

	json_array(j, "notes");
	for (unsigned i = 0; i < MIN(in->nnotes, (unsigned)INIT_NOTES_MAX); i++)
		json_string(j, NULL, in->notes[i]);
	if (in->nnotes > INIT_NOTES_MAX) {
		snprintf(more, sizeof(more), "%u more, on the console only",
			 in->nnotes - INIT_NOTES_MAX);
		json_string(j, NULL, more);
	}
	json_array_end(j);
}

int record_text(const struct init *in, struct json *j)
{
	const struct init_shared *sh = in->sh;

	json_object(j, NULL);
	json_u64(j, "version", 1);
	json_string(j, "program", "crashpod " CRASHPOD_VERSION);
	json_string(j, "status", outcomes[in->outcome]);
	if (in->why[0])
		json_string(j, "reason", in->why);
	json_string(j, "kernel", sh->release);
	json_string(j, "panic", sh->panic);
	json_u64(j, "crash_time", sh->crash_time);
	if (sh->crash_time)
		put_utc(j, "crash_time_utc", (time_t)sh->crash_time);
	json_u64(j, "capture_time", (u64)in->stamp);
	put_utc(j, "capture_time_utc", in->stamp);
	put_dmesg(in, j);
	put_capture(in, j);
	if (in->target < in->conf.ntargets) {
		put_target(in, j);
		put_targets(in, j);
	}
	put_removed(in, j);
	if (sh->series[0])
		json_string(j, NAMING_SERIES, sh->series);
	put_asked(in, j);
	put_notes(in, j);
	put_steps(in, j);
	json_seconds(j, "seconds", (double)(clock_ms() - in->start_ms) / 1000);
	if (in->outcome != OUTCOME_NONE)
		json_u64(j, "bytes_written",
			 in->has_stats ? sh->stats.bytes_written
				       : atomic_load(&sh->progress.bytes_written));
	if (in->has_stats)
		dump_stats_json(&sh->stats, "dump", j);
	json_object_end(j);
	return json_end(j);
}

void record_removed(struct init *in, const char *dir, bool for_room)
{
	u32 i = atomic_fetch_add(&in->sh->nremoved, 1);

	console_say(&in->con, "old dump %s is removed: %s", dir,
		    for_room ? "the new one needs the room" : "newer ones are as many as are kept");
	if (i >= INIT_REMOVED_MAX)
		return;
	in->sh->removed[i].target = in->target;
	in->sh->removed[i].for_room = for_room;
	snprintf(in->sh->removed[i].dir, sizeof(in->sh->removed[i].dir), "%s", dir);
}

int record_write(const struct init *in, int dir, struct err *e)
{
	struct json j;
	int rc;

	json_init(&j);
	rc = record_text(in, &j);
	if (rc)
		err_sys(e, rc, NAMING_RECORD);
	else
		rc = path_write_file(dir, NAMING_RECORD, j.buf, j.len, true, e);
	json_deinit(&j);
	return rc;
}

int record_reserve(const struct init *in, int dir, struct err *e)
{
	u64 log = MIN(atomic_load(&in->sh->text_len), in->text_cap);

	return path_reserve(dir, NAMING_RECORD, log + RESERVE_BYTES, e);
}

int record_end(struct init *in, int dir, struct err *e)
{
	bool named = false;
	struct stat st;
	int rc;

	/* a dump_run() that returned knows better: its fsync failed */
	if (in->outcome != OUTCOME_COMPLETE && !in->has_stats)
		named = fstatat(dir, in->sh->names.dump, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode);
	if (named) {
		init_note(in, "the dump has its final name and is whole: %.120s", in->why);
		in->outcome = OUTCOME_COMPLETE;
		in->why[0] = '\0';
	}
	rc = record_write(in, dir, e);
	in->sh->dump_whole = !rc && in->outcome == OUTCOME_COMPLETE;
	return rc;
}
