/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../base/record_read.h"

static void test_finds(void **state)
{
	static const struct {
		const char *json, *key, *value;
		int rc;
	} t[] = {
		{ "{\"kernel\": \"6.1\"}", "kernel", "6.1", 0 },
		{ " {\n \"a\":1 ,\n \"kernel\" : \"6.1\" \n}\n", "kernel", "6.1", 0 },
		{ "{\"a\":{\"kernel\":\"no\"},\"kernel\":\"yes\"}", "kernel", "yes", 0 },
		{ "{\"a\":[\"}\",[{}]],\"b\":-1.5e3,\"c\":true,\"kernel\":\"yes\"}", "kernel",
		  "yes", 0 },
		{ "{\"k\":\"a\\\"b\\\\c\\/d\\n\\u0041\\u001b\"}", "k", "a\"b\\c/d A?", 0 },
		{ "{\"k\":\"\x1b[2J\xc3\xa9\"}", "k", "?[2J??", 0 },
		{ "{\"k\":\"0123456789012345678901234567890123456789\"}", "k",
		  "0123456789012345678901234567890", 0 },
		{ "{\"k\":1}", "k", "", -ENOENT },
		{ "{\"k\":{}}", "k", "", -ENOENT },
		{ "{\"a\":1}", "k", "", -ENOENT },
		{ "{\"a\":\"k\"}", "k", "", -ENOENT },
		{ "", "k", "", -EINVAL },
		{ "{", "k", "", -EINVAL },
		{ "{}", "k", "", -EINVAL },
		{ "[\"k\"]", "k", "", -EINVAL },
		{ "{\"k\"", "k", "", -EINVAL },
		{ "{\"k\":\"x", "k", "", -EINVAL },
		{ "{\"k\":\"x\\", "k", "", -EINVAL },
		{ "{\"k\":\"x\\u00", "k", "", -EINVAL },
		{ "{\"k\":\"\\u00zz\"}", "k", "", -EINVAL },
		{ "{\"k\":\"\\q\"}", "k", "", -EINVAL },
		{ "{\"a\":[[[", "k", "", -EINVAL },
		{ "{\"a\":\"x", "k", "", -EINVAL },
		{ "{\"a\":]", "k", "", -ENOENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		/* exactly as long as the text, so that a read past its end is found */
		size_t len = strlen(t[i].json);
		char *copy = test_malloc(len + 1), out[32];
		int rc;

		memcpy(copy + 1, t[i].json, len);
		rc = record_find(copy + 1, len, t[i].key, out, sizeof(out));
		if (rc != t[i].rc || strcmp(out, t[i].value) != 0)
			fail_msg("%s: %d '%s'", t[i].json, rc, out);
		test_free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
