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

#include "../modules.h"

/* Each result as "path|params;" or "!;" for a line that cannot be used. */
static void test_lines(void **state)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "# a\n  # b\n", "" },
		{ "/lib/a.ko", "/lib/a.ko|;" },
		{ "lib/a.ko\n/lib/b.ko\n", "/lib/a.ko|;/lib/b.ko|;" },
		{ "  /lib/a.ko \t x=1  y=\"a b\" \r\n", "/lib/a.ko|x=1  y=\"a b\";" },
		{ "/a.ko # not a comment\n", "/a.ko|# not a comment;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const char *p = t[i].text;
		size_t len = strlen(p);
		struct module_line m;
		char got[2048] = "";

		while (modules_next(&p, &len, &m) == 1)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%.99s|%.99s;",
				 m.path, m.params);
		assert_string_equal(got, t[i].want);
		assert_int_equal(len, 0);
	}
}

/* A line that is too long is told apart from the end, and the next one is read. */
static void test_long_lines(void **state)
{
	static const size_t at[] = { 1, 20 }; /* in the path; in the parameters */

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		char text[1200];
		const char *p = text;
		size_t len = sizeof(text);
		struct module_line m;

		memset(text, 'x', sizeof(text));
		text[0] = '/';
		text[at[i]] = ' ';
		if (at[i] == 1)
			memset(text, 'y', 600);
		memcpy(text + sizeof(text) - 6, "\n/b.ko", 6);
		assert_int_equal(modules_next(&p, &len, &m), -EINVAL);
		assert_int_equal(modules_next(&p, &len, &m), 1);
		assert_string_equal(m.path, "/b.ko");
		assert_int_equal(modules_next(&p, &len, &m), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
