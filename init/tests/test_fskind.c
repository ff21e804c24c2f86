/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../dumper/base/types.h"
#include "../fskind.h"
#include "../modparams.h"

/* "MODULES|PARAMS BEFORE|COMMAND LINE" to the parameters that are passed. */
static void test_modparams(void **state)
{
	static const struct {
		const char *path, *before, *cmdline, *want;
	} t[] = {
		{ "/m/nvme.ko", "", "", "" },
		{ "/m/nvme.ko", "", "root=/dev/sda quiet", "" },
		{ "/m/nvme.ko", "", "nvme.io_timeout=60", "io_timeout=60" },
		{ "/m/nvme.ko", "a=1", "nvme.io_timeout=60\n", "a=1 io_timeout=60" },
		/* a word that is there is not said twice; another value comes last and overrules */
		{ "/m/nvme.ko", "b=2", "nvme.b=2 nvme.b=3", "b=2 b=3" },
		/* '-' and '_' are the same in the module's name, not in the parameter's */
		{ "/m/usb-storage.ko", "", "usb_storage.delay_use=0 usb-storage.quirks=a-b",
		  "delay_use=0 quirks=a-b" },
		{ "/m/usb_storage.ko", "", "usb-storage.delay_use=0", "delay_use=0" },
		{ "/m/sd_mod.ko.xz", "", "sd_mod.x=1", "x=1" },
		/* no value: a flag. No parameter: nothing. Names that only begin the same: nothing
		 */
		{ "/m/nvme.ko", "", "nvme.flag nvme. nvme nvme_core.x=1 nvmex.y=2 xnvme.z=3",
		  "flag" },
		{ "/m/a.ko", "", "a.x=\"1 2\" a.y=3", "x=\"1 2\" y=3" },
		/* a quote without an end holds the rest */
		{ "/m/a.ko", "", "a.x=\"1 a.y=3", "x=\"1 a.y=3" },
		{ "/m/a.ko", "", "b=\" a.y=3 \" a.z=1", "z=1" },
		{ "/m/a.ko", "", "a.x=1 -- a.y=2", "x=1" },
		{ "/m/a.ko", "", "a.x=1 --a a.y=2", "x=1 y=2" },
		{ "/m/.ko", "", ".x=1", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char params[64];

		snprintf(params, sizeof(params), "%s", t[i].before);
		assert_int_equal(modparams_add(params, sizeof(params), t[i].path, t[i].cmdline), 0);
		assert_string_equal(params, t[i].want);
	}
}

/* What has no room is left out whole, and told; what comes after it and has room is taken. */
static void test_modparams_room(void **state)
{
	char params[8] = "";

	(void)state;
	assert_int_equal(modparams_add(params, sizeof(params), "a.ko", "a.1234567"), 0);
	assert_string_equal(params, "1234567");
	params[0] = '\0';
	assert_int_equal(modparams_add(params, sizeof(params), "a.ko", "a.12345678 a.x=1"),
			 -ENAMETOOLONG);
	assert_string_equal(params, "x=1");
	assert_int_equal(modparams_add(params, sizeof(params), "a.ko", "a.y=12"), -ENAMETOOLONG);
	assert_string_equal(params, "x=1");
	assert_int_equal(modparams_add(params, sizeof(params), "a.ko", "a.y=1"), 0);
	assert_string_equal(params, "x=1 y=1");
}

static void test_fskind(void **state)
{
	(void)state;
	assert_null(fskind_of("ext4")->data);
	assert_false(fskind_of("nothing of the kind")->plain_names);
	assert_true(fskind_of("vfat")->plain_names);
	assert_true(fskind_of("exfat")->plain_names);
	assert_non_null(strstr(fskind_of("vfat")->limit, "4 GiB"));
	assert_null(fskind_of("exfat")->limit);
	assert_string_equal(fskind_of("exfat")->data, "umask=0077");
	assert_string_equal(fskind_of("btrfs")->data, "subvolid=5");
	assert_false(fskind_of("btrfs")->plain_names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modparams),
		cmocka_unit_test(test_modparams_room),
		cmocka_unit_test(test_fskind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
