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

#include "../progress.h"

static void test_line(void **state)
{
	static const struct {
		struct progress_view v;
		const char *line;
		unsigned percent;
	} t[] = {
		{ { DUMP_PHASE_OPEN, 0, 0, 0, 0 }, "opening", 0 },
		{ { DUMP_PHASE_CLASSIFY, 100, 25, 0, 3000 }, "classifying 25%, 9 s left", 25 },
		{ { DUMP_PHASE_CLASSIFY, 0, 0, 0, 3000 }, "classifying 0%", 0 },
		{ { DUMP_PHASE_WRITE, 200, 84, 1230000000, 10000 },
		  "writing 42%, 123 MB/s, 14 s left",
		  42 },
		{ { DUMP_PHASE_WRITE, 200, 0, 0, 0 }, "writing 0%", 0 },
		{ { DUMP_PHASE_WRITE, 10, 20, 1000000, 1000 },
		  "writing 100%, 1 MB/s, 0 s left",
		  100 },
		{ { DUMP_PHASE_WRITE, UINT64_MAX, UINT64_MAX / 2, 0, 2000 },
		  "writing 50%, 0 MB/s, 2 s left",
		  50 },
		{ { DUMP_PHASE_VERIFY, 200, 84, 5, 1000 }, "verifying 42%, 1 s left", 42 },
		{ { DUMP_PHASE_SYNC, 10, 10, 5, 1000 }, "syncing", 0 },
		{ { 77, 10, 10, 5, 1000 }, "?", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char line[96], small[8];

		assert_int_equal(progress_line(line, sizeof(line), &t[i].v), t[i].percent);
		assert_string_equal(line, t[i].line);
		progress_line(small, sizeof(small), &t[i].v);
		assert_memory_equal(small, t[i].line, strlen(small));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
