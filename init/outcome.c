/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "outcome.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* With less than this no other target is begun: it has to be found and mounted first. */
#define NEXT_TARGET_MS 10000

/* A child that did not live to tell leaves a file that can be opened once it was writing page
 * data; one that was asked to stop in time ends by itself, and knows more than its phase. */
enum dump_result outcome_result(const struct init_shared *sh, enum child_end end)
{
	u32 phase = atomic_load(&sh->progress.phase);

	if (atomic_load(&sh->dump_done) && sh->dump_result == DUMP_COMPLETE)
		return DUMP_COMPLETE;
	if (atomic_load(&sh->dump_done))
		return sh->dump_result == DUMP_INCOMPLETE ? DUMP_INCOMPLETE : DUMP_FAILED;
	if (end == CHILD_ERROR || phase < DUMP_PHASE_WRITE || phase > DUMP_PHASE_DONE)
		return DUMP_FAILED;
	return DUMP_INCOMPLETE;
}

void outcome_begin(struct init *in)
{
	in->on_target = false;
	in->hangs = false;
	in->has_stats = false;
	in->outcome = OUTCOME_NONE;
	in->why[0] = '\0';
	in->code = 0;
	memset(&in->sh->progress, 0, sizeof(in->sh->progress));
	memset(&in->sh->stats, 0, sizeof(in->sh->stats));
}

void outcome_keep(struct init *in)
{
	struct target_log *t = &in->tried[in->target];

	t->outcome = in->outcome;
	snprintf(t->dir, sizeof(t->dir), "%.*s", (int)sizeof(t->dir) - 1,
		 in->on_target ? in->sh->names.dir : "");
	memcpy(t->why, in->why, sizeof(t->why));
}

/* What the engine did other than it was asked. */
static void note_fallbacks(struct init *in, enum dump_result result)
{
	const struct dump_stats *st = &in->sh->stats;

	if (st->level_used != st->level_asked)
		init_note(in, "the dump level was %s from %u to %u",
			  st->level_used > st->level_asked ? "raised" : "lowered", st->level_asked,
			  st->level_used);
	/* of a dump that is not complete it is why, which is told as such */
	if (result == DUMP_COMPLETE && st->reason[0])
		init_note(in, "dump: %.150s", st->reason);
}

/* The figures of a complete dump in one line, for whoever has the console only. */
static void say_complete(struct init_shared *sh)
{
	static const char *const verified[] = {
		[DUMP_NOT_VERIFIED] = "not verified",
		[DUMP_VERIFIED] = "verified",
		[DUMP_VERIFY_STOPPED] = "verifying was stopped",
		[DUMP_VERIFY_FAILED] = "not sound",
	};
	const struct dump_stats *st = &sh->stats;

	snprintf(sh->said, sizeof(sh->said),
		 "dump complete, %llu bytes, %llu of %llu pages at level %u, %s",
		 (unsigned long long)st->bytes_written, (unsigned long long)st->pages.dumped,
		 (unsigned long long)st->pages.ram, st->level_used,
		 st->verified < ARRAY_SIZE(verified) ? verified[st->verified] : "?");
}

void outcome_take(struct init *in, enum dump_result result, const char *why)
{
	struct init_shared *sh = in->sh;

	in->code = 0;
	if (in->has_stats) {
		note_fallbacks(in, result);
		in->code = sh->err.code;
	}
	if (result == DUMP_COMPLETE) {
		in->outcome = OUTCOME_COMPLETE;
		in->why[0] = '\0';
		say_complete(sh);
		return;
	}
	in->outcome = result == DUMP_INCOMPLETE ? OUTCOME_INCOMPLETE : OUTCOME_FAILED;
	snprintf(in->why, sizeof(in->why), "%.*s", (int)sizeof(in->why) - 1, why);
	snprintf(sh->said, sizeof(sh->said), "dump incomplete: %.180s", why);
}

enum outcome outcome_best(enum outcome a, enum outcome b)
{
	static const unsigned worth[] = {
		[OUTCOME_NONE] = 0,
		[OUTCOME_FAILED] = 1,
		[OUTCOME_INCOMPLETE] = 2,
		[OUTCOME_COMPLETE] = 3,
	};

	return worth[a] >= worth[b] ? a : b;
}

bool outcome_try_next(enum outcome o, int code, u64 left_ms)
{
	/* the last three: the largest file that the file system takes was too small; what was read
	 * back is not what was written; nothing moved any more */
	static const int sink_codes[] = { -EROFS, -EIO, -EFBIG, -EBADMSG, -ETIMEDOUT };

	if (o != OUTCOME_INCOMPLETE)
		return o != OUTCOME_COMPLETE;
	/* a deadline or a crash of the engine would end it the same way elsewhere */
	for (size_t i = 0; i < ARRAY_SIZE(sink_codes); i++)
		if (code == sink_codes[i])
			return left_ms >= NEXT_TARGET_MS;
	return err_is_full(code) && left_ms >= NEXT_TARGET_MS;
}

bool outcome_wants_kdump(const struct init *in, bool last)
{
	return in->conf.format == CONF_FORMAT_ELF && in->outcome == OUTCOME_FAILED &&
	       (in->code == -EFBIG || (last && err_is_full(in->code)));
}

bool outcome_has_next(const struct init *in, u64 left_ms)
{
	return in->target + 1 < in->conf.ntargets &&
	       outcome_try_next(in->outcome, in->code, left_ms);
}

enum conf_action outcome_action(const struct init *in)
{
	return in->outcome == OUTCOME_COMPLETE ? in->conf.final_action : in->conf.failure_action;
}

const char *outcome_action_name(enum conf_action a)
{
	static const char *const names[] = {
		[CONF_REBOOT] = "reboot",
		[CONF_POWEROFF] = "poweroff",
		[CONF_HALT] = "halt",
	};

	return names[a];
}

void outcome_add_reason(char *all, size_t cap, const char *target, const char *why)
{
	static const char more[] = "; ...";
	size_t n = strlen(all);
	int want = snprintf(NULL, 0, "%s%s: %s", n ? "; " : "", target, why);

	if (n >= sizeof(more) - 1 && !strcmp(all + n - (sizeof(more) - 1), more))
		return;
	/* room for the mark is kept, for the next one */
	if (want >= 0 && (size_t)want + sizeof(more) <= cap - n)
		snprintf(all + n, cap - n, "%s%s: %s", n ? "; " : "", target, why);
	else
		snprintf(all + n, cap - n, "%s", more);
}
