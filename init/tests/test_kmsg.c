/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../dumper/base/types.h"
#include "../kmsg.h"

static void test_warning(void **state)
{
	static const struct {
		const char *rec, *text; /* NULL: no warning */
	} t[] = {
		{ "3,812,4321,-;EXT4-fs (vdb): VFS: Can't find ext4 filesystem\n",
		  "EXT4-fs (vdb): VFS: Can't find ext4 fil" },
		{ "4,1,2,-;XFS (vdb): bad\n SUBSYSTEM=block\n DEVICE=b254:16\n", "XFS (vdb): bad" },
		{ "4,1,2,-,caller=T1;bad", "bad" },
		{ "6,1,2,-;EXT4-fs (vdb): recovery complete\n", NULL },
		/* a facility above the level */
		{ "28,1,2,-;user's warning\n", "user's warning" },
		{ "30,1,2,-;user's word\n", NULL },
		{ "3,1,2,-;\n", NULL },
		{ "3,1,2,-", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char out[40] = "x";
		bool found = kmsg_warning(t[i].rec, strlen(t[i].rec), out, sizeof(out));

		if (found != !!t[i].text || strcmp(out, t[i].text ? t[i].text : "") != 0)
			fail_msg("'%s': %d '%s'", t[i].rec, found, out);
	}
}

static void test_nowhere(void **state)
{
	char out[8] = "x";

	(void)state;
	assert_false(kmsg_complaint(-1, out, sizeof(out)));
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warning),
		cmocka_unit_test(test_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
