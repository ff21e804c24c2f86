/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../base/json.h"

static void test_string_escapes(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "plain", "\"plain\"\n" },
		{ "", "\"\"\n" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"\n" },
		{ "1\n2\t3\r\x01\x7f", "\"1\\n2\\t3\\u000d\\u0001\\u007f\"\n" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7",
		  "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7\"\n" },
		{ "lone \xff", "\"lone \\u00ff\"\n" },
		{ "cut \xe2\x82", "\"cut \\u00e2\\u0082\"\n" },
		{ "overlong \xc0\xaf", "\"overlong \\u00c0\\u00af\"\n" },
		{ "overlong \xe0\x80\xaf", "\"overlong \\u00e0\\u0080\\u00af\"\n" },
		{ "surrogate \xed\xa0\x80", "\"surrogate \\u00ed\\u00a0\\u0080\"\n" },
		{ "c1 \xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\"c1 \\u0080\\u009b\\u009f\xc2\xa0\"\n" },
		{ "lines \xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9",
		  "\"lines \xe2\x80\xa7\\u2028\\u2029\"\n" },
		{ "turns \xe2\x80\xae\xe2\x80\xaf\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa",
		  "\"turns \\u202e\xe2\x80\xaf\\u2066\\u2069\xe2\x81\xaa\"\n" },
		{ "too high \xf4\x90\x80\x80", "\"too high \\u00f4\\u0090\\u0080\\u0080\"\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct json j;

		json_init(&j);
		json_string(&j, NULL, t[i].in);
		assert_int_equal(json_end(&j), 0);
		assert_string_equal(j.buf, t[i].out);
		assert_int_equal(j.len, strlen(t[i].out));
		json_deinit(&j);
	}
}

static void test_nesting(void **state)
{
	struct json j;

	(void)state;
	json_init(&j);
	json_object(&j, NULL);
	json_u64(&j, "max", UINT64_MAX);
	json_s64(&j, "min", INT64_MIN);
	json_object(&j, "empty");
	json_object_end(&j);
	json_array(&j, "list");
	json_string(&j, NULL, "a");
	json_bool(&j, NULL, true);
	json_object(&j, NULL);
	json_bool(&j, "no", false);
	json_object_end(&j);
	json_array_end(&j);
	json_seconds(&j, "s", 1.2345);
	json_seconds(&j, "nan", (double)NAN);
	json_object_end(&j);
	assert_int_equal(json_end(&j), 0);
	assert_string_equal(j.buf, "{\n"
				   "  \"max\": 18446744073709551615,\n"
				   "  \"min\": -9223372036854775808,\n"
				   "  \"empty\": {},\n"
				   "  \"list\": [\n"
				   "    \"a\",\n"
				   "    true,\n"
				   "    {\n"
				   "      \"no\": false\n"
				   "    }\n"
				   "  ],\n"
				   "  \"s\": 1.234,\n"
				   "  \"nan\": null\n"
				   "}\n");
	json_deinit(&j);
	assert_null(j.buf);
}

/* More text than one growth step holds, so the buffer has to move. */
static void test_grows(void **state)
{
	struct json j;

	(void)state;
	json_init(&j);
	json_array(&j, NULL);
	for (u64 i = 0; i < 10000; i++)
		json_u64(&j, NULL, i);
	json_array_end(&j);
	assert_int_equal(json_end(&j), 0);
	assert_int_equal(strlen(j.buf), j.len);
	assert_memory_equal(j.buf + j.len - 11, ",\n  9999\n]\n", 11);
	json_deinit(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_string_escapes),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
