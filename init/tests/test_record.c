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

#include "../../dumper/base/record_read.h"
#include "../record.h"
#include "tempdir.h"

struct fixture {
	struct init in;
	struct init_shared sh;
};

static int setup(void **state)
{
	static const char conf[] = "ext4 UUID=1-2\nkeep 3\n";
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->in.sh = &f->sh;
	conf_defaults(&f->in.conf);
	assert_int_equal(conf_parse(&f->in.conf, conf, strlen(conf), "f", NULL, NULL), 0);
	snprintf(f->sh.release, sizeof(f->sh.release), "6.1.0-50-cloud-amd64");
	snprintf(f->sh.panic, sizeof(f->sh.panic), "BUG: \"x\"\x1b[2J\\");
	snprintf(f->sh.device, sizeof(f->sh.device), "/dev/vda1");
	naming_make(&f->sh.names, CONF_NAMING_DEBIAN, 0, 0);
	f->in.log[0] = (struct step_log){ "mounts", 5, 20, true, "" };
	f->in.log[1] = (struct step_log){ "modules", 25, 1500, false, "it hangs" };
	f->in.nlog = 2;
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

	json_init(&j);
	assert_int_equal(record_text(&f->in, &j), 0);
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
	assert_null(strchr(j.buf, 0x1b));
	assert_null(strstr(j.buf, "\"dump\": {"));
	assert_null(strstr(j.buf, "bytes_written"));
	json_deinit(&j);
}

static void test_outcomes(void **state)
{
	static const struct {
		enum outcome outcome;
		bool stats;
		const char *status, *bytes;
	} t[] = {
		{ OUTCOME_COMPLETE, true, "complete", "\"bytes_written\": 4711" },
		{ OUTCOME_INCOMPLETE, true, "incomplete", "\"bytes_written\": 4711" },
		{ OUTCOME_INCOMPLETE, false, "incomplete", "\"bytes_written\": 815" },
		{ OUTCOME_FAILED, false, "failed", "\"bytes_written\": 815" },
	};
	struct fixture *f = *state;

	f->sh.stats.bytes_written = 4711;
	f->sh.stats.verify_depth = VERIFY_FULL;
	f->sh.stats.verified = DUMP_VERIFY_FAILED;
	snprintf(f->sh.stats.format, sizeof(f->sh.stats.format), "kdump");
	atomic_store(&f->sh.progress.bytes_written, 815);
	snprintf(f->in.why, sizeof(f->in.why), "the reason");
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct json j;

		f->in.outcome = t[i].outcome;
		f->in.has_stats = t[i].stats;
		json_init(&j);
		assert_int_equal(record_text(&f->in, &j), 0);
		assert_member(&j, "status", t[i].status);
		assert_member(&j, "reason", "the reason");
		assert_has(&j, t[i].bytes);
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

	console_init(&f->in.con);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outcomes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
