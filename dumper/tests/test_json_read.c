/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of JSON text: at most one value is asked of each. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../base/json.h"
#include "../base/json_read.h"

static int parse(struct json_doc *d, const char *text)
{
	/* exactly as long as the text, so that a read past its end is found */
	size_t len = strlen(text);
	char *copy = malloc(len + 1);
	int rc;

	memcpy(copy + 1, text, len);
	rc = json_doc_parse(d, copy + 1, len);
	free(copy);
	return rc;
}

static void test_values(void **state)
{
	static const struct {
		const char *json, *path, *text;
		bool counts;
		u64 count;
	} t[] = {
		{ "{\"a\":\"x\"}", "a", "x", false, 0 },
		{ " { \"a\" : { \"b\" : [ 1, 2 ], \"c\" : \"d\\n\\u0041\\\"\" } } ", "a.c", "d A\"",
		  false, 0 },
		{ "{\"a\":{\"b\":18446744073709551615}}", "a.b", "", true, UINT64_MAX },
		{ "{\"a\":18446744073709551616}", "a", "", false, 0 },
		{ "{\"a\":-1}", "a", "", false, 0 },
		{ "{\"a\":1.5}", "a", "", false, 0 },
		{ "{\"a\":0}", "a", "", true, 0 },
		{ "{\"ab\":1,\"a\":2}", "a", "", true, 2 },
		{ "{\"a\":\"\x1b[2J\xc3\xa9\"}", "a", "?[2J??", false, 0 },
		{ "{\"a\":[\"x\"]}", "a.b", "", false, 0 },
		{ "{\"a\":null,\"b\":true}", "b", "", false, 0 },
		{ "{\"a\":\"\"}", "a", "", false, 0 },
		{ "[]", "a", "", false, 0 },
		{ "7", "", "", true, 7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct json_doc d;
		u64 v;

		if (parse(&d, t[i].json))
			fail_msg("%s: not read", t[i].json);
		if (strcmp(json_text(&d, NULL, t[i].path), t[i].text) != 0 ||
		    json_count(&d, NULL, t[i].path, &v) != t[i].counts || v != t[i].count)
			fail_msg("%s: '%s' %d %llu", t[i].json, json_text(&d, NULL, t[i].path),
				 json_count(&d, NULL, t[i].path, &v), (unsigned long long)v);
		json_doc_free(&d);
	}
}

static void test_arrays(void **state)
{
	const struct json_node *n;
	struct json_doc d;
	double sum = 0;

	(void)state;
	assert_int_equal(parse(&d, "{\"s\":[{\"t\":0.25},{\"t\":1e1},{},3]}"), 0);
	for (n = json_first(&d, json_at(&d, NULL, "s")); n; n = json_next(&d, n))
		sum += json_real(&d, n, "t");
	assert_true(sum > 10.2 && sum < 10.3);
	json_doc_free(&d);
}

static void test_refused(void **state)
{
	static const char *const t[] = {
		"",
		" ",
		"{",
		"}",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":1",
		"{\"a\":1,",
		"{\"a\":1,}",
		"{\"a\":1}}",
		"{1:2}",
		"[1",
		"[1,]",
		"[1 2]",
		"nul",
		"tru",
		"+",
		"1e999",
		"--1",
		"\"",
		"\"\\",
		"\"\\u12",
		"{\"a\" 1}",
		"1 2",
		"1111111111111111111111111111111111111111111111111111111111",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct json_doc d;

		if (parse(&d, t[i]) != -EINVAL)
			fail_msg("%s: is read", t[i]);
		assert_null(d.nodes);
	}
}

/* Every beginning of a text is refused; none of them reads past its end. */
static void test_cut(void **state)
{
	static const char whole[] = "{\"a\": [1, \"b\\u0041\", {\"c\": -1.5e3}], \"d\": true}";
	struct json_doc d;

	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		char *copy = malloc(n + 1);

		memcpy(copy + 1, whole, n);
		assert_int_equal(json_doc_parse(&d, copy + 1, n), -EINVAL);
		free(copy);
	}
	assert_int_equal(parse(&d, whole), 0);
	json_doc_free(&d);
}

static void test_bounds(void **state)
{
	char *deep = malloc(100001), *wide;
	struct json_doc d;
	struct json j;

	(void)state;
	memset(deep, '[', 100000);
	deep[100000] = '\0';
	assert_int_equal(parse(&d, deep), -E2BIG);
	free(deep);
	wide = malloc(400001);
	for (size_t i = 0; i < 200000; i++)
		memcpy(wide + 2 * i, i ? "1," : "[ ", 2);
	wide[400000] = '\0';
	assert_int_equal(parse(&d, wide), -E2BIG);
	free(wide);
	/* what is written is read */
	json_init(&j);
	json_object(&j, NULL);
	json_string(&j, "x", "\x01 \xff\n\"");
	json_object_end(&j);
	assert_int_equal(json_end(&j), 0);
	assert_int_equal(parse(&d, j.buf), 0);
	assert_string_equal(json_text(&d, NULL, "x"), "? ? \"");
	json_doc_free(&d);
	json_deinit(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
