/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../dumper/base/naming.h"
#include "../../dumper/tests/lib_allocfail.h"
#include "../../dumper/base/keep.h"
#include "tempdir.h"

/* Makes DIR with these files, named up to the blank. */
static void make(struct tempdir *t, const char *dir, const char *files)
{
	char path[256];

	tempdir_mkdir(t, dir);
	while (*files) {
		size_t n = strcspn(files, " ");

		snprintf(path, sizeof(path), "%s/%.*s", dir, (int)n, files);
		tempdir_puts(t, path, "x");
		files += n + (files[n] == ' ');
	}
}

static void count(void *arg, const char *dir)
{
	struct naming n;

	assert_true(naming_parse(&n, dir));
	++*(unsigned *)arg;
}

static int prune(int path, unsigned keep, const char *newest, unsigned *removed, struct err *e)
{
	struct keep k = { keep, newest, true, "" };

	return keep_prune(path, &k, count, removed, e);
}

static void test_prune(void **state)
{
	static const struct {
		unsigned keep, removed;
		const char *stay, *go; /* names with blanks between */
	} t[] = {
		{ 0, 0, "202601010000 202601010000-2 127.0.0.1-2026-01-01-00:00:30 202602010000",
		  "" },
		{ 9, 0, "202601010000 202601010000-2 127.0.0.1-2026-01-01-00:00:30 202602010000",
		  "" },
		{ 4, 0, "202601010000 202601010000-2 127.0.0.1-2026-01-01-00:00:30 202602010000",
		  "" },
		{ 3, 1, "202601010000-2 127.0.0.1-2026-01-01-00:00:30 202602010000",
		  "202601010000" },
		{ 2, 2, "127.0.0.1-2026-01-01-00:00:30 202602010000",
		  "202601010000 202601010000-2" },
		{ 1, 4, "202602010000",
		  "202601010000 202601010000-2 127.0.0.1-2026-01-01-00:00:30 202501030000" },
	};
	/* never touched; of parts of dumps as many stay as of dumps */
	static const char bystanders[] = "202501010000 202501020000 notes other 202501050000";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const char *lists[] = { t[i].stay, bystanders, t[i].go };
		struct err e = { 0 };
		unsigned removed = 0;
		struct tempdir d;

		tempdir_open(&d);
		make(&d, "202601010000", "dump.202601010000 dmesg.202601010000 crashpod.json");
		make(&d, "202601010000-2",
		     "dump.202601010000 crashpod.json dmesg.202601010000-incomplete");
		make(&d, "127.0.0.1-2026-01-01-00:00:30", "vmcore crashpod.json");
		make(&d, "202602010000", "dump.202602010000 crashpod.json");
		/* incomplete; another tool's; without a dump; not a dump's name; a link to one */
		make(&d, "202501010000", "dump.202501010000-incomplete crashpod.json");
		make(&d, "202501020000", "dump.202501020000 dmesg.202501020000");
		make(&d, "202501030000", "crashpod.json");
		make(&d, "notes", "vmcore crashpod.json");
		make(&d, "other", "dump.202501050000 crashpod.json");
		assert_int_equal(symlinkat("other", d.fd, "202501050000"), 0);

		assert_int_equal(prune(d.fd, t[i].keep, "202602010000", &removed, &e), 0);
		assert_int_equal(removed, t[i].removed);
		for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
			char copy[256], *save = NULL;

			snprintf(copy, sizeof(copy), "%s", lists[l]);
			for (char *p = strtok_r(copy, " ", &save); p;
			     p = strtok_r(NULL, " ", &save))
				if (tempdir_has(&d, p) != (l < 2))
					fail_msg("keep %u: %s", t[i].keep, p);
		}
		assert_true(tempdir_has(&d, "other/dump.202501050000"));
		tempdir_close(&d);
	}
}

/* The new dump stays even where the clock says that it is the oldest. */
static void test_newest_by_name_only(void **state)
{
	struct err e = { 0 };
	unsigned removed = 0;
	struct tempdir d;

	(void)state;
	tempdir_open(&d);
	make(&d, "197001010000", "dump.197001010000 crashpod.json");
	make(&d, "202601010000", "dump.202601010000 crashpod.json");
	assert_int_equal(prune(d.fd, 1, "197001010000", &removed, &e), 0);
	assert_true(tempdir_has(&d, "197001010000/dump.197001010000"));
	assert_false(tempdir_has(&d, "202601010000"));
	tempdir_close(&d);
}

/* What is not of our making stays, a directory, a file or a link, and nothing is followed. */
static void test_foreign_content(void **state)
{
	struct err e = { 0 };
	unsigned removed = 0;
	struct tempdir d;

	(void)state;
	tempdir_open(&d);
	make(&d, "202601010000", "dump.202601010000 crashpod.json notes.txt");
	make(&d, "202601010000/mine", "precious");
	make(&d, "202601020000",
	     "dump.202601020000 dump.202601020000-first-incomplete crashpod.json");
	tempdir_puts(&d, "victim", "safe");
	assert_int_equal(symlinkat("../victim", d.fd, "202601020000/link"), 0);
	assert_int_equal(symlinkat("../victim", d.fd, "202601020000/dmesg.202601020000"), 0);
	make(&d, "202601030000", "dump.202601030000 crashpod.json");
	/* somebody's directory in the place of a file of ours: told, and the record stays with it
	 */
	make(&d, "202601010001", "dump.202601010001 crashpod.json");
	make(&d, "202601010001/dmesg.202601010001", "precious");
	assert_true(prune(d.fd, 1, "202601030000", &removed, &e) < 0);
	assert_non_null(strstr(e.msg, "old dump 202601010001"));
	assert_true(tempdir_has(&d, "202601010000/mine/precious"));
	assert_true(tempdir_has(&d, "202601010000/notes.txt"));
	assert_false(tempdir_has(&d, "202601010000/dump.202601010000"));
	assert_false(tempdir_has(&d, "202601010000/crashpod.json"));
	assert_true(tempdir_has(&d, "202601010001/dmesg.202601010001/precious"));
	assert_true(tempdir_has(&d, "202601020000/link"));
	assert_false(tempdir_has(&d, "202601020000/dump.202601020000-first-incomplete"));
	assert_false(tempdir_has(&d, "202601020000/dmesg.202601020000"));
	assert_true(tempdir_has(&d, "victim"));
	assert_int_equal(removed, 2);
	tempdir_close(&d);
}

/* Directories where others may write, or that are others', are no dumps of ours: were they counted,
 * anyone who may write to the path could have all real ones removed. */
static void test_others(void **state)
{
	static const char *const fakes[] = { "203001010000", "203001020000", "203001030000" };
	struct err e = { 0 };
	unsigned removed = 0;
	struct tempdir d;

	(void)state;
	tempdir_open(&d);
	make(&d, "202601010000", "dump.202601010000 crashpod.json");
	make(&d, "202602010000", "dump.202602010000 crashpod.json");
	make(&d, fakes[0], "dump.203001010000 crashpod.json");
	make(&d, fakes[1], "dump.203001020000 crashpod.json");
	make(&d, fakes[2], "dump.203001030000 crashpod.json");
	assert_int_equal(fchmodat(d.fd, fakes[0], 0777, 0), 0);
	assert_int_equal(fchmodat(d.fd, fakes[1], 0770, 0), 0);
	/* only root can give it away */
	if (fchownat(d.fd, fakes[2], 65534, 65534, 0))
		assert_int_equal(fchmodat(d.fd, fakes[2], 0720, 0), 0);
	assert_int_equal(prune(d.fd, 2, "202602010000", &removed, &e), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(prune(d.fd, 1, "202602010000", &removed, &e), 0);
	assert_int_equal(removed, 1);
	assert_false(tempdir_has(&d, "202601010000"));
	for (size_t i = 0; i < ARRAY_SIZE(fakes); i++)
		assert_true(tempdir_has(&d, fakes[i]));
	tempdir_close(&d);
}

static void make_dump(struct tempdir *d, const char *dir, const char *file, size_t kib)
{
	char path[128], *page = calloc(kib, 1024);

	assert_non_null(page);
	memset(page, 'x', kib * 1024);
	make(d, dir, "crashpod.json");
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	tempdir_write(d, path, page, kib * 1024);
	free(page);
}

/* As few as are enough; none where all that may go are not. */
static void test_make_room(void **state)
{
	static const struct {
		unsigned keep;
		u64 need_kib;
		bool made;
		unsigned removed; /* of the oldest */
	} t[] = {
		{ 0, 1, false, 0 },  { 4, 1, false, 0 },    { 3, 1, true, 1 },
		{ 3, 128, true, 1 }, { 3, 200, false, 0 },  { 1, 200, true, 2 },
		{ 1, 500, true, 3 }, { 1, 1000, false, 0 }, { 1, 0, true, 3 },
		{ 2, 0, false, 0 },
	};
	static const char *const dirs[] = { "202601010000", "202601020000", "202601030000" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct err e = { 0 };
		unsigned removed = 0;
		struct tempdir d;
		struct keep k = { t[i].keep, "202602010000", false, "" };
		bool made = true;

		tempdir_open(&d);
		make_dump(&d, dirs[0], "dump.202601010000", 128);
		make_dump(&d, dirs[1], "dump.202601020000", 128);
		make_dump(&d, dirs[2], "dump.202601030000", 512);
		make_dump(&d, "202602010000", "dump.202602010000-incomplete", 4);
		assert_int_equal(
			keep_make_room(d.fd, &k, t[i].need_kib * 1024, &made, count, &removed, &e),
			0);
		if (made != t[i].made || removed != t[i].removed)
			fail_msg("keep %u, %u KiB: %u removed", t[i].keep, (unsigned)t[i].need_kib,
				 removed);
		for (size_t n = 0; n < ARRAY_SIZE(dirs); n++)
			assert_int_equal(tempdir_has(&d, dirs[n]), n >= removed);
		assert_true(tempdir_has(&d, "202602010000/dump.202602010000-incomplete"));
		tempdir_close(&d);
	}
}

struct pruning {
	struct tempdir d;
	unsigned removed;
	int rc;
	struct err e;
};

static void run_prune(void *arg)
{
	struct pruning *p = arg;

	p->removed = 0;
	p->e = (struct err){ 0 };
	p->rc = prune(p->d.fd, 1, "202602010000", &p->removed, &p->e);
}

/* All that may go, or none; never the newest. */
static void check_prune(void *arg, const char *what, bool failed)
{
	struct pruning *p = arg;
	unsigned want = p->rc ? 0 : 2;

	if ((p->rc && (!failed || !p->e.msg[0])) || p->removed != want)
		fail_msg("%s: %d %s, %u removed", what, p->rc, p->e.msg, p->removed);
	assert_true(tempdir_has(&p->d, "202602010000/dump.202602010000"));
	assert_int_equal(tempdir_has(&p->d, "202601010000"), p->rc != 0);
	make(&p->d, "202601010000", "dump.202601010000 crashpod.json");
	make(&p->d, "202601020000", "dump.202601020000 crashpod.json");
}

static void test_no_memory(void **state)
{
	struct pruning p = { 0 };

	(void)state;
	tempdir_open(&p.d);
	make(&p.d, "202601010000", "dump.202601010000 crashpod.json");
	make(&p.d, "202601020000", "dump.202601020000 crashpod.json");
	make(&p.d, "202602010000", "dump.202602010000 crashpod.json");
	assert_true(allocfail_each("keep", run_prune, check_prune, &p) >= 2);
	tempdir_close(&p.d);
}

/* Names of dumps, "-" before those of which there is a part only, "=" before a large one. */
static void make_all(struct tempdir *d, const char *names)
{
	char copy[256], path[128], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", names);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		const char *dir = p + strspn(p, "-=");
		bool part = *p == '-' || *p == '=';

		snprintf(path, sizeof(path), "dump.%.12s%s", dir, part ? "-incomplete" : "");
		make_dump(d, dir, path, *p == '=' ? 64 : 8);
	}
}

static void assert_left(struct tempdir *d, const char *names, const char *what)
{
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", names);
	for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		const char *dir = p + strspn(p, "-=!");

		if (tempdir_has(d, dir) != (*p != '!'))
			fail_msg("%s: %s", what, p);
	}
}

/* The first of a series stays beside the newest; parts have a number of their own, and the largest
 * stays. "!" is before what is gone. */
static void test_what_stays(void **state)
{
	static const struct {
		unsigned keep;
		bool complete;
		const char *first, *there, *left;
	} t[] = {
		{ 2, true, "202601010000", "202501010000 202601010000 202601010001",
		  "!202501010000 202601010000 !202601010001" },
		{ 3, true, "202601010000", "202501010000 202601010000 202601010001 202601010002",
		  "!202501010000 202601010000 !202601010001 202601010002" },
		/* the newest alone */
		{ 1, true, "202601010000", "202601010000 202601010001",
		  "!202601010000 !202601010001" },
		{ 0, true, "202601010000", "202601010000 -202601010001",
		  "202601010000 202601010001" },
		/* a new part takes no complete dump's place */
		{ 1, false, "", "202601010000 202601010001", "202601010000 202601010001" },
		{ 1, false, "", "-202601010000 =202601010001 -202601010002",
		  "!202601010000 202601010001 !202601010002" },
		{ 2, false, "202601010000",
		  "-202601010000 -202601010001 =202601010002 202601010003",
		  "202601010000 !202601010001 202601010002 202601010003" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct keep k = { t[i].keep, "202602010000", t[i].complete, t[i].first };
		struct err e = { 0 };
		unsigned removed = 0;
		struct tempdir d;

		tempdir_open(&d);
		make_all(&d, t[i].there);
		make_all(&d, t[i].complete ? "202602010000" : "-202602010000");
		assert_int_equal(keep_prune(d.fd, &k, count, &removed, &e), 0);
		assert_left(&d, t[i].left, t[i].there);
		assert_left(&d, "202602010000", t[i].there);
		tempdir_close(&d);
	}
}

/* Parts of dumps go first; the largest only where it is known to be enough. */
static void test_room_of_parts(void **state)
{
	static const struct {
		u64 need_kib;
		const char *first, *there, *left;
	} t[] = {
		{ 8, "", "202601010000 202601010001 -202601010002",
		  "202601010000 202601010001 !202601010002" },
		{ 32, "", "202601010000 202601010001 =202601010002",
		  "202601010000 202601010001 !202601010002" },
		{ 32, "202601010002", "202601010000 202601010001 =202601010002",
		  "202601010000 202601010001 202601010002" },
		{ 0, "", "=202601010002", "202601010002" },
		{ 0, "", "-202601010001 =202601010002", "202601010001 202601010002" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct keep k = { 3, "202602010000", false, t[i].first };
		struct err e = { 0 };
		unsigned removed = 0;
		struct tempdir d;
		bool made;

		tempdir_open(&d);
		make_all(&d, t[i].there);
		assert_int_equal(
			keep_make_room(d.fd, &k, t[i].need_kib * 1024, &made, count, &removed, &e),
			0);
		assert_int_equal(made, removed > 0);
		assert_left(&d, t[i].left, t[i].there);
		tempdir_close(&d);
	}
}

static void write_record(struct tempdir *d, const char *dir, const char *first, time_t at)
{
	struct timespec times[2] = { { .tv_sec = at }, { .tv_sec = at } };
	char path[128], text[256];

	snprintf(path, sizeof(path), "%s/crashpod.json", dir);
	if (first)
		snprintf(text, sizeof(text), "{\"series_first\": \"%s\"}", first);
	else
		snprintf(text, sizeof(text), "{}");
	tempdir_mkdir(d, dir);
	tempdir_puts(d, path, text);
	assert_int_equal(utimensat(d->fd, path, times, 0), 0);
}

static void test_series(void **state)
{
	static const struct {
		const char *last_first; /* what the record of the last crash says */
		int seconds;		/* since it was written */
		const char *want;
	} t[] = {
		{ NULL, 60, "202601010100" },
		{ NULL, 3600, "202601010100" },
		{ NULL, 3601, "" },
		{ NULL, -60, "202601010100" }, /* the clock is not kept over a reset */
		{ NULL, -4000, "" },
		{ "202601010000", 60, "202601010000" },
		{ "202601010000", 4000, "" },
		{ "202501010000", 60, "202601010100" }, /* is no longer there */
		{ "../202601010000", 60, "202601010100" },
	};
	const time_t now = 1800000000;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct tempdir d;
		char first[64];

		tempdir_open(&d);
		write_record(&d, "202601010000", NULL, now - 100);
		write_record(&d, "202601010100", t[i].last_first, now - t[i].seconds);
		keep_series(d.fd, "202602010000", (u64)now, first, sizeof(first));
		assert_string_equal(first, t[i].want);
		tempdir_close(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prune),		cmocka_unit_test(test_newest_by_name_only),
		cmocka_unit_test(test_foreign_content), cmocka_unit_test(test_others),
		cmocka_unit_test(test_make_room),	cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_what_stays),	cmocka_unit_test(test_room_of_parts),
		cmocka_unit_test(test_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
