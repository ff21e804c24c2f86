/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are written whole or not at all: by the owner of what is there, or over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../init/tests/tempdir.h"
#include "../put.h"

static void is_text(const char *path, const char *text)
{
	char got[64] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_true(fread(got, 1, sizeof(got) - 1, f) > 0);
	fclose(f);
	assert_string_equal(got, text);
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* A link is followed, and mode and owner stay: it is the system's own file. */
static void test_file(void **state)
{
	char file[PATH_MAX], link[PATH_MAX];
	struct err e = { 0 };
	struct tempdir t;

	(void)state;
	tempdir_open(&t);
	snprintf(file, sizeof(file), "%s/file", t.path);
	snprintf(link, sizeof(link), "%s/link", t.path);
	tempdir_puts(&t, "file", "before");
	assert_int_equal(chmod(file, 0640), 0);
	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(put_file(link, "after", 5, 0600, &e), 0);
	is_text(file, "after");
	assert_int_equal(mode_of(file), 0640);
	tempdir_close(&t);
}

/* What somebody has put there beforehand gets nothing to read. */
static void test_output(void **state)
{
	char file[PATH_MAX], link[PATH_MAX], fifo[PATH_MAX];
	struct err e = { 0 };
	struct tempdir t;

	(void)state;
	tempdir_open(&t);
	snprintf(file, sizeof(file), "%s/file", t.path);
	snprintf(link, sizeof(link), "%s/link", t.path);
	snprintf(fifo, sizeof(fifo), "%s/fifo", t.path);
	tempdir_puts(&t, "file", "before");
	assert_int_equal(chmod(file, 0666), 0);
	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(mkfifo(fifo, 0666), 0);
	assert_int_equal(put_output(link, "after", 5, 0600, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "/link is not a regular file but a symbolic link"));
	assert_int_equal(put_output(fifo, "after", 5, 0600, &e), -EINVAL);
	is_text(file, "before");
	assert_int_equal(put_output(file, "after", 5, 0600, &e), 0);
	is_text(file, "after");
	assert_int_equal(mode_of(file), 0600);
	unlink(file);
	assert_int_equal(put_output(file, "new", 3, 0600, &e), 0);
	assert_int_equal(mode_of(file), 0600);
	snprintf(file, sizeof(file), "%s/gone/file", t.path);
	assert_int_equal(put_output(file, "new", 3, 0600, &e), -ENOENT);
	tempdir_close(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
