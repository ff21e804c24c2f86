/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../dumper/base/clock.h"
#include "../../dumper/base/record_read.h"
#include "../../dumper/tests/lib_allocfail.h"
#include "../outcome.h"
#include "../record.h"
#include "../steps.h"
#include "tempdir.h"

/* Every record of these tests goes there as NAME.json, for qemu-tests/oracle/test_record.py, which
 * holds it against the schema. */
#define RECORDS_DIR "CRASHPOD_RECORDS"

struct fixture {
	struct init in;
	struct init_shared sh;
};

static int setup(void **state)
{
	static const char conf[] = "ext4 UUID=1-2\nxfs LABEL=b\nkeep 3\nfailure_action halt\n";
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	console_init(&f->in.con);
	f->in.watchdog_fd = -1;
	f->in.start_ms = clock_ms();
	f->in.end_ms = f->in.start_ms + 60000;
	f->in.sh = &f->sh;
	conf_defaults(&f->in.conf);
	assert_int_equal(conf_parse(&f->in.conf, conf, strlen(conf), "f", NULL, NULL), 0);
	snprintf(f->sh.release, sizeof(f->sh.release), "6.1.0-50-cloud-amd64");
	snprintf(f->sh.panic, sizeof(f->sh.panic), "BUG: \"x\"\x1b[2J\\");
	snprintf(f->sh.device, sizeof(f->sh.device), "/dev/vda1");
	naming_make(&f->sh.names, CONF_NAMING_DEBIAN, 0, 0);
	f->in.log[0] =
		(struct step_log){ .name = "mounts", .start_ms = 5, .took_ms = 20, .ok = true };
	f->in.log[1] = (struct step_log){
		.name = "modules", .start_ms = 25, .took_ms = 1500, .msg = "it hangs"
	};
	f->in.log[2] = (struct step_log){
		.name = "dump", .ok = true, .part = true, .target = f->in.conf.targets[0].device
	};
	f->in.nlog = 3;
	snprintf(f->in.notes[0], sizeof(f->in.notes[0]), "a note");
	f->in.nnotes = 1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* The record as text; the caller frees it with json_deinit(). */
static void make(struct fixture *f, const char *name, struct json *j)
{
	const char *dir = getenv(RECORDS_DIR);
	char path[512];
	FILE *file;

	json_init(j);
	assert_int_equal(record_text(&f->in, j), 0);
	if (!dir)
		return;
	snprintf(path, sizeof(path), "%s/%s.json", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(j->buf, 1, j->len, file), j->len);
	assert_int_equal(fclose(file), 0);
}

static void assert_has(const struct json *j, const char *part)
{
	if (!strstr(j->buf, part))
		fail_msg("no %s in:\n%s", part, j->buf);
}

static void assert_member(const struct json *j, const char *key, const char *want)
{
	char got[256];

	assert_int_equal(record_find(j->buf, j->len, key, got, sizeof(got)), 0);
	assert_string_equal(got, want);
}

/* Before the dump: what was asked, what happened so far, and nothing of a dump. */
static void test_first(void **state)
{
	struct fixture *f = *state;
	struct json j;

	make(f, "writing", &j);
	assert_member(&j, "status", "writing");
	assert_member(&j, "kernel", "6.1.0-50-cloud-amd64");
	assert_member(&j, "panic", "BUG: \"x\"?[2J\\");
	if (!access("/sys/devices/system/cpu/online", R_OK))
		assert_has(&j, "\"cpus_online\": \"0");
	assert_has(&j, "\"keep 3\"");
	assert_has(&j, "\"ext4 UUID=1-2\"");
	assert_has(&j, "\"a note\"");
	assert_has(&j, "\"directory\": \"197001010000\"");
	assert_has(&j, "\"name\": \"modules\"");
	assert_has(&j, "\"start\": 0.025");
	assert_has(&j, "\"seconds\": 1.500");
	assert_has(&j, "\"message\": \"it hangs\"");
	assert_has(&j, "\"result\": \"incomplete\"");
	assert_member(&j, "dmesg_status", "none");
	assert_has(&j, "\"watchdog\": false");
	assert_has(&j, "\"removed\": [],");
	assert_null(strstr(j.buf, "crash_time_utc"));
	assert_null(strstr(j.buf, "\"action\""));
	assert_null(strstr(j.buf, "\"dump\": {"));
	assert_null(strstr(j.buf, "bytes_written"));
	json_deinit(&j);
}

static void test_outcomes(void **state)
{
	static const struct {
		const char *name;
		enum outcome outcome;
		bool stats;
		int code;
		const char *status, *bytes, *then;
	} t[] = {
		{ "complete", OUTCOME_COMPLETE, true, 0, "complete", "\"bytes_written\": 4711",
		  "\"action\": \"reboot\"" },
		{ "incomplete", OUTCOME_INCOMPLETE, true, -ENOSPC, "incomplete",
		  "\"bytes_written\": 4711", "\"next_target\": \"LABEL=b\"" },
		{ "incomplete-no-stats", OUTCOME_INCOMPLETE, false, 0, "incomplete",
		  "\"bytes_written\": 815", "\"action\": \"halt\"" },
		{ "failed", OUTCOME_FAILED, false, 0, "failed", "\"bytes_written\": 815",
		  "\"next_target\": \"LABEL=b\"" },
	};
	struct fixture *f = *state;

	f->sh.stats.bytes_written = 4711;
	f->sh.stats.verify_depth = VERIFY_FULL;
	f->sh.stats.verified = DUMP_VERIFY_FAILED;
	snprintf(f->sh.stats.format, sizeof(f->sh.stats.format), "kdump");
	atomic_store(&f->sh.progress.bytes_written, 815);
	snprintf(f->sh.stats.compression, sizeof(f->sh.stats.compression), "zstd");
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct json j;

		f->in.outcome = t[i].outcome;
		f->in.has_stats = t[i].stats;
		f->in.code = t[i].code;
		f->sh.stats.complete = t[i].outcome == OUTCOME_COMPLETE;
		snprintf(f->in.why, sizeof(f->in.why), "%s",
			 f->sh.stats.complete ? "" : "the reason");
		make(f, t[i].name, &j);
		assert_member(&j, "status", t[i].status);
		if (t[i].outcome != OUTCOME_COMPLETE)
			assert_member(&j, "reason", "the reason");
		assert_has(&j, t[i].bytes);
		assert_has(&j, t[i].then);
		if (t[i].stats) {
			assert_has(&j, "\"dump\": {");
			assert_has(&j, "\"depth\": \"full\"");
			assert_has(&j, "\"result\": \"failed\"");
		} else {
			assert_null(strstr(j.buf, "\"dump\": {"));
		}
		json_deinit(&j);
	}
}

/* On the last target: those before it with their reasons, and old dumps that are gone, of these as
 * many as there is room for. */
static void test_second_target(void **state)
{
	struct fixture *f = *state;
	struct json j;

	f->in.outcome = OUTCOME_INCOMPLETE;
	f->in.on_target = true;
	snprintf(f->in.why, sizeof(f->in.why), "No space left on device");
	record_removed(&f->in, "196901010000", true);
	outcome_keep(&f->in);
	f->in.target = 1;
	outcome_begin(&f->in);
	f->in.outcome = OUTCOME_FAILED;
	snprintf(f->in.why, sizeof(f->in.why), "triage: it is read-only");
	naming_make(&f->sh.names, CONF_NAMING_RHEL, 0, 0);
	for (unsigned i = 0; i < INIT_REMOVED_MAX; i++)
		record_removed(&f->in, "127.0.0.1-1969-01-01-00:00:00", false);
	f->sh.crash_time = 1763888041;
	f->in.stamp = 1763888045;
	make(f, "second-target", &j);
	assert_has(&j, "\"targets\": [\n"
		       "    {\n"
		       "      \"name\": \"UUID=1-2\",\n"
		       "      \"fstype\": \"ext4\",\n"
		       "      \"status\": \"incomplete\",\n"
		       "      \"reason\": \"No space left on device\",\n"
		       "      \"directory\": \"197001010000\"\n"
		       "    },\n"
		       "    {\n"
		       "      \"name\": \"LABEL=b\",\n"
		       "      \"fstype\": \"xfs\",\n"
		       "      \"status\": \"failed\",\n"
		       "      \"reason\": \"triage: it is read-only\",\n"
		       "      \"directory\": \"127.0.0.1-1970-01-01-00:00:00\"\n"
		       "    }\n");
	assert_has(&j, "\"target\": \"UUID=1-2\",\n"
		       "      \"directory\": \"196901010000\",\n"
		       "      \"why\": \"room\"");
	assert_has(&j, "\"why\": \"keep\"");
	assert_has(&j, "\"removed_count\": 25");
	assert_has(&j, "\"bytes_written\": 0");
	assert_member(&j, "action", "halt");
	assert_member(&j, "crash_time_utc", "2025-11-23T08:54:01Z");
	assert_member(&j, "capture_time_utc", "2025-11-23T08:54:05Z");
	json_deinit(&j);
}

static void test_dmesg_status(void **state)
{
	static const struct {
		size_t len;
		u64 cut;
		bool failed;
		const char *status;
	} t[] = {
		{ 100, 0, false, "whole" },
		{ 100, 7, false, "cut" },
		{ 100, 7, true, "damaged" },
		{ 0, 0, true, "none" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char name[32];
		struct json j;

		atomic_store(&f->sh.text_len, t[i].len);
		f->sh.text_cut = t[i].cut;
		f->in.text_failed = t[i].failed;
		snprintf(name, sizeof(name), "dmesg-%s", t[i].status);
		make(f, name, &j);
		assert_member(&j, "dmesg_status", t[i].status);
		json_deinit(&j);
	}
}

/* More notes than there is room for are counted. */
static void test_notes_full(void **state)
{
	struct fixture *f = *state;
	struct json j;

	for (unsigned i = 0; i < INIT_NOTES_MAX + 2; i++)
		init_note(&f->in, "note %u", i);
	make(f, "notes-full", &j);
	assert_has(&j, "\"note 62\"");
	assert_null(strstr(j.buf, "\"note 63\""));
	assert_has(&j, "\"3 more, on the console only\"");
	json_deinit(&j);
}

/* ESC, DEL, C1 as a byte and as UTF-8, bytes that are no UTF-8, a line separator; and a NUL ends
 * it. */
#define HOSTILE "x\x1b[2J\r\n\x7f\x9b\xc2\x9b\xff\xc0\x80\xe2\x80\xa8\",\\\0never"

/* Text that is not ours steers neither the reader of the record nor the console. */
static void test_hostile(void **state)
{
	struct fixture *f = *state;
	struct json j;
	char said[1024];
	ssize_t n;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	f->in.con.fd = fd[1];
	memcpy(f->sh.release, HOSTILE, sizeof(HOSTILE));
	memcpy(f->sh.panic, HOSTILE, sizeof(HOSTILE));
	memcpy(f->sh.device, HOSTILE, sizeof(HOSTILE));
	memcpy(f->in.why, HOSTILE, sizeof(HOSTILE));
	memcpy(f->in.log[1].msg, HOSTILE, sizeof(HOSTILE));
	memcpy(f->sh.module_name, HOSTILE, sizeof(HOSTILE));
	f->in.outcome = OUTCOME_FAILED;
	init_note(&f->in, "module %s crashed", f->sh.module_name);
	make(f, "hostile", &j);
	assert_null(strstr(j.buf, "never"));
	assert_null(strstr(j.buf, "\xe2\x80\xa8"));
	assert_has(&j, "\"module x\\u001b[2J\\u000d\\n\\u007f\\u009b\\u009b\\u00ff\\u00c0\\u0080"
		       "\\u2028\\\",\\\\ crashed\"");
	for (size_t i = 0; i < j.len; i++)
		if ((u8)j.buf[i] >= 0x7f || ((u8)j.buf[i] < 0x20 && j.buf[i] != '\n'))
			fail_msg("byte %#x at %zu", (u8)j.buf[i], i);
	json_deinit(&j);
	n = read(fd[0], said, sizeof(said));
	assert_true(n > 20);
	for (ssize_t i = 0; i < n - 1; i++)
		assert_in_range((u8)said[i], 0x20, 0x7e);
	close(fd[0]);
	close(fd[1]);
}

/* Written twice, the second takes the first one's place. */
static void test_write(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };
	struct tempdir t;
	char got[32];

	tempdir_open(&t);
	assert_int_equal(record_write(&f->in, t.fd, &e), 0);
	assert_int_equal(record_read(t.fd, NAMING_RECORD, "status", got, sizeof(got)), 0);
	assert_string_equal(got, "writing");
	f->in.outcome = OUTCOME_COMPLETE;
	assert_int_equal(record_write(&f->in, t.fd, &e), 0);
	assert_int_equal(record_read(t.fd, NAMING_RECORD, "status", got, sizeof(got)), 0);
	assert_string_equal(got, "complete");
	assert_false(tempdir_has(&t, NAMING_RECORD NAMING_INCOMPLETE));
	tempdir_close(&t);
}

/* The room that is set aside is the record's in the end. */
static void test_reserve(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };
	struct tempdir t;
	struct stat st;

	tempdir_open(&t);
	assert_int_equal(record_write(&f->in, t.fd, &e), 0);
	assert_int_equal(record_reserve(&f->in, t.fd, &e), 0);
	assert_int_equal(fstatat(t.fd, NAMING_RECORD NAMING_INCOMPLETE, &st, 0), 0);
	assert_true(st.st_blocks * 512 >= 64 << 10);
	assert_int_equal(record_write(&f->in, t.fd, &e), 0);
	assert_false(tempdir_has(&t, NAMING_RECORD NAMING_INCOMPLETE));
	tempdir_close(&t);
}

/* A dump with its final name is whole, whatever became of the child; one without is not. */
static void test_end(void **state)
{
	static const struct {
		const char *file;
		bool returned; /* dump_run() did */
		enum outcome before, after;
		const char *status;
	} t[] = {
		{ "dump.197001010000-incomplete", false, OUTCOME_INCOMPLETE, OUTCOME_INCOMPLETE,
		  "incomplete" },
		{ "dump.197001010000-incomplete", false, OUTCOME_FAILED, OUTCOME_FAILED, "failed" },
		{ "dump.197001010000", false, OUTCOME_INCOMPLETE, OUTCOME_COMPLETE, "complete" },
		{ "dump.197001010000", true, OUTCOME_INCOMPLETE, OUTCOME_INCOMPLETE, "incomplete" },
		{ "dump.197001010000", true, OUTCOME_COMPLETE, OUTCOME_COMPLETE, "complete" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		bool mended = t[i].before != t[i].after;
		struct err e = { 0 };
		struct tempdir d;
		char got[64];

		tempdir_open(&d);
		tempdir_puts(&d, t[i].file, "x");
		f->in.outcome = t[i].before;
		f->in.has_stats = t[i].returned;
		f->in.nnotes = 0;
		snprintf(f->in.why, sizeof(f->in.why), "made no progress");
		assert_int_equal(record_end(&f->in, d.fd, &e), 0);
		assert_int_equal(f->in.outcome, t[i].after);
		assert_int_equal(f->sh.dump_whole, t[i].after == OUTCOME_COMPLETE);
		assert_int_equal(f->in.nnotes, mended);
		if (mended)
			assert_non_null(strstr(f->in.notes[0], "is whole: made no progress"));
		assert_int_equal(record_read(d.fd, NAMING_RECORD, "status", got, sizeof(got)), 0);
		assert_string_equal(got, t[i].status);
		tempdir_close(&d);
	}
}

struct writing {
	const struct init *in;
	struct tempdir d;
	int rc;
	struct err e;
};

static void run_write(void *arg)
{
	struct writing *w = arg;

	memset(&w->e, 0, sizeof(w->e));
	w->rc = record_write(w->in, w->d.fd, &w->e);
}

/* The record of before, or the new one: never a part. The command line may be left out of it. */
static void check_write(void *arg, const char *what, bool failed)
{
	struct writing *w = arg;
	char got[32];

	if (w->rc && (!failed || !strstr(w->e.msg, NAMING_RECORD)))
		fail_msg("%s: %d %s", what, w->rc, w->e.msg);
	assert_int_equal(record_read(w->d.fd, NAMING_RECORD, "status", got, sizeof(got)), 0);
	assert_string_equal(got, w->rc ? "writing" : "failed");
	assert_false(tempdir_has(&w->d, NAMING_RECORD NAMING_INCOMPLETE));
	if (w->rc == 0)
		tempdir_puts(&w->d, NAMING_RECORD, "{\"status\": \"writing\"}");
}

static void test_no_memory(void **state)
{
	struct fixture *f = *state;
	struct writing w = { .in = &f->in };

	f->in.outcome = OUTCOME_FAILED;
	tempdir_open(&w.d);
	tempdir_puts(&w.d, NAMING_RECORD, "{\"status\": \"writing\"}");
	assert_true(allocfail_each("record", run_write, check_write, &w) > 0);
	tempdir_close(&w.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outcomes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_second_target, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dmesg_status, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notes_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reserve, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
