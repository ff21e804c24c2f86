/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../base/err.h"
#include "../base/types.h"

static void test_chain(void **state)
{
	struct err e = { 0 };
	char long_text[600];

	(void)state;
	assert_int_equal(err_set(&e, -EIO, "phdr %u: read %d of %d", 3u, 12, 56), -EIO);
	assert_int_equal(e.code, -EIO);
	assert_int_equal(err_ctx(&e, "open %s", "/proc/vmcore"), -EIO);
	assert_int_equal(err_ctx(&e, "dump"), -EIO);
	assert_string_equal(e.msg, "dump: open /proc/vmcore: phdr 3: read 12 of 56");
	assert_int_equal(err_sys(&e, -ENOSPC, "write"), -ENOSPC);
	assert_string_equal(e.msg, "write: No space left on device");
	/* musl has no text for it */
	err_sys(&e, -EUCLEAN, "mount");
	assert_string_equal(e.msg, "mount: Structure needs cleaning");
	/* too long: cut at the end, never past it */
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	err_sys(&e, -EIO, "%s", long_text);
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
	err_set(&e, -EIO, "the cause");
	err_ctx(&e, "%s", long_text);
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
	assert_int_equal(e.code, -EIO);
}

/* Callers that do not want the message still get the code. */
static void test_without(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(NULL, -EINVAL, "x"), -EINVAL);
	assert_int_equal(err_sys(NULL, -ENOENT, "x"), -ENOENT);
	assert_int_equal(err_ctx(NULL, "x"), -EIO);
	assert_int_equal(err_ctx(&e, "nothing happened"), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_chain),
					    cmocka_unit_test(test_without) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
