/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps.h - the table of steps and what runs it.
 * A step runs in PID 1 itself (run) when it cannot block, in a child (child) when it can; with
 * both, run does its own supervision with step_child_watched().
 * Errors: 0, -errno with e filled in, or STEP_SKIP: nothing to do, nothing to record; STEP_PART: a
 *         part is done, and what was said tells why not all of it. */
#ifndef CRASHPOD_INIT_STEPS_H
#define CRASHPOD_INIT_STEPS_H

#include "child.h"
#include "init.h"

#define STEP_SKIP 1
#define STEP_PART 2

enum step_when {
	STEP_BOOT,	 /* once, in the beginning */
	STEP_TARGET,	 /* for each target until one has the dump */
	STEP_TARGET_END, /* after each target, whatever became of it */
	STEP_LOST,	 /* no target took a dump */
	STEP_END,	 /* always, last */
};

enum step_failure {
	STEP_GO_ON,
	STEP_STOP, /* the rest of the steps of the same time is left out */
};

struct step {
	const char *name;
	enum step_when when;
	enum step_failure failure;
	unsigned deadline_s; /* of the child; 0: the rest of the capture's own time */
	int (*run)(struct init *in, const struct step *s, struct err *e);
	int (*child)(struct init *in, struct err *e);
};

extern const struct step steps[]; /* ends with a NULL name */

/* Runs the steps of one time, in the table's order. False: a STEP_STOP step failed. */
bool steps_run(struct init *in, const struct step *table, enum step_when when);

/* Runs the step's child within its deadline, once more where it crashed: 0 or -errno (-ETIMEDOUT,
 * -EINTR for a crash). What it does must bear being done twice. */
int step_child(struct init *in, const struct step *s, struct err *e);
/* The same with w's stall, grace, cancel, beat and tick; w's deadline is the step's own where it
 * has one. *end says how it ended. */
int step_child_watched(struct init *in, const struct step *s, struct child_watch *w,
		       enum child_end *end, struct err *e);

/* Milliseconds left of the whole capture. */
u64 step_time_left_ms(const struct init *in);

int step_mounts(struct init *in, const struct step *s, struct err *e);
int step_console(struct init *in, const struct step *s, struct err *e);
int step_config(struct init *in, const struct step *s, struct err *e);
int step_watchdog(struct init *in, const struct step *s, struct err *e);
int step_vmcore(struct init *in, const struct step *s, struct err *e);
int step_dmesg(struct init *in, const struct step *s, struct err *e);
int step_dmesg_child(struct init *in, struct err *e);
int step_modules(struct init *in, const struct step *s, struct err *e);
int step_modules_child(struct init *in, struct err *e);
int step_target(struct init *in, const struct step *s, struct err *e);
int step_target_child(struct init *in, struct err *e);
int step_triage_child(struct init *in, struct err *e);
int step_dump(struct init *in, const struct step *s, struct err *e);
int step_dump_child(struct init *in, struct err *e);
int step_commit(struct init *in, const struct step *s, struct err *e);
int step_commit_child(struct init *in, struct err *e);
int step_release(struct init *in, const struct step *s, struct err *e);
int step_release_child(struct init *in, struct err *e);
int step_lost(struct init *in, const struct step *s, struct err *e);
int step_lost_console_child(struct init *in, struct err *e);
int step_lost_pstore_child(struct init *in, struct err *e);
int step_sync(struct init *in, const struct step *s, struct err *e);
int step_sync_child(struct init *in, struct err *e);
int step_finish(struct init *in, const struct step *s, struct err *e);

#endif
