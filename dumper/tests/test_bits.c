/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../base/bits.h"

enum { BITS = 320 };

/* One bool a bit: too simple to be wrong. */
static void check(const u64 *bits, const bool *plain)
{
	size_t count = 0;

	for (size_t i = 0; i < BITS; i++) {
		assert_int_equal(bit_test(bits, i), plain[i]);
		count += plain[i];
	}
	assert_int_equal(bit_count(bits, BITS / 64), count);
}

static void test_ranges(void **state)
{
	static const size_t at[] = { 0, 1, 31, 62, 63, 64, 65, 127, 128, 191, 192, 255, 319, 320 };

	(void)state;
	for (size_t a = 0; a < ARRAY_SIZE(at); a++) {
		for (size_t b = 0; b < ARRAY_SIZE(at); b++) {
			u64 bits[BITS / 64] = { 0 };
			bool plain[BITS] = { false };

			bit_set_range(bits, at[a], at[b]);
			for (size_t i = at[a]; i < at[b]; i++)
				plain[i] = true;
			check(bits, plain);
			for (size_t i = at[a]; i < at[b]; i += 3) {
				bit_clear(bits, i);
				plain[i] = false;
			}
			check(bits, plain);
		}
	}
}

static void test_next(void **state)
{
	u64 bits[BITS / 64] = { 0 };
	bool plain[BITS] = { false };

	(void)state;
	for (size_t i = 0; i < BITS; i += 1 + i / 3) {
		bit_set(bits, i);
		plain[i] = true;
	}
	bit_set_range(bits, 128, 256);
	memset(plain + 128, true, 128);
	for (size_t n = 0; n <= BITS; n += 5) {
		for (size_t from = 0; from <= BITS; from++) {
			size_t set = from, clear = from;

			while (set < n && !plain[set])
				set++;
			while (clear < n && plain[clear])
				clear++;
			assert_int_equal(bit_next(bits, n, from, true), MIN(set, n));
			assert_int_equal(bit_next(bits, n, from, false), MIN(clear, n));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ranges),
					    cmocka_unit_test(test_next) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
