/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What boot does with the dumps of a raw area: which older ones go for them, and which never. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../dumper/base/naming.h"
#include "../../dumper/dump.h"
#include "../../dumper/raw_slot.h"
#include "../../dumper/tests/lib_golden.h"
#include "../../init/tests/tempdir.h"
#include "../collect.h"

#define STAMP 1577836800 /* 202001010000 */
#define LOG "the log\n"

static struct scratch scratch;
static struct golden golden;

/* Older dumps ("+NAME": complete) and slots that hold one: c complete, i incomplete. */
static const struct {
	unsigned keep;
	const char *first; /* series_first of the new dumps; "" */
	const char *older, *slots;
	const char *stay, *go; /* names, with blanks between */
} cases[] = {
	{ 0, "", "+201901010000 +201901020000", "c", "201901010000 201901020000 202001010000", "" },
	{ 2, "", "+201901010000 +201901020000", "c", "201901020000 202001010000", "201901010000" },
	{ 1, "", "+201901010000 +201901020000", "c", "202001010000", "201901010000 201901020000" },
	/* what is not whole is worth no whole one */
	{ 1, "", "+201901010000 +201901020000", "i", "201901010000 201901020000 202001010000", "" },
	/* both that came are new */
	{ 1, "", "+201901010000", "cc", "202001010000 202001010100", "201901010000" },
	{ 1, "", "+201901010000", "ci", "202001010000 202001010100 201901010000", "" },
	{ 2, "201901010000", "+201901010000 +201901020000", "c", "201901010000 202001010000",
	  "201901020000" },
	/* nothing came: nothing goes */
	{ 1, "", "+201901010000 +201901020000", "", "201901010000 201901020000", "" },
};

static void fill(const char *device, unsigned slot, char kind, const char *first)
{
	struct dump_opts o;
	struct dump_stats st;
	struct raw_area a;
	char record[200];
	struct sink *s;

	snprintf(record, sizeof(record), "{\"slot\": %u, \"series_first\": \"%s\"}\n", slot, first);
	dump_opts_init(&o);
	o.threads = 1;
	assert_int_equal(raw_area_open(&a, device, RAW_WRITE, NULL), 0);
	assert_int_equal(raw_slot_begin(&a, slot, STAMP + slot * 3600, CONF_NAMING_DEBIAN, LOG,
					strlen(LOG), record, strlen(record), NULL),
			 0);
	assert_int_equal(sink_raw_open(&s, &a, slot, device, false, NULL), 0);
	assert_int_equal(dump_run_sink(golden.core, s, &o, &st, NULL), DUMP_COMPLETE);
	if (kind == 'i')
		assert_int_equal(raw_slot_end(&a, slot, RAW_INCOMPLETE, 0, NULL), 0);
	raw_area_close(&a);
}

static void add_older(struct tempdir *t, const char *names)
{
	char path[200];

	for (const char *p = names; *p; p += strcspn(p, " "), p += *p == ' ') {
		int n = (int)strcspn(p + 1, " ");

		snprintf(path, sizeof(path), "crash/%.*s", n, p + 1);
		tempdir_mkdir(t, path);
		assert_int_equal(fchmodat(t->fd, path, 0700, 0), 0);
		snprintf(path, sizeof(path), "crash/%.*s/dump.%.*s", n, p + 1, n, p + 1);
		tempdir_puts(t, path, "x");
		snprintf(path, sizeof(path), "crash/%.*s/crashpod.json", n, p + 1);
		tempdir_puts(t, path, "{}");
	}
}

static bool all(struct tempdir *t, const char *names, bool there)
{
	char path[200];

	for (const char *p = names; *p; p += strcspn(p, " "), p += *p == ' ') {
		snprintf(path, sizeof(path), "crash/%.*s/crashpod.json", (int)strcspn(p, " "), p);
		if (tempdir_has(t, path) != there)
			return false;
	}
	return true;
}

static void hear(void *arg, const char *line)
{
	char *said = arg;
	size_t n = strlen(said);

	snprintf(said + n, 4096 - n, "%s\n", line);
}

static void test_prune(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char device[200], dir[200], said[4096] = "";
		struct collect c = { .say = hear, .failed = hear, .arg = said };
		struct conf conf;
		struct tempdir t;
		int fd;

		tempdir_open(&t);
		tempdir_mkdir(&t, "dev");
		tempdir_mkdir(&t, "crash");
		snprintf(device, sizeof(device), "%s/dev/vdb", t.path);
		snprintf(dir, sizeof(dir), "%s/crash", t.path);
		fd = open(device, O_RDWR | O_CREAT, 0600);
		assert_int_equal(ftruncate(fd, RAW_AREA_MIN), 0);
		assert_int_equal(raw_area_make(fd, RAW_AREA_MIN, NULL), 0);
		close(fd);
		for (unsigned s = 0; cases[i].slots[s]; s++)
			fill(device, s, cases[i].slots[s], cases[i].first);
		add_older(&t, cases[i].older);
		conf_defaults(&conf);
		assert_int_equal(conf_parse(&conf, "raw /dev/vdb\n", 13, "f", NULL, NULL), 0);
		conf.keep = cases[i].keep;
		if (collect_all(&c, t.path, &conf, dir) || !all(&t, cases[i].stay, true) ||
		    !all(&t, cases[i].go, false))
			fail_msg("case %zu: %s", i, said);
		if (cases[i].go[0])
			assert_non_null(strstr(said, "is removed: more than `keep` allows"));
		tempdir_close(&t);
	}
}

/* A device that is not there, or no area, is told, and the next one is collected. */
static void test_devices(void **state)
{
	static const char text[] = "raw /dev/none\nraw /dev/file\nraw /dev/vdb\n";
	char device[200], dir[200], said[4096] = "";
	struct collect c = { .say = hear, .failed = hear, .arg = said };
	struct conf conf;
	struct tempdir t;
	int fd;

	(void)state;
	tempdir_open(&t);
	tempdir_mkdir(&t, "dev");
	tempdir_puts(&t, "dev/file", "no area");
	snprintf(device, sizeof(device), "%s/dev/vdb", t.path);
	snprintf(dir, sizeof(dir), "%s/crash", t.path);
	fd = open(device, O_RDWR | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, RAW_AREA_MIN), 0);
	assert_int_equal(raw_area_make(fd, RAW_AREA_MIN, NULL), 0);
	close(fd);
	fill(device, 0, 'c', "");
	conf_defaults(&conf);
	assert_int_equal(conf_parse(&conf, text, strlen(text), "f", NULL, NULL), 0);
	assert_int_not_equal(collect_all(&c, t.path, &conf, dir), 0);
	assert_string_equal(c.newest, "202001010000");
	assert_true(c.newest_complete && c.complete == 1);
	assert_non_null(strstr(said, "/dev/none"));
	assert_non_null(strstr(said, "/dev/file"));
	assert_true(all(&t, "202001010000", true));
	tempdir_close(&t);
}

static int open_golden(void **state)
{
	(void)state;
	scratch_make(&scratch);
	golden_open(&golden, &scratch, "linux-6.1.txt", NULL);
	return 0;
}

static int close_golden(void **state)
{
	(void)state;
	golden_close(&golden, &scratch);
	scratch_rm(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prune),
		cmocka_unit_test(test_devices),
	};

	return cmocka_run_group_tests(tests, open_golden, close_golden);
}
