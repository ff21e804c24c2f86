/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../run.h"
#include "../spare.h"
#include "../tree.h"

#define ALWAYS "initcall_blacklist=tracer_init_tracefs,slab_sysfs_init"
#define UNPROTECTED ALWAYS ",bio_integrity_initfn"

static void make_dir(const char *root, const char *path)
{
	char dir[PATH_MAX];

	assert_int_equal(tree_path(dir, root, "%s", path), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
}

/* format: NULL where the kernel has no such file. */
static void make_disk(const char *root, const char *name, const char *format)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/block/%s", name);
	make_dir(root, path);
	if (!format)
		return;
	snprintf(path, sizeof(path), "/sys/block/%s/integrity", name);
	make_dir(root, path);
	assert_int_equal(tree_path(path, root, "/sys/block/%s/integrity/format", name), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(format, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void test_disks(void **state)
{
	static const struct {
		const char *format[2]; /* of vda and nvme0n1 */
		const char *want;
	} t[] = {
		{ { NULL, NULL }, UNPROTECTED },
		{ { "none\n", "none\n" }, UNPROTECTED },
		{ { "none\n", "T10-DIF-TYPE1-CRC\n" }, ALWAYS },
		{ { "nop\n", "none\n" }, ALWAYS },
		/* what cannot be read may be anything */
		{ { "", "none\n" }, ALWAYS },
	};
	char word[SPARE_WORD_CAP];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char root[] = "/tmp/crashpod-spare-XXXXXX";
		const char *rm[] = { "rm", "-rf", "--", root, NULL };

		assert_non_null(mkdtemp(root));
		make_dir(root, "/sys");
		make_dir(root, "/sys/block");
		make_disk(root, "vda", t[i].format[0]);
		make_disk(root, "nvme0n1", t[i].format[1]);
		spare_word(word, root);
		assert_string_equal(word, t[i].want);
		assert_int_equal(run_wait(rm, NULL), 0);
	}
}

/* Without sysfs nothing is known of the disks. */
static void test_no_sysfs(void **state)
{
	char word[SPARE_WORD_CAP];

	(void)state;
	spare_word(word, "/nowhere");
	assert_string_equal(word, ALWAYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disks),
		cmocka_unit_test(test_no_sysfs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
