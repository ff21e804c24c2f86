/* SPDX-License-Identifier: GPL-2.0-or-later */
/* triage.c - what is wanted first, and may be all there will be: the dead kernel's log and the
 * record, on the target before the dump begins; and the end of the record after it. */
#include <stdatomic.h>
#include <stdio.h>

#include "../dumper/base/guard.h"
#include "keep.h"
#include "path.h"
#include "record.h"
#include "steps.h"
#include "target.h"

int step_triage_child(struct init *in, struct err *e)
{
	_cleanup_close_ int dir = -1;
	size_t len = MIN(atomic_load(&in->sh->text_len), in->text_cap);
	int rc = target_open_dir(in, true, &dir, e);

	if (rc)
		return rc;
	if (len) {
		rc = path_write_file(dir, in->sh->names.dmesg, in->text, len, false, e);
		if (rc)
			return rc;
	}
	rc = record_write(in, dir, e);
	if (rc)
		return rc;
	if (len)
		snprintf(in->sh->said, sizeof(in->sh->said), "%s is written, %zu bytes",
			 in->sh->names.dmesg, len);
	return 0;
}

int step_commit(struct init *in, const struct step *s, struct err *e)
{
	int rc;

	if (!in->on_target)
		return STEP_SKIP;
	in->sh->dump_whole = false;
	rc = step_child(in, s, e);
	if (in->sh->dump_whole) {
		in->outcome = OUTCOME_COMPLETE;
		in->why[0] = '\0';
	}
	return rc;
}

static void say_removed(void *arg, const char *line)
{
	struct init *in = arg;

	console_say(&in->con, "%s", line);
}

int step_commit_child(struct init *in, struct err *e)
{
	_cleanup_close_ int dir = -1, path = -1;
	int rc = target_open_dir(in, true, &dir, e);

	if (rc)
		return rc;
	rc = record_end(in, dir, e);
	if (rc)
		return rc;
	if (in->outcome != OUTCOME_COMPLETE || !in->conf.keep)
		return 0;
	rc = target_open_dir(in, false, &path, e);
	if (rc)
		return rc;
	return keep_prune(path, in->conf.keep, in->sh->names.dir, say_removed, in, e);
}
