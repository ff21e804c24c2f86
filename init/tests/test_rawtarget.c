/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of a raw target, without a dump: which slot, what is said, what is left in it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../dumper/base/record_read.h"
#include "../rawtarget.h"
#include "tempdir.h"

#define LOG "the dead kernel's log\n"

struct fixture {
	struct tempdir dir;
	struct init in;
	struct init_shared sh;
	struct raw_area a;
};

static int setup(void **state)
{
	static const char conf[] = "raw /dev/sdb3\nxfs LABEL=x\n";
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	assert_non_null(f);
	tempdir_open(&f->dir);
	f->in.sh = &f->sh;
	console_init(&f->in.con);
	conf_defaults(&f->in.conf);
	assert_int_equal(conf_parse(&f->in.conf, conf, strlen(conf), "f", NULL, NULL), 0);
	f->in.stamp = 1577836800;
	snprintf(f->sh.device, sizeof(f->sh.device), "%s/device", f->dir.path);
	fd = open(f->sh.device, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, RAW_AREA_MIN), 0);
	assert_int_equal(raw_area_make(fd, RAW_AREA_MIN, NULL), 0);
	close(fd);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tempdir_close(&f->dir);
	free(f);
	return 0;
}

static void look(struct fixture *f)
{
	raw_area_close(&f->a);
	assert_int_equal(raw_area_open(&f->a, f->sh.device, RAW_READ, NULL), 0);
}

static void assert_record(struct fixture *f, unsigned slot, const char *status)
{
	char *text, got[32];
	size_t len;

	assert_int_equal(raw_slot_read_record(&f->a, slot, &text, &len), 0);
	assert_int_equal(record_find(text, len, "status", got, sizeof(got)), 0);
	assert_string_equal(got, status);
	free(text);
}

/* Leaves a dump of that state in the slot. */
static void put(struct fixture *f, unsigned slot, enum raw_state state, s64 stamp)
{
	struct raw_slot_header h = { .state = state, .stamp = stamp, .dump_bytes = 1 };
	struct raw_area a;

	assert_int_equal(raw_area_open(&a, f->sh.device, RAW_WRITE, NULL), 0);
	assert_int_equal(raw_slot_put(&a, slot, &h, NULL), 0);
	raw_area_close(&a);
}

/* A dump child that was killed: log and record are there, and the slot says that it is not whole.
 */
static void test_killed(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };
	char *text;
	size_t len;

	f->a.fd = -1;
	assert_true(rawtarget_is(&f->in));
	assert_int_equal(rawtarget_find(&f->in, &e), 0);
	assert_true(f->sh.dir_made);
	assert_string_equal(f->sh.names.dir, "202001010000");
	assert_non_null(strstr(f->sh.said, "target /dev/sdb3 is /tmp/"));
	assert_int_equal(f->sh.slot, 0);
	look(f);
	assert_string_equal(raw_slot_state(&f->a.slots[0]), "free");

	assert_int_equal(rawtarget_triage(&f->in, LOG, strlen(LOG), &e), 0);
	look(f);
	assert_string_equal(raw_slot_state(&f->a.slots[0]), "writing");
	assert_int_equal(raw_slot_read_dmesg(&f->a, 0, &text, &len), 0);
	assert_string_equal(text, LOG);
	free(text);
	assert_record(f, 0, "writing");

	f->in.outcome = OUTCOME_INCOMPLETE;
	snprintf(f->in.why, sizeof(f->in.why), "it was killed");
	assert_int_equal(rawtarget_commit(&f->in, &e), 0);
	assert_false(f->sh.dump_whole);
	look(f);
	assert_string_equal(raw_slot_state(&f->a.slots[0]), "incomplete");
	assert_record(f, 0, "incomplete");
	raw_area_close(&f->a);
}

/* One that was killed when it had marked its dump complete. */
static void test_killed_late(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	f->a.fd = -1;
	assert_int_equal(rawtarget_find(&f->in, &e), 0);
	assert_int_equal(rawtarget_triage(&f->in, LOG, strlen(LOG), &e), 0);
	put(f, 0, RAW_COMPLETE, f->in.stamp);
	f->in.outcome = OUTCOME_FAILED;
	assert_int_equal(rawtarget_commit(&f->in, &e), 0);
	assert_true(f->sh.dump_whole);
	look(f);
	assert_string_equal(raw_slot_state(&f->a.slots[0]), "complete");
	assert_record(f, 0, "complete");
	raw_area_close(&f->a);
}

static void test_full(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	put(f, 0, RAW_COMPLETE, 1577836860);
	put(f, 1, RAW_COMPLETE, 1577836800);
	/* there is another target */
	assert_int_equal(rawtarget_find(&f->in, &e), -ENOSPC);
	assert_non_null(strstr(e.msg, "/device: both slots hold dumps that were not collected"));
	assert_false(f->sh.dir_made);
	f->in.conf.ntargets = 1;
	assert_int_equal(rawtarget_find(&f->in, &e), 0);
	assert_int_equal(f->sh.slot, 1);
	assert_non_null(strstr(f->sh.said, "slot 1 in place of 202001010000 (complete), which was "
					   "not collected"));
}

/* Nothing of an area that is gone, or of a slot that was not begun, is believed or written to. */
static void test_gone(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	assert_int_equal(rawtarget_commit(&f->in, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "slot 0 was not begun"));
	f->sh.slot = RAW_SLOTS;
	assert_int_equal(rawtarget_triage(&f->in, LOG, strlen(LOG), &e), -EINVAL);
	f->sh.slot = 0;
	tempdir_puts(&f->dir, "device", "something else");
	assert_int_equal(rawtarget_find(&f->in, &e), -ENODEV);
	assert_non_null(strstr(e.msg, "no crashpod raw area on it"));
	assert_int_equal(rawtarget_triage(&f->in, LOG, strlen(LOG), &e), -ENODEV);
	assert_int_equal(rawtarget_commit(&f->in, &e), -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
