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
#include "../ranges.h"

#define MAX_RANGES 6

static void test_settle(void **state)
{
	static const struct {
		struct range in[MAX_RANGES], out[MAX_RANGES];
	} t[] = {
		{ { { 0, 0, 0 } }, { { 0, 0, 0 } } },
		{ { { 8, 4, 100 } }, { { 8, 4, 100 } } },
		/* in order, and apart */
		{ { { 32, 4, 0 }, { 8, 4, 4 } }, { { 8, 4, 4 }, { 32, 4, 0 } } },
		/* abut in memory and in the file; in memory only */
		{ { { 8, 4, 100 }, { 12, 4, 104 } }, { { 8, 8, 100 } } },
		{ { { 8, 4, 100 }, { 12, 4, 200 } }, { { 8, 4, 100 }, { 12, 4, 200 } } },
		/* overlap: the one that begins first keeps its bytes */
		{ { { 8, 8, 100 }, { 12, 8, 200 } }, { { 8, 8, 100 }, { 16, 4, 204 } } },
		{ { { 12, 8, 200 }, { 8, 8, 100 } }, { { 8, 8, 100 }, { 16, 4, 204 } } },
		{ { { 8, 8, 100 }, { 8, 8, 300 } }, { { 8, 8, 100 } } },
		{ { { 8, 8, 100 }, { 8, 12, 300 } }, { { 8, 8, 100 }, { 16, 4, 308 } } },
		{ { { 8, 100, 0 }, { 12, 4, 900 }, { 50, 4, 800 } }, { { 8, 100, 0 } } },
		{ { { 8, 8, 0 }, { 10, 2, 50 }, { 14, 8, 60 }, { 30, 1, 9 } },
		  { { 8, 8, 0 }, { 16, 6, 62 }, { 30, 1, 9 } } },
		/* the same bytes twice become one */
		{ { { 8, 8, 100 }, { 12, 8, 104 } }, { { 8, 12, 100 } } },
		{ { { ~0ull - 8, 8, 5 } }, { { ~0ull - 8, 8, 5 } } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct ranges rs = { 0 };
		size_t n = 0;

		for (size_t k = 0; k < MAX_RANGES; k++)
			assert_int_equal(
				ranges_add(&rs, t[i].in[k].pa, t[i].in[k].size, t[i].in[k].off), 0);
		ranges_settle(&rs);
		while (n < MAX_RANGES && t[i].out[n].size)
			n++;
		assert_int_equal(rs.n, n);
		if (n)
			assert_memory_equal(rs.r, t[i].out, n * sizeof(*rs.r));
		ranges_deinit(&rs);
	}
}

/* What continues the range before it, in memory and file, takes no range of its own. */
static void test_append(void **state)
{
	static const struct range out[] = { { 8, 12, 100 }, { 20, 4, 200 }, { 0, 8, 92 } };
	struct ranges rs = { 0 };

	(void)state;
	assert_int_equal(ranges_append(&rs, 8, 0, 100), 0);
	assert_int_equal(ranges_append(&rs, 8, 4, 100), 0);
	assert_int_equal(ranges_append(&rs, 12, 8, 104), 0);
	assert_int_equal(ranges_append(&rs, 20, 4, 200), 0);
	assert_int_equal(ranges_append(&rs, 24, ~0ull - 7, 204), -EINVAL);
	assert_int_equal(ranges_append(&rs, 0, 8, 92), 0);
	assert_int_equal(rs.n, ARRAY_SIZE(out));
	assert_memory_equal(rs.r, out, sizeof(out));
	ranges_deinit(&rs);
}

static void test_find(void **state)
{
	static const struct {
		u64 pa;
		int index; /* -1: none */
	} t[] = { { 0, 0 },  { 8, 0 },	{ 15, 0 },  { 16, 1 },
		  { 30, 1 }, { 39, 1 }, { 40, -1 }, { ~0ull, -1 } };
	struct ranges rs = { 0 };

	(void)state;
	assert_null(ranges_find(&rs, 0));
	ranges_add(&rs, 8, 8, 0);
	ranges_add(&rs, 30, 10, 0);
	ranges_settle(&rs);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const struct range *r = ranges_find(&rs, t[i].pa);

		assert_ptr_equal(r, t[i].index < 0 ? NULL : &rs.r[t[i].index]);
	}
	assert_int_equal(ranges_add(&rs, 8, ~0ull - 7, 0), -EINVAL);
	assert_int_equal(ranges_add(&rs, ~0ull, 2, 0), -EINVAL);
	assert_int_equal(rs.n, 2);
	ranges_deinit(&rs);
}

/* Pages that are touched, if only by a byte. */
static void test_bits(void **state)
{
	struct ranges rs = { 0 };
	u64 bits[2] = { 0 };

	(void)state;
	ranges_add(&rs, 0x40 * PAGE_SIZE + 4095, 2, 0);
	ranges_add(&rs, 0x50 * PAGE_SIZE, PAGE_SIZE, 0);
	ranges_add(&rs, 0x7f * PAGE_SIZE, 100 * PAGE_SIZE, 0);
	ranges_add(&rs, 0x30 * PAGE_SIZE, PAGE_SIZE, 0);
	ranges_settle(&rs);
	ranges_bits(&rs, 0x40, 64, bits);
	assert_int_equal(bits[0], 3ull | 1ull << 16 | 1ull << 63);
	assert_int_equal(bits[1], 0);
	bits[0] = 0;
	ranges_bits(&rs, 0x80, 128, bits);
	assert_int_equal(bits[0], ~0ull);
	assert_int_equal(bits[1], (1ull << 35) - 1);
	memset(bits, 0, sizeof(bits));
	ranges_bits(&rs, 0x1000, 128, bits);
	assert_int_equal(bits[0] | bits[1], 0);
	ranges_deinit(&rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_settle),
					    cmocka_unit_test(test_append),
					    cmocka_unit_test(test_find),
					    cmocka_unit_test(test_bits) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
