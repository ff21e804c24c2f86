/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../kexec.h"
#include "../prog.h"
#include "../run.h"

static void test_explain(void **state)
{
	static const struct {
		int code;
		struct kexec_may may;
		const char *msg;
	} t[] = {
		{ -EADDRNOTAVAIL, { true, false, false }, "larger crashkernel=" },
		{ -ENOMEM, { true, false, false }, "larger crashkernel=" },
		{ -ENOEXEC, { true, false, false }, "format is not accepted" },
		{ -EKEYREJECTED, { true, false, false }, "signature is not by a key" },
		{ -ENOKEY, { true, false, false }, "signed with a key that this kernel does not" },
		{ -ENODATA, { true, false, false }, "not signed" },
		{ -EBUSY, { true, false, false }, "under way" },
		{ -ENOSYS, { true, false, false }, "CONFIG_KEXEC_FILE" },
		{ -EPERM, { false, true, true }, "needs root" },
		{ -EPERM, { true, true, true }, "kexec_load_disabled is 1" },
		{ -EPERM, { true, false, true }, "lockdown" },
		{ -EPERM, { true, false, false }, "does not allow it" },
		{ -ENOSPC, { true, false, false }, "/boot/k: No space left on device" },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(kexec_explain(&e, t[i].code, "/boot/k", &t[i].may), t[i].code);
		assert_int_equal(e.code, t[i].code);
		assert_memory_equal(e.msg, "/boot/k: ", 9);
		if (!strstr(e.msg, t[i].msg))
			fail_msg("'%s' lacks '%s'", e.msg, t[i].msg);
	}
}

static void test_load_rejects(void **state)
{
	static const struct {
		struct kexec_image image;
		const char *msg;
	} t[] = {
		{ { "/nonexistent/k", "/dev/null", "", NULL }, "/nonexistent/k: No such file" },
		{ { "/dev/null", "/nonexistent/i", "", NULL }, "/nonexistent/i: No such file" },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(kexec_load(&t[i].image, &e), -ENOENT);
		assert_non_null(strstr(e.msg, t[i].msg));
	}
}

static void test_run(void **state)
{
	const char *good[] = { "true", NULL }, *bad[] = { "false", NULL };
	const char *none[] = { "crashpod-no-such-program", NULL };
	const char *killed[] = { "sh", "-c", "kill -9 $$", NULL };
	struct err e;

	(void)state;
	assert_int_equal(run_wait(good, &e), 0);
	assert_int_equal(run_wait(bad, &e), -EIO);
	assert_string_equal(e.msg, "false failed with exit status 1");
	assert_int_equal(run_wait(none, &e), -ENOENT);
	assert_string_equal(e.msg, "crashpod-no-such-program is not installed");
	assert_int_equal(run_wait(killed, &e), -EIO);
	assert_string_equal(e.msg, "sh was killed by signal 9");
}

/* With a user's PATH, as after su: what is run finds sbin's programs. */
static void test_prog_path(void **state)
{
	const char *argv[] = { "sh", "-c",
			       "case $PATH: in /usr/bin:/bin:/usr/sbin:*) ;; *) exit 3; esac",
			       NULL };
	char *old_path = strdup(getenv("PATH"));
	struct err e = { 0 };

	(void)state;
	assert_non_null(old_path);
	assert_int_equal(setenv("PATH", "/usr/bin:/bin", 1), 0);
	assert_int_equal(prog_run("", argv, &e), 0);
	/* once is enough */
	assert_int_equal(prog_run("", argv, &e), 0);
	assert_string_equal(getenv("PATH"), "/usr/bin:/bin:/usr/sbin:/sbin");
	assert_int_equal(unsetenv("PATH"), 0);
	argv[2] = "case $PATH in /usr/sbin:*) ;; *) exit 3; esac";
	assert_int_equal(prog_run("", argv, &e), 0);
	assert_int_equal(setenv("PATH", old_path, 1), 0);
	free(old_path);
}

/* A kexec that writes its arguments down. */
static void test_load_by_tool(void **state)
{
	const struct kexec_image image = { "/boot/k", "/i.img", "console=tty0 x=\"a b\"", NULL };
	char dir[] = "/tmp/crashpod-kexec-XXXXXX", path[64], out[64], got[256] = "";
	const char *rm[] = { "rm", "-rf", "--", dir, NULL };
	char *old_path = strdup(getenv("PATH"));
	char new_path[4096];
	struct err e;
	FILE *f;

	(void)state;
	assert_non_null(old_path);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/kexec", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\nprintf '<%%s>' \"$@\" > %s\n", out);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0700), 0);
	snprintf(new_path, sizeof(new_path), "%s:%s", dir, old_path);
	assert_int_equal(setenv("PATH", new_path, 1), 0);
	assert_int_equal(kexec_load_by_tool(&image, &e), 0);
	f = fopen(out, "r");
	assert_non_null(f);
	assert_true(fread(got, 1, sizeof(got) - 1, f) > 0);
	fclose(f);
	assert_string_equal(got, "<-p><--command-line=console=tty0 x=\"a b\"><--initrd=/i.img>"
				 "</boot/k>");

	assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
	assert_int_equal(kexec_load_by_tool(&image, &e), -ENOENT);
	assert_string_equal(e.msg, "this kernel has no kexec_file_load, and kexec-tools: kexec is "
				   "not installed");
	assert_int_equal(setenv("PATH", old_path, 1), 0);
	assert_int_equal(run_wait(rm, &e), 0);
	free(old_path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explain),	     cmocka_unit_test(test_load_rejects),
		cmocka_unit_test(test_run),	     cmocka_unit_test(test_prog_path),
		cmocka_unit_test(test_load_by_tool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
