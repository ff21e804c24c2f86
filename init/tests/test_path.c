/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../path.h"
#include "../target.h"
#include "tempdir.h"

static unsigned mode_of(struct tempdir *t, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(t->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void test_make_dirs(void **state)
{
	static const char *const paths[] = { "/var/crash", "/var//crash/", "/", "", "/x" };
	struct tempdir t;
	int fd;

	(void)state;
	tempdir_open(&t);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct err e = { 0 };

		if (path_open_dir(t.fd, paths[i], true, &fd, &e))
			fail_msg("%s: %s", paths[i], e.msg);
		close(fd);
		assert_int_equal(path_open_dir(t.fd, paths[i], false, &fd, &e), 0);
		close(fd);
	}
	assert_int_equal(mode_of(&t, "var"), 0700);
	assert_int_equal(mode_of(&t, "var/crash"), 0700);
	tempdir_close(&t);
}

static void test_refuses(void **state)
{
	static const struct {
		const char *path;
		bool make;
		int rc;
		const char *msg;
	} t[] = {
		{ "/link/x", true, -ELOOP, "link: a symbolic link, which is not followed" },
		{ "/real/dangling", true, -ELOOP, "dangling: a symbolic link" },
		{ "/real/file/x", true, -ENOTDIR, "file: " },
		{ "/real/none", false, -ENOENT, "none: " },
		{ "/real/../real", true, -EINVAL, "'..' in the path" },
		{ "/real/./x", true, -EINVAL, "'.' in the path" },
	};
	struct tempdir d;

	(void)state;
	tempdir_open(&d);
	tempdir_mkdir(&d, "real");
	tempdir_puts(&d, "real/file", "x");
	assert_int_equal(symlinkat("real", d.fd, "link"), 0);
	assert_int_equal(symlinkat("/nowhere", d.fd, "real/dangling"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct err e = { 0 };
		int fd = -1;

		assert_int_equal(path_open_dir(d.fd, t[i].path, t[i].make, &fd, &e), t[i].rc);
		if (!strstr(e.msg, t[i].msg))
			fail_msg("%s: %s", t[i].path, e.msg);
		assert_int_equal(fd, -1);
	}
	assert_false(tempdir_has(&d, "real/x"));
	tempdir_close(&d);
}

static void assert_content(struct tempdir *t, const char *path, const char *want)
{
	char buf[64] = "";
	int fd = openat(t->fd, path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, buf, sizeof(buf) - 1) >= 0);
	close(fd);
	assert_string_equal(buf, want);
}

static void test_write_file(void **state)
{
	struct err e = { 0 };
	struct tempdir t;

	(void)state;
	tempdir_open(&t);
	umask(0);
	assert_int_equal(path_write_file(t.fd, "a", "one", 3, false, &e), 0);
	assert_int_equal(mode_of(&t, "a"), 0600);
	assert_content(&t, "a", "one");
	assert_false(tempdir_has(&t, "a-incomplete"));
	assert_int_equal(path_write_file(t.fd, "a", "two", 3, false, &e), -EEXIST);
	assert_content(&t, "a", "one");
	assert_int_equal(path_write_file(t.fd, "a", "three", 5, true, &e), 0);
	assert_content(&t, "a", "three");

	/* what a crash left in between does not stop the next write */
	tempdir_puts(&t, "a-incomplete", "rest");
	assert_int_equal(path_write_file(t.fd, "a", "four", 4, true, &e), 0);
	assert_content(&t, "a", "four");

	/* neither name is followed where it is a link */
	tempdir_puts(&t, "victim", "safe");
	assert_int_equal(symlinkat("victim", t.fd, "b-incomplete"), 0);
	assert_int_equal(path_write_file(t.fd, "b", "x", 1, false, &e), -EEXIST);
	assert_int_equal(symlinkat("victim", t.fd, "c"), 0);
	assert_int_equal(path_write_file(t.fd, "c", "x", 1, true, &e), 0);
	assert_content(&t, "victim", "safe");
	assert_content(&t, "c", "x");
	tempdir_close(&t);
}

/* A name that is taken, by whatever it is, gets a serial number. */
static void test_dump_dir_serial(void **state)
{
	struct err e = { 0 };
	struct naming n;
	struct tempdir t;

	(void)state;
	tempdir_open(&t);
	assert_int_equal(target_new_dump_dir(t.fd, CONF_NAMING_DEBIAN, 0, &n, &e), 0);
	assert_string_equal(n.dir, "197001010000");
	assert_int_equal(symlinkat("/nowhere", t.fd, "197001010000-1"), 0);
	assert_int_equal(target_new_dump_dir(t.fd, CONF_NAMING_DEBIAN, 59, &n, &e), 0);
	assert_string_equal(n.dir, "197001010000-2");
	assert_string_equal(n.dump, "dump.197001010000");
	assert_int_equal(mode_of(&t, "197001010000-2"), 0700);
	tempdir_close(&t);
}

/* What is made is ours alone, whatever the umask; what is not is refused. */
static void test_private(void **state)
{
	static const struct {
		mode_t mode;
		int rc;
	} t[] = { { 0700, 0 }, { 01700, 0 }, { 0710, -EPERM }, { 0704, -EPERM }, { 0722, -EPERM } };
	struct tempdir d;
	struct err e = { 0 };
	int fd;

	(void)state;
	tempdir_open(&d);
	umask(0);
	assert_int_equal(path_new_dir(d.fd, "dump", &fd, &e), 0);
	close(fd);
	assert_int_equal(path_new_dir(d.fd, "dump", &fd, &e), -EEXIST);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(fchmodat(d.fd, "dump", t[i].mode, 0), 0);
		assert_int_equal(path_open_dir(d.fd, "/dump", false, &fd, &e), 0);
		assert_int_equal(path_check_private(&fd, "dump", &e), t[i].rc);
		if (t[i].rc)
			assert_int_equal(fd, -1);
		else
			close(fd);
	}
	assert_non_null(strstr(e.msg, "dump: of user "));
	tempdir_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make_dirs),  cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_write_file), cmocka_unit_test(test_dump_dir_serial),
		cmocka_unit_test(test_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
