/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - PID 1 of the capture kernel. It never returns: the end of PID 1 is a panic. */
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "../dumper/base/io.h"
#include "../dumper/base/clock.h"
#include "outcome.h"
#include "steps.h"

#define TEXT_MIN ((size_t)64 << 10)
#define TEXT_MAX ((size_t)1 << 20)
/* Until the configuration is read. */
#define TIMEOUT_S 3600

/* A sixteenth of the free memory: the log of the dead kernel is there from here on. */
static size_t text_cap(void)
{
	struct sysinfo si = { 0 };
	u64 free_bytes;

	if (sysinfo(&si))
		return TEXT_MIN;
	free_bytes = (u64)si.freeram * si.mem_unit;
	return MIN(MAX(free_bytes / 16, TEXT_MIN), TEXT_MAX);
}

static void *share(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void setup(struct init *in, struct init_shared *fallback)
{
	memset(in, 0, sizeof(*in));
	console_init(&in->con);
	conf_defaults(&in->conf);
	in->watchdog_fd = -1;
	in->start_ms = clock_ms();
	in->end_ms = in->start_ms + TIMEOUT_S * 1000;
	in->text_cap = text_cap();
	in->text = share(in->text_cap);
	if (!in->text)
		in->text_cap = 0;
	/* Without sharing the children's findings are lost, but the machine is still brought to
	 * its end. */
	in->sh = share(sizeof(*in->sh));
	if (!in->sh)
		in->sh = fallback;
}

static void try_target(struct init *in)
{
	outcome_begin(in);
	if (!steps_run(in, steps, STEP_TARGET))
		in->outcome = OUTCOME_FAILED;
	steps_run(in, steps, STEP_TARGET_END);
}

/* Leaves in->outcome as the best of all targets. */
static void try_targets(struct init *in)
{
	enum outcome best = OUTCOME_NONE;

	for (in->target = 0; in->target < in->conf.ntargets; in->target++) {
		const char *name = in->conf.targets[in->target].device;

		try_target(in);
		best = outcome_best(best, in->outcome);
		if (in->outcome != OUTCOME_COMPLETE)
			outcome_add_reason(in->reasons, sizeof(in->reasons), name, in->why);
		outcome_keep(in);
		if (!outcome_has_next(in, step_time_left_ms(in)))
			break;
		init_note(in, "target %.60s %s (%s): the next one is tried", name,
			  in->outcome == OUTCOME_INCOMPLETE ? "has a part of the dump"
							    : "did not take the dump",
			  in->why);
	}
	in->outcome = best;
}

static bool saved(const struct init *in)
{
	return in->outcome == OUTCOME_COMPLETE || in->outcome == OUTCOME_INCOMPLETE;
}

int main(void)
{
	static const char usage[] = "usage: init runs as PID 1 of a capture kernel only\n";
	struct init_shared fallback = { 0 };
	struct init in;

	if (getpid() != 1) {
		io_write_all(STDERR_FILENO, usage, sizeof(usage) - 1);
		return 2;
	}
	umask(077);
	io_hold_std();
	setup(&in, &fallback);
	if (steps_run(&in, steps, STEP_BOOT))
		try_targets(&in);
	if (!saved(&in)) {
		console_say(&in.con, "no dump was written: %s",
			    in.reasons[0] ? in.reasons
			    : in.why[0]	  ? in.why
					  : "no target is configured");
		steps_run(&in, steps, STEP_LOST);
	}
	steps_run(&in, steps, STEP_END);
	for (;;)
		clock_sleep_ms(1000000);
}
