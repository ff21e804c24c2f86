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

#include "../again.h"
#include "tempdir.h"

struct fixture {
	struct init in;
	struct init_shared sh;
	struct tempdir dir;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	console_init(&f->in.con);
	f->in.sh = &f->sh;
	snprintf(f->sh.names.dump, sizeof(f->sh.names.dump), "vmcore");
	tempdir_open(&f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tempdir_close(&f->dir);
	free(f);
	return 0;
}

static void test_wanted(void **state)
{
	static const struct {
		enum child_end end;
		enum outcome outcome;
		bool careful;
		u64 left_ms;
		bool wanted;
	} t[] = {
		{ CHILD_CRASHED, OUTCOME_FAILED, false, 10000, true },
		{ CHILD_CRASHED, OUTCOME_INCOMPLETE, false, 10000, true },
		/* killed when the dump was whole */
		{ CHILD_CRASHED, OUTCOME_COMPLETE, false, 10000, false },
		{ CHILD_CRASHED, OUTCOME_FAILED, true, 10000, false },
		{ CHILD_CRASHED, OUTCOME_FAILED, false, 9999, false },
		{ CHILD_OK, OUTCOME_INCOMPLETE, false, 10000, false },
		{ CHILD_ERROR, OUTCOME_FAILED, false, 10000, false },
		{ CHILD_STALLED, OUTCOME_INCOMPLETE, false, 10000, false },
		{ CHILD_TIMEOUT, OUTCOME_INCOMPLETE, false, 10000, false },
		{ CHILD_STUCK, OUTCOME_INCOMPLETE, false, 10000, false },
		{ CHILD_NO_FORK, OUTCOME_FAILED, false, 10000, false },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		f->in.outcome = t[i].outcome;
		f->in.careful = t[i].careful;
		if (again_wanted(&f->in, t[i].end, t[i].left_ms) != t[i].wanted)
			fail_msg("case %zu", i);
	}
}

static void test_begin(void **state)
{
	struct fixture *f = *state;
	struct again first;

	f->sh.progress.pages_done = 77;
	f->sh.progress.bytes_written = 4096;
	snprintf(f->in.why, sizeof(f->in.why), "crashed with signal 7");
	/* not writing yet: other pages were counted */
	f->in.outcome = OUTCOME_FAILED;
	again_begin(&f->in, &first);
	assert_int_equal(first.pages, 0);
	assert_true(f->in.careful);
	assert_string_equal(f->in.notes[0],
			    "the dump's process crashed with signal 7: the dump is made once more, "
			    "by one thread that reads /proc/vmcore instead of mapping it");
	f->in.outcome = OUTCOME_INCOMPLETE;
	again_begin(&f->in, &first);
	assert_int_equal(first.pages, 77);
	assert_int_equal(first.bytes, 4096);
	assert_string_equal(first.why, "crashed with signal 7");
}

static void test_put_aside(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	/* the first try may not have come to a file */
	assert_int_equal(again_put_aside(&f->in, f->dir.fd, &e), 0);
	tempdir_puts(&f->dir, "vmcore-incomplete", "part");
	assert_int_equal(again_put_aside(&f->in, f->dir.fd, &e), 0);
	assert_false(tempdir_has(&f->dir, "vmcore-incomplete"));
	assert_true(tempdir_has(&f->dir, "vmcore-first-incomplete"));
	/* it was whole, and had just got its name */
	tempdir_puts(&f->dir, "vmcore", "all");
	assert_int_equal(again_put_aside(&f->in, f->dir.fd, &e), -EEXIST);
	assert_true(tempdir_has(&f->dir, "vmcore"));
}

static void test_stays(void **state)
{
	static const struct {
		struct again first, second;
		bool stays;
	} t[] = {
		{ { OUTCOME_INCOMPLETE, 9, 0, "" }, { OUTCOME_COMPLETE, 0, 0, "" }, false },
		{ { OUTCOME_INCOMPLETE, 9, 0, "" }, { OUTCOME_INCOMPLETE, 8, 0, "" }, true },
		{ { OUTCOME_INCOMPLETE, 9, 0, "" }, { OUTCOME_INCOMPLETE, 9, 0, "" }, false },
		{ { OUTCOME_INCOMPLETE, 9, 0, "" }, { OUTCOME_FAILED, 0, 0, "" }, true },
		{ { OUTCOME_FAILED, 0, 0, "" }, { OUTCOME_FAILED, 0, 0, "" }, false },
		{ { OUTCOME_FAILED, 0, 0, "" }, { OUTCOME_INCOMPLETE, 1, 0, "" }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		if (again_first_stays(&t[i].first, &t[i].second) != t[i].stays)
			fail_msg("case %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_begin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_put_aside, setup, teardown),
		cmocka_unit_test(test_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
