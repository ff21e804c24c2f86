/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files as sinks: names, modes, sizes. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../sink.h"
#include "lib_scratch.h"

static struct scratch scratch;

/* What a sink says when its name is taken. */
static void test_names_taken(void **state)
{
	static const struct {
		const char *there; /* a file with this name */
		const char *out;
		int rc;
		const char *msg;
	} t[] = {
		{ "out", "out", -EEXIST, "/out exists: it is never overwritten" },
		{ "out-incomplete", "out", -EEXIST,
		  "/out-incomplete exists: it is never overwritten" },
		{ NULL, "no/such/out", -ENOENT, "/no/such/out: No such file or directory" },
		{ "file", "file/out", -ENOTDIR, "/file/out: Not a directory" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t) * 2; i++) {
		size_t k = i / 2;
		char path[256], names[256];
		struct err e = { 0 };
		struct sink *s = NULL;
		int fd = -1, rc;

		if (t[k].there)
			fd = creat(scratch_path(&scratch, path, sizeof(path), t[k].there), 0600);
		scratch_path(&scratch, path, sizeof(path), t[k].out);
		rc = i % 2 ? sink_flat_open(&s, path, &e) : sink_file_open(&s, path, false, &e);
		assert_int_equal(rc, t[k].rc);
		assert_int_equal(e.code, t[k].rc);
		assert_null(s);
		assert_non_null(strstr(e.msg, t[k].msg));
		scratch_list(&scratch, names, sizeof(names));
		if (t[k].there) {
			assert_non_null(strstr(names, t[k].there));
			close(fd);
			scratch_unlink(&scratch, t[k].there);
		}
		assert_int_equal(scratch_list(&scratch, names, sizeof(names)), 0);
	}
}

/* A name that was free when the dump began, and is not when it ends. */
static void test_name_taken_late(void **state)
{
	struct sink *s;
	struct err e = { 0 };
	char path[256], names[256];
	int fd;

	(void)state;
	assert_int_equal(
		sink_file_open(&s, scratch_path(&scratch, path, sizeof(path), "out"), false, &e),
		0);
	assert_int_equal(sink_pwrite(s, "dump", 4, 0, &e), 0);
	fd = creat(path, 0600);
	assert_int_equal(s->ops->commit(s, false, &e), -EEXIST);
	assert_non_null(strstr(e.msg, "out-incomplete to "));
	assert_non_null(strstr(e.msg, "/out: File exists"));
	s->ops->close(s);
	close(fd);
	scratch_list(&scratch, names, sizeof(names));
	assert_string_equal(names, "out out-incomplete");
	scratch_unlink(&scratch, "out");
	scratch_unlink(&scratch, "out-incomplete");
}

static void test_file_modes(void **state)
{
	struct stat st;
	struct sink *s;
	struct err e = { 0 };
	char path[256], temp[256];
	mode_t old = umask(0);

	(void)state;
	assert_int_equal(
		sink_file_open(&s, scratch_path(&scratch, path, sizeof(path), "out"), true, &e), 0);
	scratch_path(&scratch, temp, sizeof(temp), "out-incomplete");
	assert_int_equal(stat(temp, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(s->ops->commit(s, true, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(stat(temp, &st), -1);
	s->ops->close(s);
	umask(old);
	scratch_unlink(&scratch, "out");
}

/* A file grows in steps, each of which can be seen; what is in it stays. */
static void test_size_steps(void **state)
{
	static const struct {
		u64 size, moved, is;
	} t[] = {
		{ 5, 0, 5 }, /* nobody looks */
		{ SINK_STEP_BYTES + 5, 0, SINK_STEP_BYTES + 5 },
		{ SINK_STEP_BYTES * 5, 3, SINK_STEP_BYTES * 5 },
		{ 2, 0, 2 },
	};
	_Atomic u64 moved = 0;
	struct sink *s;
	struct stat st;
	struct err e = { 0 };
	char path[256], byte;
	int fd;

	(void)state;
	scratch_path(&scratch, path, sizeof(path), "out");
	assert_int_equal(sink_file_open(&s, path, false, &e), 0);
	assert_int_equal(sink_pwrite(s, "dump", 4, 0, &e), 0);
	assert_int_equal(s->ops->readback(s, &fd, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		s->moved = i ? &moved : NULL;
		atomic_store(&moved, 0);
		assert_int_equal(s->ops->set_size(s, t[i].size, &e), 0);
		assert_int_equal(moved, t[i].moved);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_size, t[i].is);
		assert_int_equal(pread(fd, &byte, 1, 1), 1);
		assert_int_equal(byte, 'u');
	}
	close(fd);
	s->ops->abandon(s, false);
	s->ops->close(s);
}

/* A test that failed may have left files: they must not fail the next one. */
static int clean(void **state)
{
	(void)state;
	scratch_unlink(&scratch, "out");
	scratch_unlink(&scratch, "out-incomplete");
	return 0;
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
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_names_taken, clean),
		cmocka_unit_test_teardown(test_name_taken_late, clean),
		cmocka_unit_test_teardown(test_file_modes, clean),
		cmocka_unit_test_teardown(test_size_steps, clean),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
