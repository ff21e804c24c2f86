/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dump's file in a directory where others may write: what lies in the way, and what changes while
 * the dump is written. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../sink.h"
#include "lib_scratch.h"

static struct scratch scratch;

static const char *at(char *buf, const char *name)
{
	return scratch_path(&scratch, buf, 256, name);
}

static int make_link(const char *path)
{
	return symlink("victim", path);
}

static int make_fifo(const char *path)
{
	return mkfifo(path, 0666);
}

static int make_dir(const char *path)
{
	return mkdir(path, 0777);
}

/* Neither is followed, opened or replaced; a FIFO without a reader would wait for ever. */
static void test_in_the_way(void **state)
{
	static int (*const make[])(const char *path) = { make_link, make_fifo, make_dir };
	static const char *const names[] = { "out", "out-incomplete" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(make) * ARRAY_SIZE(names); i++) {
		const char *name = names[i % ARRAY_SIZE(names)];
		char path[256], out[256], left[256];
		struct err e = { 0 };
		struct sink *s = NULL;

		assert_int_equal(make[i / ARRAY_SIZE(names)](at(path, name)), 0);
		assert_int_equal(sink_file_open(&s, at(out, "out"), true, &e), -EEXIST);
		scratch_list(&scratch, left, sizeof(left));
		assert_string_equal(left, name);
		assert_int_equal(remove(path), 0);
	}
}

static void test_private(void **state)
{
	mode_t old = umask(0);
	struct err e = { 0 };
	struct sink *s;
	struct stat st;
	char path[256];

	(void)state;
	assert_int_equal(sink_file_open(&s, at(path, "out"), true, &e), 0);
	umask(old);
	assert_int_equal(stat(at(path, "out-incomplete"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sink_pwrite(s, "x", 1, 0, &e), 0);
	assert_int_equal(s->ops->commit(s, true, &e), 0);
	s->ops->close(s);
	assert_int_equal(stat(at(path, "out"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	unlink(path);
}

/* Somebody moves the file and puts another in its place: that gets no dump's name, and stays. */
static void swap_file(bool commit)
{
	char path[256], moved[256], left[256];
	struct err e = { 0 };
	struct sink *s;
	int fd;

	assert_int_equal(sink_file_open(&s, at(path, "out"), false, &e), 0);
	assert_int_equal(rename(at(path, "out-incomplete"), at(moved, "moved")), 0);
	fd = creat(path, 0666);
	assert_true(fd >= 0);
	close(fd);
	if (commit) {
		assert_int_equal(s->ops->commit(s, false, &e), -ESTALE);
		assert_non_null(strstr(e.msg, "out-incomplete to "));
	} else {
		s->ops->abandon(s, false);
	}
	s->ops->close(s);
	scratch_list(&scratch, left, sizeof(left));
	assert_string_equal(left, "moved out-incomplete");
	unlink(path);
	unlink(moved);
}

static void test_file_swapped(void **state)
{
	(void)state;
	swap_file(true);
	swap_file(false);
}

/* The directory that was opened is the one that gets the file, whatever its name has become. */
static void test_dir_swapped(void **state)
{
	char dir[256], out[256], moved[256], path[256];
	struct err e = { 0 };
	struct sink *s;

	(void)state;
	assert_int_equal(mkdir(at(dir, "dir"), 0700), 0);
	assert_int_equal(mkdir(at(path, "other"), 0700), 0);
	assert_int_equal(sink_file_open(&s, at(out, "dir/out"), true, &e), 0);
	assert_int_equal(rename(dir, at(moved, "moved")), 0);
	assert_int_equal(symlink("other", dir), 0);
	assert_int_equal(s->ops->sync(s, &e), 0);
	assert_int_equal(s->ops->commit(s, true, &e), 0);
	s->ops->close(s);
	assert_int_equal(unlink(at(path, "moved/out")), 0);
	assert_int_equal(unlink(dir), 0);
	assert_int_equal(rmdir(moved), 0);
	assert_int_equal(rmdir(at(path, "other")), 0);
}

static int setup(void **state)
{
	(void)state;
	scratch_make(&scratch);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_rm(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_the_way),
		cmocka_unit_test(test_private),
		cmocka_unit_test(test_file_swapped),
		cmocka_unit_test(test_dir_swapped),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
