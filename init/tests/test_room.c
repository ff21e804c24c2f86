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

#include "../room.h"

static void test_wanted(void **state)
{
	static const struct {
		enum outcome outcome;
		int code;
		unsigned keep;
		u64 left_ms;
		bool want;
	} t[] = {
		{ OUTCOME_INCOMPLETE, -ENOSPC, 1, 60000, true },
		{ OUTCOME_INCOMPLETE, -EDQUOT, 5, 60000, true },
		{ OUTCOME_FAILED, -ENOSPC, 1, 60000, true },
		{ OUTCOME_COMPLETE, -ENOSPC, 1, 60000, false },
		{ OUTCOME_INCOMPLETE, -EIO, 1, 60000, false },
		{ OUTCOME_INCOMPLETE, 0, 1, 60000, false },
		{ OUTCOME_INCOMPLETE, -ENOSPC, 0, 60000, false },
		{ OUTCOME_INCOMPLETE, -ENOSPC, 1, 500, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct init in = { .outcome = t[i].outcome,
				   .code = t[i].code,
				   .conf = { .keep = t[i].keep } };

		if (room_wanted(&in, t[i].left_ms) != t[i].want)
			fail_msg("case %zu", i);
	}
}

static void test_missing(void **state)
{
	static const struct {
		u64 done, total, bytes, want;
	} t[] = {
		{ 0, 100, 1000, 0 },
		{ 100, 100, 1000, 0 },
		{ 200, 100, 1000, 0 },
		{ 50, 100, 0, 0 },
		{ 50, 100, 1000, 1500 }, /* 2500 in all, with the margin */
		{ 1, UINT64_MAX, UINT64_MAX, 1000000000000000000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(room_missing(t[i].done, t[i].total, t[i].bytes), t[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
