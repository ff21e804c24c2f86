/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "room.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../dumper/base/guard.h"
#include "../dumper/base/io.h"
#include "../dumper/base/keep.h"
#include "rawtarget.h"
#include "record.h"
#include "steps.h"
#include "target.h"

#define ROOM_S 60
#define AGAIN_MS 10000 /* less time than this is not worth another try */
/* Pages that come later may compress worse. */
#define MARGIN 1.25
#define BYTES_MAX 1e18

bool room_wanted(const struct init *in, u64 left_ms)
{
	/* a raw area has no older dumps that may go: its slot was chosen */
	bool cut = in->outcome == OUTCOME_INCOMPLETE || in->outcome == OUTCOME_FAILED;

	return !rawtarget_is(in) && cut && err_is_full(in->code) && in->conf.keep &&
	       left_ms >= AGAIN_MS;
}

u64 room_missing(u64 done, u64 total, u64 bytes)
{
	double all;

	if (!done || total <= done || !bytes)
		return 0;
	all = (double)bytes * ((double)total / (double)done) * MARGIN;
	return all < BYTES_MAX ? (u64)all - bytes : (u64)BYTES_MAX;
}

static void removed(void *arg, const char *old)
{
	record_removed(arg, old, true);
}

struct keep room_keep(const struct init *in)
{
	return (struct keep){ in->conf.keep, in->sh->names.dir, in->outcome == OUTCOME_COMPLETE,
			      in->sh->series };
}

bool room_for_log(struct init *in, int path, int code, u64 bytes)
{
	u64 have = io_room(path);
	struct keep k = room_keep(in);
	struct err e = { 0 };
	bool made = false;

	if (!err_is_full(code) || !in->conf.keep)
		return false;
	/* at least one of them: it may be an inode that is wanting */
	if (keep_make_room(path, &k, have < bytes ? bytes - have : 1, &made, removed, in, &e))
		console_say(&in->con, "no room could be made: %.150s", e.msg);
	return made;
}

/* How much more room the dump needs; 0: not known. The first pages say little of the rest: until a
 * quarter is done the sample of pass 1 is believed. */
static u64 need_more(const struct init *in, int path)
{
	const struct dump_progress *p = &in->sh->progress;
	u64 done = atomic_load(&p->pages_done), total = atomic_load(&p->pages_total);
	u64 bytes = atomic_load(&p->bytes_written), want, have = io_room(path);
	/* one that failed was not writing pages yet, and is gone: its counts are of something else
	 */
	bool part = in->outcome == OUTCOME_INCOMPLETE;

	want = in->has_stats ? in->sh->stats.need_bytes : 0;
	if (part && (!want || done >= total / 4))
		return room_missing(done, total, bytes);
	have += part ? bytes : 0;
	return want > have ? want - have : 0;
}

static int room_child(struct init *in, struct err *e)
{
	_cleanup_close_ int path = -1, dir = -1;
	char part[sizeof(in->sh->names.dump) + sizeof(NAMING_INCOMPLETE)];
	struct keep k = room_keep(in);
	bool made;
	int rc;

	rc = target_open_dir(in, false, &path, e);
	if (!rc)
		rc = target_open_dir(in, true, &dir, e);
	if (!rc)
		rc = keep_make_room(path, &k, need_more(in, path), &made, removed, in, e);
	if (rc || !made)
		return rc;
	snprintf(part, sizeof(part), "%s" NAMING_INCOMPLETE, in->sh->names.dump);
	if (unlinkat(dir, part, 0) && errno != ENOENT)
		return err_sys(e, -errno, "unlink %s", part);
	in->sh->room_made = true;
	return 0;
}

bool room_make(struct init *in)
{
	static const struct step step = {
		"room", STEP_TARGET, STEP_GO_ON, ROOM_S, NULL, room_child
	};
	char said[sizeof(in->sh->said)];
	struct err e = { 0 };

	/* what the dump had to say stays said, where this changes nothing */
	memcpy(said, in->sh->said, sizeof(said));
	in->sh->room_made = false;
	if (step_child(in, &step, &e))
		init_note(in, "no room could be made: %.150s", e.msg);
	else if (in->sh->room_made)
		init_note(in, "%.100s: older dumps made room, the dump is made once more", in->why);
	memcpy(in->sh->said, said, sizeof(said));
	return in->sh->room_made;
}
