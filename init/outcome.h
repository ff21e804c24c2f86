/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outcome.h - what becomes of a capture: of the dump on one target, and over all targets. Nothing
 * here looks at a disk, so that it can be tested.
 * Units:  milliseconds; codes are negative errnos, 0: none is known. */
#ifndef CRASHPOD_INIT_OUTCOME_H
#define CRASHPOD_INIT_OUTCOME_H

#include "child.h"
#include "init.h"

/* What the dump child has left on the target. */
enum dump_result outcome_result(const struct init_shared *sh, enum child_end end);

/* Nothing is known yet of the target in use, and nothing is left of the one before it. */
void outcome_begin(struct init *in);

/* Takes the end of the dump on this target into in: outcome, why, code, what is said and noted. */
void outcome_take(struct init *in, enum dump_result result, const char *why);

/* Keeps what became of this target, for the record on the next one. */
void outcome_keep(struct init *in);

/* The one that is worth more: complete, incomplete, failed, none. */
enum outcome outcome_best(enum outcome a, enum outcome b);

/* Whether a target that ended so leaves something for another target to do better. */
bool outcome_try_next(enum outcome o, int code, u64 left_ms);

/* Whether an ELF dump is to be made in the kdump format, which is smaller: it takes its whole size
 * at once, and of one that is larger than a slot, a file system's largest file or its free room
 * nothing is there. last: no more room can be had. */
bool outcome_wants_kdump(const struct init *in, bool last);

/* Whether there is such a target. */
bool outcome_has_next(const struct init *in, u64 left_ms);

/* What ends the machine after this outcome. */
enum conf_action outcome_action(const struct init *in);
const char *outcome_action_name(enum conf_action a);

/* Appends "TARGET: WHY" to the reasons of the targets before it; what has no room becomes "...". */
void outcome_add_reason(char *all, size_t cap, const char *target, const char *why);

#endif
