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

#include "../../dumper/base/clock.h"
#include "../steps.h"

/* Steps of the tests leave a letter in the first note, which no runner touches. */
static void leave(struct init *in, char c)
{
	size_t n = strlen(in->notes[0]);

	in->notes[0][n] = c;
	in->notes[0][n + 1] = '\0';
}

static int here_a(struct init *in, const struct step *s, struct err *e)
{
	(void)s;
	(void)e;
	leave(in, 'a');
	snprintf(in->sh->said, sizeof(in->sh->said), "a was here");
	return 0;
}

static int here_skip(struct init *in, const struct step *s, struct err *e)
{
	(void)s;
	(void)e;
	leave(in, 's');
	return STEP_SKIP;
}

static int here_fail(struct init *in, const struct step *s, struct err *e)
{
	(void)s;
	leave(in, 'f');
	return err_set(e, -EIO, "broken \x1b");
}

static int child_says(struct init *in, struct err *e)
{
	(void)e;
	leave(in, 'X'); /* lost: a child has a copy */
	snprintf(in->sh->said, sizeof(in->sh->said), "the child says so");
	return 0;
}

static int child_fails(struct init *in, struct err *e)
{
	(void)in;
	return err_set(e, -ENOSPC, "disk full");
}

static int child_crashes(struct init *in, struct err *e)
{
	(void)e;
	memset(in->sh->said, 'x', sizeof(in->sh->said));
	raise(SIGKILL);
	return 0;
}

/* The first time only. */
static int child_crashes_once(struct init *in, struct err *e)
{
	(void)e;
	if (!in->sh->module++)
		raise(SIGKILL);
	return 0;
}

static int child_hangs(struct init *in, struct err *e)
{
	(void)in;
	(void)e;
	clock_sleep_ms(60000);
	return 0;
}

/* Nothing to say, but it took its time. */
static int here_slow(struct init *in, const struct step *s, struct err *e)
{
	(void)in;
	(void)s;
	(void)e;
	clock_sleep_ms(150);
	return 0;
}

static int here_part(struct init *in, const struct step *s, struct err *e)
{
	(void)s;
	(void)e;
	snprintf(in->sh->said, sizeof(in->sh->said), "half of it");
	return STEP_PART;
}

static const struct step once[] = {
	{ "once", STEP_BOOT, STEP_STOP, 10, NULL, child_crashes_once },
	{ NULL, STEP_END, STEP_GO_ON, 0, NULL, NULL },
};

static const struct step table[] = {
	{ "one", STEP_BOOT, STEP_GO_ON, 0, here_a, NULL },
	{ "skipped", STEP_BOOT, STEP_GO_ON, 0, here_skip, NULL },
	{ "soft", STEP_BOOT, STEP_GO_ON, 0, here_fail, NULL },
	{ "child", STEP_BOOT, STEP_GO_ON, 10, NULL, child_says },
	{ "full", STEP_TARGET, STEP_STOP, 10, NULL, child_fails },
	{ "never", STEP_TARGET, STEP_STOP, 0, here_a, NULL },
	{ "slow", STEP_TARGET_END, STEP_STOP, 0, here_slow, NULL },
	{ "part", STEP_TARGET_END, STEP_STOP, 0, here_part, NULL },
	{ "crash", STEP_LOST, STEP_GO_ON, 10, NULL, child_crashes },
	{ "hang", STEP_LOST, STEP_GO_ON, 1, NULL, child_hangs },
	{ "last", STEP_LOST, STEP_GO_ON, 0, here_a, NULL },
	{ NULL, STEP_END, STEP_GO_ON, 0, NULL, NULL },
};

struct fixture {
	struct init in;
	int out; /* what is said */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd[2];

	if (!f || pipe(fd))
		return -1;
	f->in.sh = mmap(NULL, sizeof(*f->in.sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	f->in.watchdog_fd = -1;
	f->in.start_ms = clock_ms();
	f->in.end_ms = f->in.start_ms + 60000;
	f->in.con.fd = fd[1];
	f->out = fd[0];
	*state = f;
	return f->in.sh == MAP_FAILED;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->out);
	close(f->in.con.fd);
	munmap(f->in.sh, sizeof(*f->in.sh));
	free(f);
	return 0;
}

/* Takes " (1.2 s)" out of text, wherever it is: any step may take long on a busy machine. Gives how
 * many there were. */
static unsigned take_times(char *text)
{
	unsigned n = 0;
	char *p = text;

	while ((p = strstr(p, " ("))) {
		size_t len = strspn(p + 2, "0123456789.");

		if (len && strncmp(p + 2 + len, " s)", 3) == 0) {
			memmove(p, p + len + 5, strlen(p + len + 5) + 1);
			n++;
		} else {
			p++;
		}
	}
	return n;
}

/* Gives how many lines told how long their step took. */
static unsigned assert_said(struct fixture *f, const char *want)
{
	char buf[4096];
	ssize_t n = read(f->out, buf, sizeof(buf) - 1);
	unsigned times;

	assert_true(n >= 0);
	buf[n] = '\0';
	times = take_times(buf);
	assert_string_equal(buf, want);
	return times;
}

static void test_go_on(void **state)
{
	struct fixture *f = *state;

	assert_true(steps_run(&f->in, table, STEP_BOOT));
	assert_string_equal(f->in.notes[0], "asf");
	assert_said(f, "crashpod: a was here\n"
		       "crashpod: soft failed: broken \\x1b\n"
		       "crashpod: the child says so\n");
	assert_int_equal(f->in.nlog, 3);
	assert_string_equal(f->in.log[1].name, "soft");
	assert_false(f->in.log[1].ok);
	assert_string_equal(f->in.log[2].msg, "the child says so");
	assert_string_equal(f->in.why, "");
}

static void test_stop(void **state)
{
	struct fixture *f = *state;

	assert_false(steps_run(&f->in, table, STEP_TARGET));
	assert_string_equal(f->in.notes[0], "");
	assert_said(f, "crashpod: full failed: disk full\n");
	assert_string_equal(f->in.why, "full: disk full");
}

/* A step that was slow is told even where it is silent; a part is not a failure, and both are of
 * the target in use. */
static void test_slow_and_part(void **state)
{
	struct fixture *f = *state;

	f->in.conf.ntargets = 1;
	assert_true(steps_run(&f->in, table, STEP_TARGET_END));
	assert_in_range(assert_said(f, "crashpod: slow: done\ncrashpod: half of it\n"), 1, 2);
	assert_true(f->in.log[0].ok && !f->in.log[0].part);
	assert_true(f->in.log[1].ok && f->in.log[1].part);
	assert_ptr_equal(f->in.log[1].target, f->in.conf.targets[0].device);
	assert_true(steps_run(&f->in, table, STEP_LOST));
	assert_null(f->in.log[2].target);
}

/* A crash and a hang cost their own step only, and are told. */
static void test_crash_and_hang(void **state)
{
	struct fixture *f = *state;
	unsigned times;

	assert_true(steps_run(&f->in, table, STEP_LOST));
	assert_string_equal(f->in.notes[0], "crash crashed with signal 9: it is tried once morea");
	times = assert_said(f, "crashpod: crash crashed with signal 9: it is tried once more\n"
			       "crashpod: crash failed: crashed with signal 9\n"
			       "crashpod: hang failed: ran into its deadline of 1 s\n"
			       "crashpod: a was here\n");
	assert_in_range(times, 1, 3);
	assert_true(f->in.log[1].took_ms >= 1000);
}

/* A crash that does not come again costs nothing. */
static void test_crash_once(void **state)
{
	struct fixture *f = *state;

	assert_true(steps_run(&f->in, once, STEP_BOOT));
	assert_said(f, "crashpod: once crashed with signal 9: it is tried once more\n");
	assert_int_equal(f->in.sh->module, 2);
	assert_true(f->in.log[0].ok);
}

/* When the capture's time is over no target is begun, but its end is. */
static void test_time_over(void **state)
{
	struct fixture *f = *state;

	f->in.end_ms = f->in.start_ms;
	f->in.conf.timeout_s = 77;
	assert_false(steps_run(&f->in, table, STEP_TARGET));
	assert_said(f, "crashpod: full failed: the 77 s of the whole capture are over\n");
	assert_true(steps_run(&f->in, table, STEP_LOST));
	assert_int_equal(f->in.log[2].took_ms >= 1000, 1);
}

/* What happened without a console is said when there is one. */
static void test_said_later(void **state)
{
	struct fixture *f = *state;
	int fd = f->in.con.fd;

	f->in.con.fd = -1;
	assert_false(steps_run(&f->in, table, STEP_TARGET));
	f->in.con.fd = fd;
	assert_true(steps_run(&f->in, table, STEP_END));
	assert_false(steps_run(&f->in, table, STEP_TARGET));
	assert_said(f, "crashpod: full failed: disk full\ncrashpod: full failed: disk full\n");
}

/* The record has an end; the steps do not. */
static void test_log_full(void **state)
{
	struct fixture *f = *state;

	f->in.nlog = f->in.nsaid = INIT_LOG_MAX;
	assert_false(steps_run(&f->in, table, STEP_TARGET));
	assert_said(f, "crashpod: full failed: disk full\n");
}

/* Every step of PID 1's own table can be run, and the last one ends the machine. */
/* What has no room among the notes is counted there. */
static void test_notes_full(void **state)
{
	struct init *in = *state;

	for (unsigned i = 0; i < INIT_NOTES_MAX + 10; i++)
		init_note(in, "note %u", i);
	assert_int_equal(in->nnotes, INIT_NOTES_MAX + 10);
	assert_string_equal(in->notes[INIT_NOTES_MAX - 1], "note 63");
}

static void test_table(void **state)
{
	const struct step *s = steps;

	(void)state;
	for (; s->name; s++) {
		assert_true(s->run || s->child);
		/* only the dump may take what is left of the whole */
		if (s->child && strcmp(s->name, "dump") != 0)
			assert_in_range(s->deadline_s, 1, 200);
	}
	assert_string_equal(s[-1].name, "finish");
	assert_int_equal(s[-1].when, STEP_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_and_part, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crash_and_hang, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crash_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_said_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notes_full, setup, teardown),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
