/* SPDX-License-Identifier: GPL-2.0-or-later */
/* triage.c - what is wanted first, and may be all there will be: the dead kernel's log and the
 * record, on the target before the dump begins; and the end of the record after it. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include "../dumper/base/guard.h"
#include "../dumper/base/keep.h"
#include "path.h"
#include "rawtarget.h"
#include "record.h"
#include "room.h"
#include "steps.h"
#include "target.h"

#define RECORD_BYTES ((u64)32 << 10)

/* What is there in a directory that is this capture's own comes from a crash of this step, or from
 * a try that found no room: it is written over. */
static int write_log(struct init *in, int dir, size_t len, struct err *e)
{
	int rc = 0;

	if (len)
		rc = path_write_file(dir, in->sh->names.dmesg, in->text, len, true, e);
	return rc ? rc : record_write(in, dir, e);
}

int step_triage_child(struct init *in, struct err *e)
{
	_cleanup_close_ int dir = -1, path = -1;
	struct init_shared *sh = in->sh;
	size_t len = MIN(atomic_load(&sh->text_len), in->text_cap);
	int rc;

	if (rawtarget_is(in))
		return rawtarget_triage(in, in->text, len, e);
	rc = target_open_dir(in, true, &dir, e);
	if (!rc)
		rc = target_open_dir(in, false, &path, e);
	if (rc)
		return rc;
	rc = write_log(in, dir, len, e);
	if (rc && room_for_log(in, path, rc, len + RECORD_BYTES))
		rc = write_log(in, dir, len, e);
	if (rc)
		return rc;
	/* without it the disk may get so full that the record at the end has no room */
	record_reserve(in, dir, NULL);
	if (len)
		snprintf(sh->said, sizeof(sh->said), "%s is written, %zu bytes%s%s",
			 sh->names.dmesg, len,
			 sh->series[0] ? "; one crash follows another since " : "", sh->series);
	return 0;
}

int step_commit(struct init *in, const struct step *s, struct err *e)
{
	int rc;

	if (!in->on_target)
		return STEP_SKIP;
	in->sh->dump_whole = false;
	if (in->hangs)
		return err_set(e, -ETIMEDOUT, "the target hangs: its record stays as it is");
	rc = step_child(in, s, e);
	if (in->sh->dump_whole) {
		in->outcome = OUTCOME_COMPLETE;
		in->why[0] = '\0';
	}
	return rc;
}

static void removed(void *arg, const char *old)
{
	record_removed(arg, old, false);
}

/* The dump is whole and so is its record, whatever becomes of the old ones; then the record is
 * written again, with what did. */
static int prune(struct init *in, int dir, struct err *e)
{
	_cleanup_close_ int path = -1;
	u32 before = atomic_load(&in->sh->nremoved);
	struct err why = { 0 };
	struct keep k = room_keep(in);
	int rc = target_open_dir(in, false, &path, &why);

	if (!rc)
		rc = keep_prune(path, &k, removed, in, &why);
	if (rc)
		init_note(in, "not all of the old dumps are removed: %.140s", why.msg);
	if (rc || atomic_load(&in->sh->nremoved) != before)
		return record_write(in, dir, e);
	return 0;
}

int step_commit_child(struct init *in, struct err *e)
{
	_cleanup_close_ int dir = -1;
	int rc;

	if (rawtarget_is(in))
		return rawtarget_commit(in, e);
	rc = target_open_dir(in, true, &dir, e);
	if (rc)
		return rc;
	rc = record_end(in, dir, e);
	if (rc)
		return rc;
	if (!in->conf.keep)
		return 0;
	return prune(in, dir, e);
}
