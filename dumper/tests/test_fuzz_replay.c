/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fuzz targets without a fuzzer: each gets its seeds, and every input that was once a finding
 * (fuzz/inputs/TARGET/NAME.txt). A property that does not hold ends the program. */
#define FUZZ_REPLAY
#include "fuzz/fuzz_conf.c"
#include "fuzz/fuzz_dmesg.c"
#include "fuzz/fuzz_elf.c"
#include "fuzz/fuzz_flat.c"
#include "fuzz/fuzz_kdump.c"
#include "fuzz/fuzz_memmap.c"
#include "fuzz/fuzz_record.c"
#include "fuzz/fuzz_seeds.c"
#include "fuzz/fuzz_seeds_mem.c"
#include "fuzz/fuzz_support.c"
#include "fuzz/fuzz_text.c"
#include "fuzz/fuzz_vmcoreinfo.c"
#include "fuzz/fuzz_whole.c"
#include "fuzz/fuzz_xlat.c"
#include "fuzz/fuzz_zpage.c"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define REPLAY_SECONDS 30 /* for one input; what takes longer never ends */

typedef int (*target_fn)(const uint8_t *data, size_t size);

static const struct {
	const char *name;
	target_fn run;
} targets[] = {
	{ "conf", fuzz_conf },	   { "dmesg", fuzz_dmesg },
	{ "elf", fuzz_elf },	   { "flat", fuzz_flat },
	{ "kdump", fuzz_kdump },   { "memmap", fuzz_memmap },
	{ "record", fuzz_record }, { "whole", fuzz_whole },
	{ "xlat", fuzz_xlat },	   { "vmcoreinfo", fuzz_vmcoreinfo },
	{ "zpage", fuzz_zpage },
};

struct replay {
	target_fn run;
	unsigned inputs;
};

static target_fn find_target(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (strcmp(targets[i].name, name) == 0)
			return targets[i].run;
	}
	fail_msg("inputs for an unknown target %s", name);
	return NULL;
}

static void replay_one(void *arg, const char *name, const u8 *data, size_t size)
{
	struct replay *r = arg;
	/* of its own size, so that a byte past it is found */
	u8 *copy = malloc(size ? size : 1);

	(void)name;
	assert_non_null(copy);
	memcpy(copy, data, size);
	alarm(REPLAY_SECONDS);
	assert_int_equal(r->run(copy, size), 0);
	alarm(0);
	r->inputs++;
	free(copy);
}

/* Each seed, and pieces of it: a file may end anywhere. */
static void replay_cut(void *arg, const char *name, const u8 *data, size_t size)
{
	static const size_t parts[] = { 0, 1, 3, 63, 500 };

	replay_one(arg, name, data, size);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		replay_one(arg, name, data, size * parts[i] / 512);
}

static void test_seeds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		struct replay r = { .run = targets[i].run };
		const struct fuzz_seeds *s = fuzz_seeds_find(targets[i].name);

		assert_non_null(s);
		s->make(replay_cut, &r);
		assert_true(r.inputs >= 6);
	}
	/* no target is left out here */
	for (size_t i = 0; fuzz_seeds[i].target; i++)
		assert_non_null(find_target(fuzz_seeds[i].target));
}

static unsigned replay_dir(const char *target, const char *dir)
{
	struct replay r = { .run = find_target(target) };
	DIR *d = opendir(dir);
	struct dirent *de;
	char path[2048];

	assert_non_null(d);
	while ((de = readdir(d))) {
		size_t size;
		u8 *data;

		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		data = fuzz_text_read(target, path, &size);
		assert_non_null(data);
		replay_one(&r, de->d_name, data, size);
		free(data);
	}
	closedir(d);
	return r.inputs;
}

static void test_kept_inputs(void **state)
{
	char inputs[256], dir[1024];
	unsigned n = 0;
	struct dirent *de;
	DIR *d;

	(void)state;
	scratch_beside(__FILE__, "fuzz/inputs", inputs, sizeof(inputs));
	d = opendir(inputs);
	assert_non_null(d);
	while ((de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(dir, sizeof(dir), "%s/%s", inputs, de->d_name);
		n += replay_dir(de->d_name, dir);
	}
	closedir(d);
	assert_true(n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seeds),
		cmocka_unit_test(test_kept_inputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
