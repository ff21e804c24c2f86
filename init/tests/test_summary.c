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

#include "../summary.h"

static const char a[] = "UUID=1-2", b[] = "LABEL=b";

static const struct step_log steps_of_two_targets[] = {
	{ .name = "mounts", .took_ms = 9, .ok = true },
	{ .name = "modules", .took_ms = 61500, .ok = false, .msg = "it hangs" },
	{ .name = "target", .took_ms = 310, .ok = true, .target = a },
	{ .name = "dump", .took_ms = 2204, .ok = true, .part = true, .target = a },
	{ .name = "target", .took_ms = 30000, .ok = false, .target = b },
	{ .name = "sync", .took_ms = 10, .ok = true },
};

/* A line for each target, and for what is none's before and after. */
static void test_lines(void **state)
{
	static const char *const want[] = {
		"seconds: mounts 0.01, modules 61.50 failed",
		"seconds on UUID=1-2: target 0.31, dump 2.20 incomplete",
		"seconds on LABEL=b: target 30.00 failed",
		"seconds: sync 0.01",
	};
	static struct init in;
	unsigned from = 0;
	char line[512];

	(void)state;
	memcpy(in.log, steps_of_two_targets, sizeof(steps_of_two_targets));
	in.nlog = ARRAY_SIZE(steps_of_two_targets);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_true(summary_line(&in, &from, line, sizeof(line)));
		assert_string_equal(line, want[i]);
	}
	assert_false(summary_line(&in, &from, line, sizeof(line)));
}

/* As many steps as there can be are all told, in lines that a console takes; a small buffer is
 * not overrun and ends all the same. */
static void test_many(void **state)
{
	static const size_t caps[] = { 512, 20, 1 };
	static struct init in;

	(void)state;
	for (in.nlog = 0; in.nlog < INIT_LOG_MAX; in.nlog++)
		in.log[in.nlog] =
			(struct step_log){ .name = "a step", .took_ms = 123456789, .ok = true };
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		unsigned from = 0, lines = 0, told = 0;
		char line[512];

		for (; summary_line(&in, &from, line, caps[i]); lines++) {
			assert_true(strlen(line) < MIN(caps[i], (size_t)130));
			for (const char *p = line; (p = strstr(p, "a step 123456.79")); p++)
				told++;
		}
		assert_int_equal(from, INIT_LOG_MAX);
		assert_true(lines >= 1);
		if (i == 0)
			assert_int_equal(told, INIT_LOG_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
