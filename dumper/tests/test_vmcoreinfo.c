/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../vmcoreinfo.h"
#include "../base/types.h"

static const char text[] = "OSRELEASE=6.1.0\n"
			   "SYMBOL(a)=ffffffff81000000\n"
			   "SYMBOL(b)=xyz\n"
			   "SYMBOL(c)=-1\n"
			   "SYMBOL(d)=11112222333344445\n"
			   "OFFSET(f.g)=24\n"
			   "OFFSET(f.h)=0x18\n"
			   "OFFSET(f.i)= 24\n"
			   "SIZE(f)=64\n"
			   "SIZE(f)=99\n"
			   "LENGTH(l)=11\n"
			   "NUMBER(n)=-129\n"
			   "NUMBER(o)=0xf0000000\n"
			   "NUMBER(p)=--1\n"
			   "NUMBER(q)=\n"
			   "NUMBER(r)=18446744073709551487\n"
			   "KERNELOFFSET=1c000000\n"
			   "=no key\n"
			   "no equals sign\n"
			   "\n"
			   "CTRL=a\tb\x7f"
			   "c\n"
			   "C1=a\x9b\xc2\x9bz\n"
			   "NUL=a\0b\n"
			   "LAST=without newline";

static struct vmcoreinfo *open_text(void)
{
	struct vmcoreinfo *vi = NULL;
	struct err e = { 0 };

	assert_int_equal(vmcoreinfo_open(&vi, text, sizeof(text) - 1, &e), 0);
	return vi;
}

static void test_numbers(void **state)
{
	enum kind { SYMBOL, OFFSET, SIZE, LENGTH, HEX };
	static const struct {
		enum kind kind;
		const char *name;
		int rc;
		u64 value;
	} t[] = {
		{ SYMBOL, "a", 0, 0xffffffff81000000 },
		{ SYMBOL, "b", -EINVAL, 0 },
		{ SYMBOL, "c", -EINVAL, 0 },
		{ SYMBOL, "d", -EINVAL, 0 },
		{ SYMBOL, "none", -ENOENT, 0 },
		{ OFFSET, "f.g", 0, 24 },
		{ OFFSET, "f.h", -EINVAL, 0 },
		{ OFFSET, "f.i", -EINVAL, 0 },
		{ OFFSET, "f", -ENOENT, 0 },
		{ SIZE, "f", 0, 64 }, /* of two the first counts */
		{ LENGTH, "l", 0, 11 },
		{ HEX, "KERNELOFFSET", 0, 0x1c000000 },
		{ HEX, "OSRELEASE", -EINVAL, 0 },
		{ HEX, "KERNELOFFSE", -ENOENT, 0 },
	};
	struct vmcoreinfo *vi = open_text();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		static int (*const get[])(const struct vmcoreinfo *, const char *,
					  u64 *) = { vmcoreinfo_symbol, vmcoreinfo_offset,
						     vmcoreinfo_size, vmcoreinfo_length,
						     vmcoreinfo_hex };
		u64 value = 0;
		int rc = get[t[i].kind](vi, t[i].name, &value);

		if (rc != t[i].rc || (rc == 0 && value != t[i].value))
			fail_msg("%s: %d %#llx", t[i].name, rc, (unsigned long long)value);
	}
	vmcoreinfo_free(vi);
}

static void test_signed_numbers(void **state)
{
	static const struct {
		const char *name;
		int rc;
		s64 value;
	} t[] = { { "n", 0, -129 },    { "o", 0, 0xf0000000 }, { "p", -EINVAL, 0 },
		  { "q", -EINVAL, 0 }, { "r", 0, -129 },       { "none", -ENOENT, 0 } };
	struct vmcoreinfo *vi = open_text();
	char name[200];
	s64 value = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		int rc = vmcoreinfo_number(vi, t[i].name, &value);

		if (rc != t[i].rc || (rc == 0 && value != t[i].value))
			fail_msg("%s: %d %lld", t[i].name, rc, (long long)value);
	}
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(vmcoreinfo_number(vi, name, &value), -ENOENT);
	vmcoreinfo_free(vi);
}

static void test_strings(void **state)
{
	static const struct {
		const char *key;
		size_t cap;
		int rc;
		const char *value;
	} t[] = {
		{ "OSRELEASE", 64, 0, "6.1.0" },
		{ "OSRELEASE", 4, 0, "6.1" },
		{ "LAST", 64, 0, "without newline" },
		{ "CTRL", 64, 0, "a?b?c" },
		{ "C1", 64, 0, "a???z" },
		{ "", 64, -ENOENT, "" },
		{ "NUL", 64, -ENOENT, "" },
		{ "no equals sign", 64, -ENOENT, "" },
	};
	struct vmcoreinfo *vi = open_text();
	size_t bad;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char buf[64] = "";

		assert_int_equal(vmcoreinfo_string(vi, t[i].key, buf, t[i].cap), t[i].rc);
		assert_string_equal(buf, t[i].value);
	}
	assert_int_equal(vmcoreinfo_lines(vi, &bad), 20);
	assert_int_equal(bad, 3);
	vmcoreinfo_free(vi);
}

static void test_garbage(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} t[] = { { "", 0 },
		  { "\n\n\n", 3 },
		  { "\0\0\0\0", 4 },
		  { "=\n=\n", 4 },
		  { "\xff\xfe garbage", 10 },
		  { "A\0=B\n", 5 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct vmcoreinfo *vi = NULL;
		struct err e = { 0 };
		char want[80];

		snprintf(want, sizeof(want), "VMCOREINFO: no KEY=VALUE line in %zu bytes",
			 t[i].len);
		assert_int_equal(vmcoreinfo_open(&vi, t[i].bytes, t[i].len, &e), -EINVAL);
		assert_string_equal(e.msg, want);
		assert_null(vi);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_numbers),
					    cmocka_unit_test(test_signed_numbers),
					    cmocka_unit_test(test_strings),
					    cmocka_unit_test(test_garbage) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
