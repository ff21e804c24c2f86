/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../base/naming.h"

static void test_make(void **state)
{
	static const struct {
		enum conf_naming style;
		time_t when;
		unsigned serial;
		const char *dir, *dump, *dmesg;
	} t[] = {
		{ CONF_NAMING_DEBIAN, 0, 0, "197001010000", "dump.197001010000",
		  "dmesg.197001010000" },
		{ CONF_NAMING_DEBIAN, 1234567890, 2, "200902132331-2", "dump.200902132331",
		  "dmesg.200902132331" },
		{ CONF_NAMING_RHEL, 1234567890, 0, "127.0.0.1-2009-02-13-23:31:30", "vmcore",
		  "vmcore-dmesg.txt" },
		{ CONF_NAMING_RHEL, 1234567890, 11, "127.0.0.1-2009-02-13-23:31:30-11", "vmcore",
		  "vmcore-dmesg.txt" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct naming n, back;

		naming_make(&n, t[i].style, t[i].when, t[i].serial);
		assert_string_equal(n.dir, t[i].dir);
		assert_string_equal(n.dump, t[i].dump);
		assert_string_equal(n.dmesg, t[i].dmesg);
		assert_true(naming_parse(&back, n.dir));
		assert_memory_equal(&n, &back, sizeof(n));
	}
}

static void test_parse_rejects(void **state)
{
	static const char *const t[] = {
		"",
		".",
		"..",
		"lost+found",
		"20090213233",
		"2009021323311",
		"200902132331-",
		"200902132331-0",
		"200902132331-01",
		"200902132331-1234567",
		"200902132331-1x",
		"200902132331-incomplete",
		"200913132331",
		"200900132331",
		"200902322331",
		"200902132431",
		"200902132360",
		"127.0.0.1-2009-02-13-23:31",
		"127.0.0.1-2009-02-13-23:31:61",
		"127.0.0.2-2009-02-13-23:31:30",
		"127.0.0.1-",
		"127.0.0.1",
		"2009-02-13-23:31:30",
		"127.0.0.1-2009-02-13-23:31:30/../x",
		"127.0.0.1-2009-02-13-23:31:30-000000000000000000000000000000000000000000000000000",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct naming n;

		if (naming_parse(&n, t[i]))
			fail_msg("'%s' was taken for a dump's directory", t[i]);
	}
}

static void test_age(void **state)
{
	static const struct {
		const char *dir;
		u64 stamp, serial;
	} t[] = {
		{ "200902132331", 20090213233100, 0 },
		{ "200902132331-2", 20090213233100, 2 },
		{ "127.0.0.1-2009-02-13-23:31:30", 20090213233130, 0 },
		{ "127.0.0.1-2009-02-13-23:31:30-11", 20090213233130, 11 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		u64 stamp, serial;

		naming_age(t[i].dir, &stamp, &serial);
		assert_int_equal(stamp, t[i].stamp);
		assert_int_equal(serial, t[i].serial);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_parse_rejects),
		cmocka_unit_test(test_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
