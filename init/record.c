/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../dumper/base/clock.h"
#include "path.h"

#ifndef CRASHPOD_VERSION
#define CRASHPOD_VERSION "unknown"
#endif

#define CONF_TEXT_MAX 4096

static const char *const outcomes[] = {
	[OUTCOME_NONE] = "writing",
	[OUTCOME_COMPLETE] = "complete",
	[OUTCOME_INCOMPLETE] = "incomplete",
	[OUTCOME_FAILED] = "failed",
};

/* The capture kernel's CPUs as it lists them ("0-1"): --cpus of `crashpod load` is a wish. */
static void put_cpus(struct json *j)
{
	char text[64];
	int fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	json_string(j, "cpus_online", text);
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

static void put_target(const struct init *in, struct json *j)
{
	const struct conf_target *t = &in->conf.targets[in->target];

	if (in->target >= in->conf.ntargets)
		return;
	json_object(j, "target");
	json_string(j, "name", t->device);
	json_string(j, "fstype", t->kind == CONF_TARGET_RAW ? "raw" : t->fstype);
	json_string(j, "device", in->sh->device);
	json_string(j, "directory", in->sh->names.dir);
	json_string(j, "dump", in->sh->names.dump);
	json_string(j, "dmesg", in->sh->names.dmesg);
	json_object_end(j);
}

static void put_steps(const struct init *in, struct json *j)
{
	json_array(j, "steps");
	for (unsigned i = 0; i < in->nlog; i++) {
		const struct step_log *l = &in->log[i];

		json_object(j, NULL);
		json_string(j, "name", l->name);
		json_seconds(j, "start", (double)l->start_ms / 1000);
		json_seconds(j, "seconds", (double)l->took_ms / 1000);
		json_string(j, "result", l->ok ? "ok" : "failed");
		if (l->msg[0])
			json_string(j, "message", l->msg);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_notes(const struct init *in, struct json *j)
{
	json_array(j, "notes");
	for (unsigned i = 0; i < in->nnotes; i++)
		json_string(j, NULL, in->notes[i]);
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
	json_u64(j, "capture_time", (u64)in->stamp);
	json_u64(j, "dmesg_bytes", atomic_load(&sh->text_len));
	put_cpus(j);
	put_target(in, j);
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
