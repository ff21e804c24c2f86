/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../base/io.h"
#include "lib_scratch.h"

static struct scratch scratch;

static void test_read_file(void **state)
{
	static const struct {
		size_t size, max;
		int rc;
	} t[] = { { 0, 10, 0 },		 { 10, 10, 0 },		 { 11, 10, -EFBIG },
		  { 4096, 4096, 0 },	 { 4097, 4096, -EFBIG }, { 100000, 1 << 20, 0 },
		  { 8192, 4096, -EFBIG } };
	char path[256], *buf;
	struct err e = { 0 };
	size_t len;

	(void)state;
	scratch_path(&scratch, path, sizeof(path), "file");
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		u8 *data = calloc(1, t[i].size + 1);

		for (size_t k = 0; k < t[i].size; k++)
			data[k] = (u8)(k * 7);
		assert_int_equal(io_write_all(fd, data, t[i].size), 0);
		close(fd);
		buf = NULL;
		assert_int_equal(io_read_file(path, t[i].max, &buf, &len, &e), t[i].rc);
		if (t[i].rc) {
			assert_null(buf);
			assert_non_null(strstr(e.msg, "/file: more than "));
		} else {
			assert_int_equal(len, t[i].size);
			assert_memory_equal(buf, data, len);
			assert_int_equal(buf[len], 0);
			free(buf);
		}
		free(data);
	}
	/* st_size is 0 there */
	assert_int_equal(io_read_file("/proc/self/status", 1 << 20, &buf, &len, &e), 0);
	assert_true(len > 100);
	free(buf);
	assert_int_equal(io_read_file("/no/such", 1, &buf, &len, &e), -ENOENT);
	assert_string_equal(e.msg, "/no/such: No such file or directory");
}

static void test_pread_pwrite(void **state)
{
	char path[256], buf[16];
	int fd;

	(void)state;
	fd = open(scratch_path(&scratch, path, sizeof(path), "file"), O_RDWR | O_CREAT | O_TRUNC,
		  0600);
	assert_int_equal(io_pwrite_all(fd, "0123456789", 10, 5), 0);
	assert_int_equal(io_pread_full(fd, buf, 16, 0), 15);
	assert_memory_equal(buf,
			    "\0\0\0\0\0"
			    "0123456789",
			    15);
	assert_int_equal(io_pread_full(fd, buf, 4, 13), 2);
	assert_int_equal(io_pread_full(fd, buf, 4, 15), 0);
	close(fd);
	assert_int_equal(io_pread_full(-1, buf, 4, 0), -EBADF);
	assert_int_equal(io_pwrite_all(-1, buf, 4, 0), -EBADF);
	assert_int_equal(io_write_all(-1, buf, 4), -EBADF);
	fd = open("/dev/full", O_WRONLY);
	assert_int_equal(io_write_all(fd, buf, 4), -ENOSPC);
	close(fd);
}

/* A pipe gives what it has: reads and writes go on until all is there. */
static void test_short_counts(void **state)
{
	enum { LEN = 300000 };
	u8 *data = malloc(LEN), *back = malloc(LEN);
	size_t got = 0;
	int fds[2], status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		data[i] = (u8)(i >> 3);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		_exit(io_write_all(fds[1], data, LEN) ? 1 : 0);
	close(fds[1]);
	while (got < LEN) {
		ssize_t n = read(fds[0], back + got, 1000);

		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_memory_equal(data, back, LEN);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fds[0]);
	free(data);
	free(back);
}

/* With some of 0 to 2 closed the next file gets none of them; those that are open stay. */
static void test_hold_std(void **state)
{
	(void)state;
	for (int closed = 0; closed < 8; closed++) {
		int status = -1;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			int null = open("/dev/null", O_RDWR), bad = 0;

			for (int fd = 0; fd <= 2; fd++) {
				dup2(null, fd);
				if (closed & 1 << fd)
					close(fd);
			}
			close(null);
			io_hold_std();
			for (int fd = 0; fd <= 2; fd++)
				bad |= (write(fd, "x", 1) == 1) == !!(closed & 1 << fd);
			_exit(bad || open("/", O_RDONLY) != 3);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
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

/* The largest offset that lseek(2) takes; the offset and the file stay what they were. */
static void test_file_max(void **state)
{
	char path[256];
	struct stat st;
	int fd, ends[2];
	u64 max;

	(void)state;
	scratch_path(&scratch, path, sizeof(path), "max");
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(io_write_all(fd, "abc", 3), 0);
	max = io_file_max(fd);
	assert_true(max >= (u64)1 << 32);
	assert_int_equal(lseek(fd, (off_t)max, SEEK_SET), (off_t)max);
	if (max < INT64_MAX)
		assert_int_equal(lseek(fd, (off_t)max + 1, SEEK_SET), -1);
	io_file_max(fd);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 3);
	close(fd);
	assert_int_equal(pipe(ends), 0);
	assert_true(io_file_max(ends[1]) == UINT64_MAX);
	close(ends[0]);
	close(ends[1]);
}

/* Of vfat's largest file not even the largest cluster is left half used. */
static void test_file_safe(void **state)
{
	static const struct {
		u64 max, safe;
	} t[] = {
		{ UINT32_MAX, ((u64)4095 << 20) },
		{ (u64)UINT32_MAX - 1, (u64)UINT32_MAX - 1 },
		{ (u64)UINT32_MAX + 1, (u64)UINT32_MAX + 1 },
		{ 17247252480, 17247252480 },
		{ UINT64_MAX, UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_true(io_file_safe(t[i].max) == t[i].safe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_max),     cmocka_unit_test(test_file_safe),
		cmocka_unit_test(test_read_file),    cmocka_unit_test(test_pread_pwrite),
		cmocka_unit_test(test_short_counts), cmocka_unit_test(test_hold_std)
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
