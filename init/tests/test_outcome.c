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

#include "../outcome.h"

struct fixture {
	struct init in;
	struct init_shared sh;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	console_init(&f->in.con);
	f->in.sh = &f->sh;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void test_result(void **state)
{
	static const struct {
		bool done;
		u32 result, phase;
		enum child_end end;
		enum dump_result want;
	} t[] = {
		{ true, DUMP_COMPLETE, DUMP_PHASE_DONE, CHILD_OK, DUMP_COMPLETE },
		{ true, DUMP_INCOMPLETE, DUMP_PHASE_DONE, CHILD_OK, DUMP_INCOMPLETE },
		{ true, DUMP_INCOMPLETE, DUMP_PHASE_DONE, CHILD_TIMEOUT, DUMP_INCOMPLETE },
		{ true, 77, DUMP_PHASE_DONE, CHILD_OK, DUMP_FAILED },
		{ false, DUMP_FAILED, DUMP_PHASE_CLASSIFY, CHILD_CRASHED, DUMP_FAILED },
		{ false, DUMP_FAILED, DUMP_PHASE_WRITE, CHILD_CRASHED, DUMP_INCOMPLETE },
		{ false, DUMP_FAILED, DUMP_PHASE_SYNC, CHILD_STUCK, DUMP_INCOMPLETE },
		{ false, DUMP_FAILED, DUMP_PHASE_WRITE, CHILD_ERROR, DUMP_FAILED },
		{ false, DUMP_FAILED, 77, CHILD_CRASHED, DUMP_FAILED },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		f->sh.dump_done = t[i].done;
		f->sh.dump_result = t[i].result;
		f->sh.progress.phase = t[i].phase;
		assert_int_equal(outcome_result(&f->sh, t[i].end), t[i].want);
	}
}

/* What the engine did otherwise is told and recorded, whether the dump is complete or not. */
static void test_fallbacks(void **state)
{
	struct fixture *f = *state;

	f->in.has_stats = true;
	f->sh.stats.level_asked = 31;
	f->sh.stats.level_used = 0;
	snprintf(f->sh.stats.reason, sizeof(f->sh.stats.reason), "not understood");
	outcome_take(&f->in, DUMP_COMPLETE, "");
	assert_int_equal(f->in.outcome, OUTCOME_COMPLETE);
	assert_int_equal(f->in.nnotes, 2);
	assert_string_equal(f->in.notes[0], "the dump level was lowered from 31 to 0");
	assert_string_equal(f->in.notes[1], "dump: not understood");
	assert_string_equal(f->sh.said,
			    "dump complete, 0 bytes, 0 of 0 pages at level 0, not verified");

	f->in.nnotes = 0;
	f->sh.stats.level_asked = 1;
	f->sh.stats.level_used = 31;
	f->sh.err.code = -ENOSPC;
	outcome_take(&f->in, DUMP_INCOMPLETE, "disk full");
	assert_int_equal(f->in.outcome, OUTCOME_INCOMPLETE);
	assert_int_equal(f->in.code, -ENOSPC);
	assert_string_equal(f->in.why, "disk full");
	assert_int_equal(f->in.nnotes, 1);
	assert_string_equal(f->in.notes[0], "the dump level was raised from 1 to 31");

	/* a child that was killed has no stats and no code of its own */
	f->in.nnotes = 0;
	f->in.has_stats = false;
	outcome_take(&f->in, DUMP_INCOMPLETE, "crashed");
	assert_int_equal(f->in.code, 0);
	assert_int_equal(f->in.nnotes, 0);
}

static void test_try_next(void **state)
{
	static const struct {
		enum outcome outcome;
		int code;
		u64 left_ms;
		bool next;
	} t[] = {
		{ OUTCOME_COMPLETE, 0, 60000, false },
		{ OUTCOME_FAILED, 0, 60000, true },
		{ OUTCOME_FAILED, -ENOENT, 0, true },
		{ OUTCOME_INCOMPLETE, -ENOSPC, 60000, true },
		{ OUTCOME_INCOMPLETE, -EIO, 60000, true },
		{ OUTCOME_INCOMPLETE, -EROFS, 60000, true },
		{ OUTCOME_INCOMPLETE, -EDQUOT, 60000, true },
		{ OUTCOME_INCOMPLETE, -EBADMSG, 60000, true },
		{ OUTCOME_INCOMPLETE, -ETIMEDOUT, 60000, true },
		{ OUTCOME_INCOMPLETE, -ENOSPC, 9999, false },
		{ OUTCOME_INCOMPLETE, -ECANCELED, 60000, false },
		{ OUTCOME_INCOMPLETE, 0, 60000, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		if (outcome_try_next(t[i].outcome, t[i].code, t[i].left_ms) != t[i].next)
			fail_msg("case %zu", i);
}

static void test_wants_kdump(void **state)
{
	static const struct {
		enum conf_format format;
		enum outcome outcome;
		int code;
		bool early, last;
	} t[] = {
		{ CONF_FORMAT_ELF, OUTCOME_FAILED, -EFBIG, true, true },
		/* older dumps may make room first */
		{ CONF_FORMAT_ELF, OUTCOME_FAILED, -ENOSPC, false, true },
		{ CONF_FORMAT_ELF, OUTCOME_FAILED, -EDQUOT, false, true },
		{ CONF_FORMAT_ELF, OUTCOME_FAILED, -EIO, false, false },
		{ CONF_FORMAT_ELF, OUTCOME_FAILED, 0, false, false },
		{ CONF_FORMAT_ELF, OUTCOME_INCOMPLETE, -EFBIG, false, false },
		{ CONF_FORMAT_ELF, OUTCOME_COMPLETE, 0, false, false },
		{ CONF_FORMAT_KDUMP, OUTCOME_FAILED, -EFBIG, false, false },
		{ CONF_FORMAT_KDUMP, OUTCOME_FAILED, -ENOSPC, false, false },
	};

	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		f->in.conf.format = t[i].format;
		f->in.outcome = t[i].outcome;
		f->in.code = t[i].code;
		if (outcome_wants_kdump(&f->in, false) != t[i].early ||
		    outcome_wants_kdump(&f->in, true) != t[i].last)
			fail_msg("case %zu", i);
	}
}

/* An incomplete dump on an earlier target is not forgotten when the next one fails. */
static void test_best(void **state)
{
	static const struct {
		enum outcome a, b, best;
	} t[] = {
		{ OUTCOME_NONE, OUTCOME_FAILED, OUTCOME_FAILED },
		{ OUTCOME_INCOMPLETE, OUTCOME_FAILED, OUTCOME_INCOMPLETE },
		{ OUTCOME_INCOMPLETE, OUTCOME_COMPLETE, OUTCOME_COMPLETE },
		{ OUTCOME_FAILED, OUTCOME_INCOMPLETE, OUTCOME_INCOMPLETE },
		{ OUTCOME_FAILED, OUTCOME_COMPLETE, OUTCOME_COMPLETE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(outcome_best(t[i].a, t[i].b), t[i].best);
}

static void test_reasons(void **state)
{
	char all[48] = "";

	(void)state;
	outcome_add_reason(all, sizeof(all), "UUID=1", "not there");
	assert_string_equal(all, "UUID=1: not there");
	outcome_add_reason(all, sizeof(all), "/dev/vda", "full");
	assert_string_equal(all, "UUID=1: not there; /dev/vda: full");
	outcome_add_reason(all, sizeof(all), "/dev/vdb", "a reason without room");
	assert_string_equal(all, "UUID=1: not there; /dev/vda: full; ...");
	outcome_add_reason(all, sizeof(all), "x", "y");
	assert_string_equal(all, "UUID=1: not there; /dev/vda: full; ...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_result, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fallbacks, setup, teardown),
		cmocka_unit_test(test_try_next),
		cmocka_unit_test_setup_teardown(test_wants_kdump, setup, teardown),
		cmocka_unit_test(test_best),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
