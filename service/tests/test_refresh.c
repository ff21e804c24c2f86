/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts that refresh goes by: what is loaded, what an image was made from; the kernels that are
 * installed; a program and what it prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../init/tests/tempdir.h"
#include "../inputs.h"
#include "../kernels.h"
#include "../load.h"
#include "../loaded.h"
#include "../loadlock.h"
#include "../refresh.h"
#include "../run.h"

static void test_loaded(void **state)
{
	struct loaded *l = calloc(2, sizeof(*l)), *got = l + 1;
	char append[] = "--append", words[] = "a  b=\"c d\" ", from[PATH_MAX];
	struct err e = { 0 };
	struct tempdir t;

	(void)state;
	assert_non_null(l);
	tempdir_open(&t);
	tempdir_mkdir(&t, "boot");
	tempdir_puts(&t, "boot/k", "kernel");
	tempdir_puts(&t, "boot/i i", "initrd");
	assert_int_equal(loaded_read(got, t.path), -ENOENT);
	snprintf(l->release, sizeof(l->release), "1.2");
	snprintf(l->kernel, sizeof(l->kernel), "/boot/k");
	snprintf(l->initrd, sizeof(l->initrd), "/boot/i i");
	l->when = 1234567890;
	l->began = 3000000000000000000;
	l->options[0] = append;
	l->options[1] = words;
	assert_int_equal(loaded_write(l, t.path, &e), 0);
	assert_int_equal(loaded_read(got, t.path), 0);
	assert_string_equal(got->release, "1.2");
	assert_string_equal(got->kernel, "/boot/k");
	assert_string_equal(got->initrd, "/boot/i i");
	assert_string_equal(got->options[0], append);
	assert_string_equal(got->options[1], words);
	assert_null(got->options[2]);
	assert_int_equal(got->when, 1234567890);
	assert_int_equal(loaded_changed(t.path, got->initrd, got->initrd_sum), 0);

	/* what was loaded counts, not what is there by the time that it is recorded */
	snprintf(from, sizeof(from), "%s/boot/before", t.path);
	tempdir_puts(&t, "boot/before", "before");
	l->kernel_from = l->initrd_from = from;
	assert_int_equal(loaded_write(l, t.path, &e), 0);
	l->kernel_from = l->initrd_from = NULL;
	assert_int_equal(loaded_changed(t.path, l->kernel, l->kernel_sum), 1);
	assert_int_equal(loaded_changed(t.path, l->initrd, l->initrd_sum), 1);
	assert_int_equal(loaded_changed(t.path, "/boot/before", l->kernel_sum), 0);
	assert_int_equal(loaded_write(l, t.path, &e), 0);

	/* reloading is for what is loaded, and changed, and there */
	assert_false(refresh_wants_reload(t.path));
	tempdir_mkdir(&t, "sys/kernel");
	tempdir_puts(&t, "sys/kernel/kexec_crash_loaded", "1\n");
	assert_false(refresh_wants_reload(t.path));
	/* of many who ask for the same, those that asked before the load began have what they want
	 */
	assert_true(loadlock_is_done(t.path, 2999999999999999999));
	assert_false(loadlock_is_done(t.path, 3000000000000000000));
	assert_false(loadlock_is_done(t.path, 0));
	tempdir_puts(&t, "boot/i i", "another");
	assert_int_equal(loaded_changed(t.path, got->initrd, got->initrd_sum), 1);
	assert_true(refresh_wants_reload(t.path));
	/* lost by a load that failed: it is loaded with the next occasion */
	tempdir_puts(&t, "sys/kernel/kexec_crash_loaded", "0\n");
	assert_true(load_was_lost(t.path));
	assert_true(refresh_wants_reload(t.path));
	assert_false(loadlock_is_done(t.path, 1));
	tempdir_puts(&t, "boot/i i", "initrd");
	assert_true(refresh_wants_reload(t.path));
	tempdir_puts(&t, "sys/kernel/kexec_crash_loaded", "1\n");
	assert_false(load_was_lost(t.path));
	assert_false(refresh_wants_reload(t.path));
	loaded_free(got);

	words[1] = '\n';
	assert_int_equal(loaded_write(l, t.path, &e), -EINVAL);
	l->options[0] = NULL;
	snprintf(l->kernel, sizeof(l->kernel), "/boot/gone");
	assert_int_equal(loaded_write(l, t.path, &e), -ENOENT);
	assert_int_equal(loaded_remove(t.path, &e), 0);
	tempdir_puts(&t, "sys/kernel/kexec_crash_loaded", "0\n");
	assert_false(load_was_lost(t.path));
	assert_false(refresh_wants_reload(t.path));
	assert_int_equal(loaded_read(got, t.path), -ENOENT);
	tempdir_close(&t);
	free(l);
}

static void test_differ(void **state)
{
	static const struct {
		const char *before, *now, *how;
	} t[] = {
		{ "conf a\ninit b\nimage x\n", "conf a\ninit b\n", "" },
		{ "conf a\n", "conf b\n", "the configuration" },
		{ "init a\nconf a\n", "init b\nconf b\n", "PID 1, the configuration" },
		{ "module e 1\n", "module e 1 depth=3\n", "module e" },
		{ "module e 1\nmodule f 2\n", "module g 1\n", "module e, module f, module g" },
		{ "option -x\n", "", "the options" },
		{ "", "layers 1\n", "the layers below the target" },
		{ "builder a\ncompression zstd\nkernel 1\n",
		  "builder b\ncompression xz\nkernel 2\n",
		  "mkinitrd, the compression, the kernel" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char how[200];

		inputs_differ(how, sizeof(how), t[i].before, t[i].now);
		assert_string_equal(how, t[i].how);
	}
	assert_true(inputs_has_module("a\nmodule ext4 1\n", "ext4"));
	assert_false(inputs_has_module("a\nmodule ext4 1\n", "ext"));
	assert_false(inputs_has_module("a\nxmodule ext4 1\n", "ext4"));
}

/* A list of names that is longer than its place ends between names. */
static void test_differ_long(void **state)
{
	char how[32];

	(void)state;
	inputs_differ(how, sizeof(how), "module aaaaaaaa 1\nmodule bbbbbbbb 1\nmodule c 1\n", "");
	assert_string_equal(how, "module aaaaaaaa, module c");
}

static void test_kernels(void **state)
{
	static const char *const dirs[] = { "lib/modules/2-b",	   "usr/lib/modules/1-a",
					    "usr/lib/modules/2-b", "lib/modules/3-headers",
					    "lib/modules/4-gone",  "boot" };
	static const char *const files[] = { "lib/modules/2-b/modules.dep",
					     "usr/lib/modules/2-b/modules.dep",
					     "boot/vmlinuz-2-b",
					     "usr/lib/modules/1-a/modules.dep",
					     "usr/lib/modules/1-a/vmlinuz",
					     "boot/vmlinuz-3-headers",
					     "lib/modules/4-gone/modules.dep" };
	struct kernels *k = calloc(1, sizeof(*k));
	struct err e = { 0 };
	struct tempdir t;

	(void)state;
	assert_non_null(k);
	tempdir_open(&t);
	assert_int_equal(kernels_find(k, t.path, &e), 0);
	assert_int_equal(k->n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		tempdir_mkdir(&t, dirs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		tempdir_puts(&t, files[i], "");
	assert_int_equal(kernels_find(k, t.path, &e), 0);
	assert_int_equal(k->n, 2);
	assert_string_equal(k->release[0], "1-a");
	assert_string_equal(k->release[1], "2-b");
	tempdir_close(&t);
	free(k);
}

static void test_run_read(void **state)
{
	static const struct {
		const char *script, *out, *msg;
		int rc;
	} t[] = {
		{ "echo a; echo b; echo c >&2", "a\nb\n", "", 0 },
		{ "exit 0", "", "", 0 },
		{ "echo a; echo one >&2; echo two >&2; exit 3", "a\n", "two", -EIO },
		{ "exit 3", "", "sh failed with exit status 3", -EIO },
		{ "kill -9 $$", "", "sh was killed by signal 9", -EIO },
		/* more than the end of stderr that is kept, in many pieces and in one */
		{ "i=0; while test $i -lt 300; do echo line $i >&2; i=$((i + 1)); done; exit 1", "",
		  "line 299", -EIO },
		{ "head -c 9000 /dev/zero | tr '\\0' x >&2; echo ' end' >&2; exit 1", "", " end",
		  -EIO },
		{ "head -c 2000000 /dev/zero", NULL, "what it printed: ", -EFBIG },
		{ "read x && echo \"$x\"; echo none", "none\n", "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const char *argv[] = { "sh", "-c", t[i].script, NULL };
		struct err e = { 0 };
		char *out = NULL;

		assert_int_equal(run_read(argv, &out, &e), t[i].rc);
		if (t[i].out)
			assert_string_equal(out, t[i].out);
		else
			assert_null(out);
		if (!strstr(e.msg, t[i].msg))
			fail_msg("%s: '%s'", t[i].script, e.msg);
		free(out);
	}
	{
		const char *argv[] = { "no-such-program-here", NULL };
		char *out;

		assert_int_equal(run_read(argv, &out, NULL), -ENOENT);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loaded),	    cmocka_unit_test(test_differ),
		cmocka_unit_test(test_differ_long), cmocka_unit_test(test_kernels),
		cmocka_unit_test(test_run_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
