/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dumpchild.c - the dump, in a child, and what PID 1 does meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../dumper/base/guard.h"
#include "../dumper/base/clock.h"
#include "again.h"
#include "outcome.h"
#include "progress.h"
#include "rawtarget.h"
#include "room.h"
#include "steps.h"
#include "target.h"
#include "watchdog.h"

#define STALL_S 120
#define GRACE_S 30
#define LINE_MS 1000
#define LINE_QUIET_MS 10000 /* a line at least this often, even when nothing moves */

static const enum compress_kind compressions[] = {
	[CONF_COMPRESS_NONE] = COMPRESS_NONE,
	[CONF_COMPRESS_ZLIB] = COMPRESS_ZLIB,
	[CONF_COMPRESS_ZSTD] = COMPRESS_ZSTD,
};

static const enum verify_depth verifies[] = {
	[CONF_VERIFY_NONE] = VERIFY_NONE,
	[CONF_VERIFY_STRUCTURE] = VERIFY_STRUCTURE,
	[CONF_VERIFY_FULL] = VERIFY_FULL,
};

struct monitor {
	struct init *in;
	u32 phase;
	u64 phase_ms, phase_bytes; /* when it began, and what had been written then */
	u64 line_ms;
	unsigned line_percent;
	u64 syncs;
};

static void make_opts(const struct init *in, struct dump_opts *o)
{
	dump_opts_init(o);
	o->level = in->conf.dump_level;
	o->format = in->conf.format == CONF_FORMAT_ELF ? DUMP_ELF : DUMP_KDUMP;
	o->compress = compressions[in->conf.compress];
	o->compress_level = in->conf.compress_level;
	o->threads = in->careful ? 1 : in->conf.threads;
	o->verify = verifies[in->conf.verify];
	o->sync = true;
	o->fit = true;
	/* the page cache of a small kernel is not to be filled */
	o->direct = true;
	o->progress = &in->sh->progress;
}

/* From here a relative name cannot meet a symbolic link. */
static int enter_dir(const struct init *in, struct err *e)
{
	_cleanup_close_ int dir = -1;
	int rc = target_open_dir(in, true, &dir, e);

	if (!rc && in->careful)
		rc = again_put_aside(in, dir, e);
	if (!rc && fchdir(dir))
		rc = err_sys(e, -errno, "fchdir");
	return rc;
}

/* Where the kernel has no memory left it ends the process that says this, rather than one that is
 * needed for the rest; PID 1 it cannot. */
static void first_to_go(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1000", 4) != 4) {
		/* then the kernel chooses by size, and the dump is the largest */
	}
	close(fd);
}

int step_dump_child(struct init *in, struct err *e)
{
	struct init_shared *sh = in->sh;
	bool raw = rawtarget_is(in);
	struct core *core = NULL;
	struct dump_opts o;
	char out[80];
	int rc = raw ? 0 : enter_dir(in, e);

	if (rc)
		return rc;
	first_to_go();
	rc = core_open(&core, INIT_VMCORE, CORE_PARTIAL | (in->careful ? CORE_NO_MAP : 0), e);
	if (rc)
		return rc;
	make_opts(in, &o);
	snprintf(out, sizeof(out), "./%s", sh->names.dump);
	sh->dump_result = raw ? rawtarget_dump(in, core, &o, e)
			      : dump_run(core, out, &o, &sh->stats, e);
	atomic_store(&sh->dump_done, true);
	return 0;
}

static void tick(void *arg)
{
	struct monitor *m = arg;
	const struct dump_progress *p = &m->in->sh->progress;
	struct progress_view v = {
		.phase = atomic_load(&p->phase),
		.total = atomic_load(&p->pages_total),
		.done = atomic_load(&p->pages_done),
	};
	u64 now = clock_ms(), bytes = atomic_load(&p->bytes_written);
	unsigned percent;
	char line[96];

	watchdog_pet(m->in);
	if (v.phase != m->phase) {
		m->phase = v.phase;
		m->phase_ms = now;
		m->phase_bytes = bytes;
	}
	v.phase_ms = now - m->phase_ms;
	v.bytes = bytes > m->phase_bytes ? bytes - m->phase_bytes : 0;
	if (now - m->line_ms < LINE_MS)
		return;
	percent = progress_line(line, sizeof(line), &v);
	if (percent == m->line_percent && now - m->line_ms < LINE_QUIET_MS)
		return;
	console_say(&m->in->con, "%s", line);
	m->line_ms = now;
	m->line_percent = percent;
}

/* Changes while the dump gets on. During the last fsync nothing can be seen to move: then only the
 * deadline of the whole counts. */
static u64 beat(void *arg)
{
	struct monitor *m = arg;
	const struct dump_progress *p = &m->in->sh->progress;
	u32 phase = atomic_load(&p->phase);

	if (phase == DUMP_PHASE_SYNC)
		m->syncs++;
	return atomic_load(&p->pages_done) + atomic_load(&p->bytes_written) +
	       atomic_load(&p->moved) + phase + m->syncs;
}

static int dump_once(struct init *in, const struct step *s, enum child_end *end, struct err *e)
{
	struct monitor m = { .in = in, .line_ms = clock_ms(), .phase_ms = clock_ms() };
	struct child_watch w = {
		.stall_ms = STALL_S * 1000,
		.grace_ms = GRACE_S * 1000,
		.cancel = &in->sh->progress.cancel,
		.beat = beat,
		.tick = tick,
		.arg = &m,
	};
	enum dump_result result;
	int rc;

	memset(&in->sh->progress, 0, sizeof(in->sh->progress));
	memset(&in->sh->stats, 0, sizeof(in->sh->stats));
	in->sh->dump_result = DUMP_FAILED;
	atomic_store(&in->sh->dump_done, false);
	console_say(&in->con, "dump starts");
	rc = step_child_watched(in, s, &w, end, e);
	/* a slot or directory that could not be opened has none */
	in->has_stats = atomic_load(&in->sh->dump_done) && in->sh->stats.format[0];
	result = outcome_result(in->sh, *end);
	if (rc == 0 && result != DUMP_COMPLETE)
		rc = err_set(e, in->sh->err.code ? in->sh->err.code : -EIO, "%s",
			     in->sh->err.msg[0] ? in->sh->err.msg : in->sh->stats.reason);
	outcome_take(in, result, e->msg);
	if (*end == CHILD_STALLED || *end == CHILD_STUCK)
		in->code = -ETIMEDOUT;
	if (result == DUMP_FAILED)
		return rc ? rc : -EIO;
	return result == DUMP_COMPLETE ? 0 : STEP_PART;
}

/* After a crash: the careful way. */
static int dump_again(struct init *in, const struct step *s, struct err *e)
{
	enum child_end end;
	struct again first;
	int rc;

	again_begin(in, &first);
	memset(e, 0, sizeof(*e));
	rc = dump_once(in, s, &end, e);
	/* a raw slot holds one dump: the first's part is gone */
	if (rawtarget_is(in))
		return rc;
	return again_end(in, &first) ? STEP_PART : rc;
}

/* In place of an ELF dump for which there is no place. */
static int dump_kdump(struct init *in, const struct step *s, enum child_end *end, struct err *e)
{
	init_note(in, "%.200s: the dump is made in the kdump format", in->why);
	in->conf.format = CONF_FORMAT_KDUMP;
	memset(e, 0, sizeof(*e));
	return dump_once(in, s, end, e);
}

int step_dump(struct init *in, const struct step *s, struct err *e)
{
	enum child_end end;
	int rc = dump_once(in, s, &end, e);

	if (outcome_wants_kdump(in, rawtarget_is(in)))
		rc = dump_kdump(in, s, &end, e);
	if (again_wanted(in, end, step_time_left_ms(in)))
		rc = dump_again(in, s, e);
	if (room_wanted(in, step_time_left_ms(in)) && room_make(in)) {
		memset(e, 0, sizeof(*e));
		rc = dump_once(in, s, &end, e);
	}
	if (outcome_wants_kdump(in, true))
		rc = dump_kdump(in, s, &end, e);
	return rc;
}
