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

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../child.h"
#include "../../dumper/base/clock.h"

struct shared {
	_Atomic u32 cancel;
	_Atomic u64 work;
	_Atomic u32 ticks;
};

static int returns(void *arg)
{
	return *(int *)arg;
}

static int crashes(void *arg)
{
	(void)arg;
	signal(SIGABRT, SIG_DFL);
	raise(SIGKILL);
	return 0;
}

static int sleeps(void *arg)
{
	(void)arg;
	clock_sleep_ms(60000);
	return 0;
}

/* Works until it is asked to stop. */
static int obeys(void *arg)
{
	struct shared *sh = arg;

	while (!atomic_load(&sh->cancel)) {
		atomic_fetch_add(&sh->work, 1);
		clock_sleep_ms(5);
	}
	return 0;
}

static u64 beat(void *arg)
{
	struct shared *sh = arg;

	return atomic_load(&sh->work);
}

static void tick(void *arg)
{
	struct shared *sh = arg;

	atomic_fetch_add(&sh->ticks, 1);
}

static void test_ends(void **state)
{
	struct child_watch w = { .deadline_ms = 10000 };
	int zero = 0, three = 3, signal_no = 0;

	(void)state;
	assert_int_equal(child_run(returns, &zero, &w, NULL), CHILD_OK);
	assert_int_equal(child_run(returns, &three, &w, NULL), CHILD_ERROR);
	assert_int_equal(child_run(crashes, NULL, &w, &signal_no), CHILD_CRASHED);
	assert_int_equal(signal_no, SIGKILL);
}

static void test_deadline(void **state)
{
	struct child_watch w = { .deadline_ms = 300 };
	u64 start = clock_ms();

	(void)state;
	assert_int_equal(child_run(sleeps, NULL, &w, NULL), CHILD_TIMEOUT);
	assert_true(clock_ms() - start >= 300);
	assert_true(clock_ms() - start < 5000);
}

static void test_stall(void **state)
{
	struct shared *sh = *state;
	struct child_watch w = { .deadline_ms = 60000, .stall_ms = 300, .beat = beat, .arg = sh };

	assert_int_equal(child_run(sleeps, NULL, &w, NULL), CHILD_STALLED);
}

/* One that gets on does not stall, and ends by itself when it is asked to. */
static void test_cancel(void **state)
{
	struct shared *sh = *state;
	struct child_watch w = { .deadline_ms = 900,
				 .stall_ms = 600,
				 .grace_ms = 5000,
				 .cancel = &sh->cancel,
				 .beat = beat,
				 .tick = tick,
				 .arg = sh };
	u64 start = clock_ms();

	assert_int_equal(child_run(obeys, sh, &w, NULL), CHILD_TIMEOUT);
	assert_true(clock_ms() - start < 4000);
	assert_int_equal(sh->cancel, 1);
	assert_true(sh->ticks >= 2);
}

/* One that does not obey is ended after the grace. */
static void test_grace(void **state)
{
	struct shared *sh = *state;
	struct child_watch w = { .deadline_ms = 100, .grace_ms = 300, .cancel = &sh->cancel };
	u64 start = clock_ms();

	assert_int_equal(child_run(sleeps, NULL, &w, NULL), CHILD_TIMEOUT);
	assert_true(clock_ms() - start >= 400);
	assert_true(clock_ms() - start < 5000);
}

static int setup(void **state)
{
	*state = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return *state == MAP_FAILED;
}

static int teardown(void **state)
{
	return munmap(*state, sizeof(struct shared));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test_setup_teardown(test_stall, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_grace, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
