/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is taken for a dump, and what is said of it: by its record, and without one. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../dumper/core.h"
#include "../../dumper/dump.h"
#include "../../dumper/tests/lib_core.h"
#include "../../dumper/tests/lib_scratch.h"
#include "../../init/tests/tempdir.h"
#include "../dumps.h"
#include "../list_print.h"
#include "../seen.h"

#define KDUMP "KDUMP   0123456789"
#define RECORD(status, more)                                                              \
	"{\"program\": \"crashpod 1\", \"status\": \"" status "\", \"kernel\": \"6.1\", " \
	"\"panic\": \"Kernel panic - not syncing: x\", \"crash_time\": 1795571361" more "}"
#define DUMP_OF(bytes)                                                                  \
	", \"dump\": {\"level_used\": 31, \"pages\": {\"ram\": 1000, \"dumped\": 50}, " \
	"\"bytes_written\": " bytes ", \"verify\": {\"depth\": \"full\", \"result\": \"sound\"}}"

/* A directory with one file of the name and, where not NULL, a record. */
static const struct {
	const char *dir, *file, *text, *record;
	int state; /* -1: no dump */
	const char *reason;
} cases[] = {
	{ "202611250149", "dump.202611250149", KDUMP, RECORD("complete", DUMP_OF("18")),
	  DUMPS_COMPLETE, "" },
	{ "202611250149", "dump.202611250149", KDUMP, RECORD("complete", DUMP_OF("19")), DUMPS_CUT,
	  "19 bytes were written" },
	{ "202611250149", "dump.202611250149-incomplete", KDUMP,
	  RECORD("incomplete", ", \"reason\": \"disk full\"" DUMP_OF("18")), DUMPS_INCOMPLETE,
	  "disk full" },
	{ "202611250149", "dump.202611250149-incomplete", KDUMP, RECORD("writing", ""), DUMPS_CUT,
	  "did not live" },
	{ "202611250149", "dump.202611250149-first-incomplete", KDUMP, RECORD("writing", ""),
	  DUMPS_CUT, "did not live" },
	{ "202611250149", "dmesg.202611250149", "x", RECORD("failed", ""), DUMPS_NONE, "" },
	{ "127.0.0.1-2026-11-25-01:49:21", "vmcore", KDUMP, RECORD("complete", DUMP_OF("18")),
	  DUMPS_COMPLETE, "" },
	/* no header that can be read, and no record that could tell */
	{ "202611250149", "dump.202611250149", KDUMP, NULL, DUMPS_CUT, "" },
	{ "202611250149", "dump.202611250149", KDUMP, "{\"program\": \"crashpod 1\"", DUMPS_CUT,
	  "" },
	{ "202611250149", "dump.202611250149", KDUMP, "{\"program\": \"other 1\"}", DUMPS_CUT, "" },
	/* what only looks like one */
	{ "202611250149", "dump.202611250149", "not a dump at all", NULL, -1, "" },
	{ "202611250149", "dump.202611250149", "", NULL, -1, "" },
	{ "202611250149", "dump.202611250150", KDUMP, NULL, -1, "" },
	{ "202611250149", "dmesg.202611250149", "x", NULL, -1, "" },
	{ "202611250149", "other", KDUMP, "{\"program\": \"other 1\"}", -1, "" },
	{ "202699990149", "dump.202699990149", KDUMP, RECORD("complete", DUMP_OF("18")), -1, "" },
	{ "backup", "dump.202611250149", KDUMP, RECORD("complete", DUMP_OF("18")), -1, "" },
};

static void put(struct tempdir *t, const char *dir, const char *file, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	tempdir_puts(t, path, text);
}

static void test_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct dumps d = { 0 };
		struct err e = { 0 };
		struct tempdir t;

		tempdir_open(&t);
		tempdir_mkdir(&t, cases[i].dir);
		put(&t, cases[i].dir, cases[i].file, cases[i].text);
		if (cases[i].record)
			put(&t, cases[i].dir, "crashpod.json", cases[i].record);
		assert_int_equal(dumps_scan(&d, t.path, &e), 0);
		if (d.n != (cases[i].state >= 0) ||
		    (d.n && (d.v[0].state != (enum dump_state)cases[i].state ||
			     !strstr(d.v[0].reason, cases[i].reason))))
			fail_msg("case %zu: %zu dumps, %s '%s'", i, d.n,
				 d.n ? dump_state_name(d.v[0].state) : "",
				 d.n ? d.v[0].reason : "");
		if (d.n && d.v[0].state == DUMPS_COMPLETE) {
			assert_int_equal(d.v[0].when, 1795571361);
			assert_string_equal(d.v[0].kernel, "6.1");
			assert_string_equal(d.v[0].verified, "full");
			assert_int_equal(d.v[0].dumped, 50);
		}
		dumps_free(&d);
		tempdir_close(&t);
	}
}

/* Links are not followed, whatever they lead to. */
static void test_links(void **state)
{
	struct dumps d = { 0 };
	struct tempdir t;

	(void)state;
	tempdir_open(&t);
	tempdir_mkdir(&t, "real");
	put(&t, "real", "dump.202611250149", KDUMP);
	put(&t, "real", "crashpod.json", RECORD("complete", DUMP_OF("18")));
	assert_int_equal(symlinkat("real", t.fd, "202611250149"), 0);
	tempdir_mkdir(&t, "202611250150");
	assert_int_equal(
		symlinkat("../real/dump.202611250149", t.fd, "202611250150/dump.202611250150"), 0);
	assert_int_equal(symlinkat("../real/crashpod.json", t.fd, "202611250150/crashpod.json"), 0);
	assert_int_equal(dumps_scan(&d, t.path, NULL), 0);
	assert_int_equal(d.n, 0);
	dumps_free(&d);
	tempdir_close(&t);
}

/* A real dump that has no record: its header and its log tell. */
static void test_header(void **state)
{
	char golden[256], core_path[300], path[300];
	struct dump_stats stats;
	struct dump_entry *entry = calloc(1, sizeof(*entry));
	struct dump_opts opts;
	struct core *core;
	struct mkcore *mk;
	struct err e = { 0 };
	struct tempdir t;

	(void)state;
	assert_non_null(entry);
	tempdir_open(&t);
	scratch_beside(__FILE__, "../../dumper/tests/golden", golden, sizeof(golden));
	mk = mkcore_load(golden, "linux-6.1.txt", NULL);
	snprintf(core_path, sizeof(core_path), "%s/vmcore", t.path);
	mkcore_write(mk, core_path);
	tempdir_mkdir(&t, "202611250149");
	snprintf(path, sizeof(path), "%s/202611250149/dump.202611250149", t.path);
	dump_opts_init(&opts);
	assert_int_equal(core_open(&core, core_path, 0, &e), 0);
	assert_int_equal(dump_run(core, path, &opts, &stats, &e), 0);
	core_close(core);
	for (int i = 0; i < 2; i++) {
		/* damage in the record is as no record */
		assert_int_equal(dump_find(entry, path, NULL, &e), 0);
		assert_int_equal(entry->state, DUMPS_COMPLETE);
		assert_false(entry->record);
		assert_string_equal(entry->kernel, mkcore_info(mk, "OSRELEASE"));
		assert_true(entry->has_level && entry->level == 31);
		assert_int_equal(entry->dumped, stats.pages.dumped);
		assert_string_equal(entry->verified, "");
		put(&t, "202611250149", "crashpod.json",
		    "{\"program\": \"crashpod 1\", \"kernel\": ");
	}
	assert_int_equal(truncate(path, (off_t)stats.bytes_written / 2), 0);
	assert_int_equal(dump_find(entry, path, NULL, &e), 0);
	assert_int_not_equal(entry->state, DUMPS_COMPLETE);
	assert_int_equal(dump_find(entry, core_path, NULL, &e), 0);
	assert_string_equal(entry->kernel, mkcore_info(mk, "OSRELEASE"));
	assert_int_equal(dump_find(entry, golden, NULL, &e), -ENOENT);
	mkcore_free(mk);
	free(entry);
	tempdir_close(&t);
}

/* What a hostile record says comes as printable ASCII, in the table and in JSON. */
static void test_hostile(void **state)
{
	static const char record[] =
		"{\"program\": \"crashpod 1\", \"status\": \"complete\", \"kernel\": "
		"\"\x1b[2J\xc2\x9b\", "
		"\"panic\": \"a\\u001b]0;x\\u0007\\n\\t%s%n\", \"crash_time\": 99999999999999999, "
		"\"reason\": \"\\u202e\", \"dump\": {\"level_used\": 4294967327, \"pages\": "
		"{\"ram\": 1, \"dumped\": 18446744073709551615}, \"verify\": {\"depth\": \"\x1b\", "
		"\"result\": \"sound\"}}}";
	struct dumps d = { 0 };
	struct seen s = { 0 };
	struct tempdir t;
	char *text = NULL;
	size_t len;
	FILE *out;

	(void)state;
	tempdir_open(&t);
	tempdir_mkdir(&t, "202611250149");
	put(&t, "202611250149", "dump.202611250149", KDUMP);
	put(&t, "202611250149", "crashpod.json", record);
	assert_int_equal(dumps_scan(&d, t.path, NULL), 0);
	assert_int_equal(d.n, 1);
	for (int json = 0; json < 2; json++) {
		out = open_memstream(&text, &len);
		if (json)
			assert_int_equal(list_json(out, t.path, &d, &s), 0);
		else
			list_table(out, &d, 80);
		assert_int_equal(fclose(out), 0);
		for (size_t i = 0; i < len; i++)
			if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
				fail_msg("byte %#x: %s", (unsigned char)text[i], text);
		assert_non_null(strstr(text, "a?]0;x?"));
		free(text);
	}
	dumps_free(&d);
	tempdir_close(&t);
}

/* The notice tells of the newest that nobody has seen, until all are seen or gone. */
static void test_notice(void **state)
{
	char line[NOTICE_MAX];
	struct dumps d = { 0 };
	struct seen s = { 0 };
	struct err e = { 0 };
	struct tempdir t;

	(void)state;
	tempdir_open(&t);
	tempdir_mkdir(&t, "202611250149");
	put(&t, "202611250149", "dump.202611250149", KDUMP);
	put(&t, "202611250149", "crashpod.json", RECORD("complete", DUMP_OF("18")));
	tempdir_mkdir(&t, "202611250150");
	put(&t, "202611250150", "dmesg.202611250150", "x");
	put(&t, "202611250150", "crashpod.json",
	    "{\"program\": \"crashpod 1\", \"status\": \"failed\", \"crash_time\": 1795571421, "
	    "\"panic\": \"secret\"}");
	assert_int_equal(dumps_scan(&d, t.path, NULL), 0);
	dumps_sort(&d);
	assert_int_equal(d.n, 2);
	/* others may make directories in a /var/crash that is for all */
	d.v[0].foreign = d.v[1].foreign = true;
	assert_false(notice_line(line, &d, &s));
	d.v[0].foreign = d.v[1].foreign = false;
	assert_true(notice_line(line, &d, &s));
	assert_non_null(strstr(line, "2026-11-25 01:50:21 UTC; no dump could be saved"));
	assert_non_null(strstr(line, "202611250150 (and 1 more)"));
	assert_null(strstr(line, "secret"));
	assert_int_equal(notice_put(t.path, line, &e), 0);
	assert_true(tempdir_has(&t, "run/motd.d/crashpod"));
	assert_int_equal(seen_write(t.path, &d, &e), 0);
	seen_read(&s, t.path);
	assert_true(seen_has(&s, &d.v[0]) && seen_has(&s, &d.v[1]));
	assert_false(notice_line(line, &d, &s));
	assert_int_equal(notice_put(t.path, line, &e), 0);
	assert_false(tempdir_has(&t, "run/motd.d/crashpod"));
	/* the beginning of a name that was seen was not */
	d.v[0].dir[strlen(d.v[0].dir) - 1] = '\0';
	assert_false(seen_has(&s, &d.v[0]));
	seen_free(&s);
	dumps_free(&d);
	tempdir_close(&t);
}

/* Whose directory it is; who may not give one away owns it. */
static void test_foreign(void **state)
{
	char path[PATH_MAX];
	struct dumps d = { 0 };
	struct tempdir t;
	bool given;

	(void)state;
	tempdir_open(&t);
	tempdir_mkdir(&t, "202611250150");
	put(&t, "202611250150", "crashpod.json", "{\"program\": \"crashpod 1\"}");
	snprintf(path, sizeof(path), "%s/202611250150", t.path);
	given = chown(path, 12345, (gid_t)-1) == 0;
	assert_true(given || geteuid());
	assert_int_equal(dumps_scan(&d, t.path, NULL), 0);
	assert_int_equal(d.n, 1);
	assert_int_equal(d.v[0].foreign, given);
	dumps_free(&d);
	tempdir_close(&t);
}

/* One directory that cannot be opened does not hide the others. */
static void test_unreadable(void **state)
{
	struct dumps d = { 0 };
	struct tempdir t;
	struct rlimit before, few;
	struct err e = { 0 };
	int rc, next;

	(void)state;
	tempdir_open(&t);
	tempdir_mkdir(&t, "202611250149");
	tempdir_mkdir(&t, "202611250150");
	/* room for the directory of dumps, and for none in it */
	next = open("/dev/null", O_RDONLY);
	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ .rlim_cur = (rlim_t)next + 1, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	rc = dumps_scan(&d, t.path, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(rc, 0);
	assert_int_equal(d.n, 2);
	for (size_t i = 0; i < d.n; i++) {
		assert_int_equal(d.v[i].state, DUMPS_CUT);
		assert_non_null(strstr(d.v[i].reason, "it cannot be opened: Too many open files"));
	}
	dumps_free(&d);
	tempdir_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unreadable), cmocka_unit_test(test_states),
		cmocka_unit_test(test_links),	   cmocka_unit_test(test_header),
		cmocka_unit_test(test_hostile),	   cmocka_unit_test(test_notice),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
