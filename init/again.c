/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "again.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../dumper/base/guard.h"
#include "steps.h"
#include "target.h"

#define SETTLE_S 60
#define AGAIN_MS 10000 /* less time than this is not worth another try */

struct again_names {
	char part[sizeof((struct naming){ 0 }.dump) + sizeof(NAMING_INCOMPLETE)];
	char aside[sizeof((struct naming){ 0 }.dump) + sizeof(NAMING_FIRST)];
};

static void make_names(const struct init *in, struct again_names *n)
{
	snprintf(n->part, sizeof(n->part), "%s" NAMING_INCOMPLETE, in->sh->names.dump);
	snprintf(n->aside, sizeof(n->aside), "%s" NAMING_FIRST, in->sh->names.dump);
}

bool again_wanted(const struct init *in, enum child_end end, u64 left_ms)
{
	return end == CHILD_CRASHED && !in->careful && in->outcome != OUTCOME_COMPLETE &&
	       left_ms >= AGAIN_MS;
}

static void take(const struct init *in, struct again *a)
{
	const struct dump_progress *p = &in->sh->progress;
	bool writing = in->outcome == OUTCOME_INCOMPLETE;

	a->outcome = in->outcome;
	/* an earlier phase counts other pages */
	a->pages = writing ? atomic_load(&p->pages_done) : 0;
	a->bytes = atomic_load(&p->bytes_written);
	memcpy(a->why, in->why, sizeof(a->why));
}

void again_begin(struct init *in, struct again *first)
{
	take(in, first);
	in->careful = true;
	init_note(in,
		  "the dump's process %.80s: the dump is made once more, by one thread that reads "
		  "/proc/vmcore instead of mapping it",
		  in->why);
}

int again_put_aside(const struct init *in, int dir, struct err *e)
{
	struct again_names n;
	struct stat st;

	make_names(in, &n);
	if (fstatat(dir, in->sh->names.dump, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_sys(e, -EEXIST, "%s", in->sh->names.dump);
	if (renameat(dir, n.part, dir, n.aside) && errno != ENOENT)
		return err_sys(e, -errno, "rename %s", n.part);
	return 0;
}

static int settle(struct init *in, struct err *e, bool back)
{
	_cleanup_close_ int dir = -1;
	struct again_names n;
	int rc = target_open_dir(in, true, &dir, e);

	if (rc)
		return rc;
	make_names(in, &n);
	if (back ? renameat(dir, n.aside, dir, n.part) : unlinkat(dir, n.aside, 0))
		return errno == ENOENT ? 0 : err_sys(e, -errno, "%s", n.aside);
	return fsync(dir) ? err_sys(e, -errno, "fsync of the directory of %s", n.part) : 0;
}

static int put_back(struct init *in, struct err *e)
{
	return settle(in, e, true);
}

static int drop(struct init *in, struct err *e)
{
	return settle(in, e, false);
}

bool again_first_stays(const struct again *first, const struct again *second)
{
	return first->outcome == OUTCOME_INCOMPLETE && second->outcome != OUTCOME_COMPLETE &&
	       first->pages > second->pages;
}

bool again_end(struct init *in, const struct again *first)
{
	struct step step = { "the second try", STEP_TARGET, STEP_GO_ON, SETTLE_S, NULL, NULL };
	struct init_shared *sh = in->sh;
	char said[sizeof(sh->said)];
	struct again second;
	struct err e = { 0 };
	bool back;

	take(in, &second);
	back = again_first_stays(first, &second);
	step.child = back ? put_back : drop;
	memcpy(said, sh->said, sizeof(said));
	if (step_child(in, &step, &e))
		init_note(in, "two parts of the dump are left: %.150s", e.msg);
	memcpy(sh->said, said, sizeof(said));
	if (!back)
		return false;
	init_note(in, "the second try got less far (%.100s): what the first has written stays",
		  in->why);
	in->outcome = first->outcome;
	in->has_stats = false;
	in->code = 0;
	memcpy(in->why, first->why, sizeof(in->why));
	atomic_store(&sh->progress.bytes_written, first->bytes);
	snprintf(sh->said, sizeof(sh->said), "dump incomplete: %.180s", in->why);
	return true;
}
