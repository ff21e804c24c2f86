/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps copied out of a raw area: what is made of each state, and that nothing is lost or made
 * twice when the copying is cut off at any of its calls. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "../dump.h"
#include "../raw_collect.h"
#include "lib_golden.h"

#define STAMP 1577836800 /* 202001010000 */
#define LOG "the log\n"
#define RECORD "{\"kernel\": \"6.1\"}\n"

static struct scratch scratch;
static struct golden golden;
static char device[256], dir[256], said[4096];
static unsigned calls, last_call; /* 0: no call is the last */

/* The calls of this program that change anything; from the last one on they all fail, as after a
 * loss of power nothing is done any more. */
static bool is_cut(void)
{
	calls++;
	if (last_call && calls >= last_call)
		errno = EIO;
	return last_call && calls >= last_call;
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
	return is_cut() ? -1 : syscall(SYS_pwrite64, fd, buf, len, off);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	return fd > 2 && is_cut() ? -1 : syscall(SYS_write, fd, buf, len);
}

int fsync(int fd)
{
	(void)fd;
	return is_cut() ? -1 : 0;
}

int fdatasync(int fd)
{
	return fsync(fd);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return is_cut() ? -1 : (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

int unlinkat(int at, const char *name, int flags)
{
	return is_cut() ? -1 : (int)syscall(SYS_unlinkat, at, name, flags);
}

int mkdirat(int at, const char *name, mode_t mode)
{
	return is_cut() ? -1 : (int)syscall(SYS_mkdirat, at, name, mode);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static void take_line(void *arg, const char *line)
{
	size_t n = strlen(said);

	(void)arg;
	snprintf(said + n, sizeof(said) - n, "%s\n", line);
}

/* Dumps slot with that record; state RAW_WRITING: as when power is lost before its end. */
static void fill(unsigned slot, enum raw_state state, const char *record, time_t stamp)
{
	struct dump_opts o;
	struct dump_stats st;
	struct raw_area a;
	struct sink *s;
	struct err e = { 0 };

	dump_opts_init(&o);
	o.threads = 1;
	assert_int_equal(raw_area_open(&a, device, RAW_WRITE, &e), 0);
	assert_int_equal(raw_slot_begin(&a, slot, stamp, CONF_NAMING_DEBIAN, LOG, strlen(LOG),
					record, strlen(record), &e),
			 0);
	assert_int_equal(sink_raw_open(&s, &a, slot, device, false, &e), 0);
	assert_int_equal(dump_run_sink(golden.core, s, &o, &st, &e), DUMP_COMPLETE);
	if (state != RAW_COMPLETE)
		assert_int_equal(raw_slot_end(&a, slot, state, 0, &e), 0);
	raw_area_close(&a);
}

static void fresh(void)
{
	int fd = open(device, O_RDWR | O_CREAT | O_TRUNC, 0600);

	last_call = 0;
	assert_int_equal(ftruncate(fd, RAW_AREA_MIN), 0);
	assert_int_equal(raw_area_make(fd, RAW_AREA_MIN, NULL), 0);
	close(fd);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int collect(void)
{
	struct raw_area a;
	int rc;

	said[0] = '\0';
	assert_int_equal(raw_area_open(&a, device, RAW_CLAIM, NULL), 0);
	rc = raw_collect(&a, dir, &(struct raw_collect_to){ .say = take_line }, NULL);
	raw_area_close(&a);
	return rc;
}

static const char *state_of(unsigned slot)
{
	const char *name;
	struct raw_area a;

	assert_int_equal(raw_area_open(&a, device, RAW_READ, NULL), 0);
	name = raw_slot_state(&a.slots[slot]);
	raw_area_close(&a);
	return name;
}

static bool is_there(const char *name)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return lstat(path, &st) == 0;
}

static unsigned count_names(void)
{
	struct scratch in;
	char names[512];

	snprintf(in.dir, sizeof(in.dir), "%.*s", (int)sizeof(in.dir) - 1, dir);
	return scratch_list(&in, names, sizeof(names));
}

static void count_problem(void *arg, const char *line)
{
	(void)line;
	++*(unsigned *)arg;
}

static int verify(const char *name)
{
	struct verify_result r;
	unsigned problems = 0;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return verify_run(&r, path, count_problem, &problems);
}

static void assert_sound(void)
{
	assert_int_equal(verify("202001010000/dump.202001010000"), 0);
	assert_true(is_there("202001010000/dmesg.202001010000"));
	assert_true(is_there("202001010000/crashpod.json"));
	assert_false(is_there("202001010000/dump.202001010000-incomplete"));
}

static void test_complete(void **state)
{
	(void)state;
	fresh();
	fill(0, RAW_COMPLETE, RECORD, STAMP);
	assert_int_equal(collect(), 0);
	assert_sound();
	assert_non_null(strstr(said, "slot 0 is collected: "));
	assert_string_equal(state_of(0), "collected");
	assert_int_equal(count_names(), 1);
	/* there is nothing left to do */
	assert_int_equal(collect(), 0);
	assert_string_equal(said, "");
	assert_int_equal(count_names(), 1);
}

/* Two in one minute, and a name that something else has. */
static void test_names(void **state)
{
	char path[512];

	(void)state;
	fresh();
	assert_int_equal(mkdir(dir, 0700), 0);
	snprintf(path, sizeof(path), "%s/202001010000", dir);
	assert_int_equal(symlink("/nowhere", path), 0);
	fill(1, RAW_COMPLETE, RECORD, STAMP);
	fill(0, RAW_COMPLETE, "{\"kernel\": \"6.2\"}\n", STAMP);
	assert_int_equal(collect(), 0);
	assert_int_equal(verify("202001010000-1/dump.202001010000"), 0);
	assert_int_equal(verify("202001010000-2/dump.202001010000"), 0);
	assert_int_equal(count_names(), 3);
}

/* Where nobody said how long the dump is, it is looked at: what is in the file is all there. */
static void test_incomplete(void **state)
{
	static const enum raw_state states[] = { RAW_WRITING, RAW_INCOMPLETE };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		fresh();
		fill(0, states[i], RECORD, STAMP);
		assert_int_equal(collect(), 0);
		assert_int_equal(verify("202001010000/dump.202001010000-incomplete"), 0);
		assert_string_equal(state_of(0), "collected");
	}
}

/* Writes over the slot's bytes from off on. */
static void damage(u64 off, size_t len)
{
	u8 *junk = malloc(len);
	int fd = open(device, O_RDWR);

	assert_non_null(junk);
	memset(junk, 0xa5, len);
	assert_int_equal(syscall(SYS_pwrite64, fd, junk, len, RAW_SLOT_FIRST + off), len);
	close(fd);
	free(junk);
}

static void test_damaged(void **state)
{
	(void)state;
	fresh();
	fill(0, RAW_COMPLETE, RECORD, STAMP);
	damage(RAW_DMESG_OFF, 1);
	damage(RAW_RECORD_OFF, 2 * RAW_RECORD_MAX);
	assert_int_equal(collect(), 0);
	assert_non_null(strstr(said, "its record is lost"));
	assert_non_null(strstr(said, "its log is lost"));
	assert_int_equal(verify("202001010000/dump.202001010000"), 0);
	assert_true(is_there("202001010000/crashpod.json"));

	/* a complete dump that is not sound any more keeps its slot, and is copied once */
	fresh();
	fill(0, RAW_COMPLETE, RECORD, STAMP);
	damage(RAW_DUMP_OFF + 8192, 100000);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(collect(), -EBADMSG);
		assert_non_null(strstr(said, "not sound; the slot stays as it is"));
		assert_true(is_there("202001010000/dump.202001010000-incomplete"));
		assert_string_equal(state_of(0), "complete");
		assert_int_equal(count_names(), 1);
	}
	/* the other slot's dump is collected all the same */
	fill(1, RAW_COMPLETE, RECORD, STAMP + 60);
	assert_int_equal(collect(), -EBADMSG);
	assert_string_equal(state_of(1), "collected");
	assert_int_equal(verify("202001010001/dump.202001010001"), 0);
}

/* Cut off at each call in turn, and begun again. */
static void test_cut_off(void **state)
{
	unsigned at = 1, marked = 0;
	int rc;

	(void)state;
	do {
		fresh();
		fill(0, RAW_COMPLETE, RECORD, STAMP);
		calls = 0;
		last_call = at++;
		rc = collect();
		last_call = 0;
		if (!strcmp(state_of(0), "collected")) {
			marked++;
			assert_sound();
		}
		if (is_there("202001010000"))
			assert_sound();
		assert_int_equal(collect(), 0);
		assert_sound();
		assert_string_equal(state_of(0), "collected");
		if (count_names() != 1)
			fail_msg("cut at call %u: %u names", at - 1, count_names());
	} while (rc);
	assert_true(at > 8 && marked >= 1);
}

static int setup(void **state)
{
	(void)state;
	scratch_make(&scratch);
	golden_open(&golden, &scratch, "small.txt", NULL);
	scratch_path(&scratch, device, sizeof(device), "device");
	scratch_path(&scratch, dir, sizeof(dir), "crash");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	golden_close(&golden, &scratch);
	scratch_rm(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),   cmocka_unit_test(test_names),
		cmocka_unit_test(test_incomplete), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_cut_off),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
