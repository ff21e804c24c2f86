/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "readback.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "verify.h"

#define TICK_MS 1000

struct readback {
	const struct dump_opts *o;
	char first[ERR_MSG_MAX]; /* problem; the others are only counted */
	u64 tick_ms;
};

static void take_line(void *arg, const char *line)
{
	struct readback *rb = arg;

	if (!rb->first[0])
		snprintf(rb->first, sizeof(rb->first), "%s", line);
}

static bool pulse(void *arg, u64 done, u64 total)
{
	struct readback *rb = arg;
	struct dump_progress *p = rb->o->progress;

	if (!p)
		return true;
	atomic_store(&p->pages_total, total);
	atomic_store(&p->pages_done, done);
	if (rb->o->tick && clock_ms() - rb->tick_ms >= TICK_MS) {
		rb->tick_ms = clock_ms();
		rb->o->tick(rb->o->tick_arg, p);
	}
	return !atomic_load(&p->cancel);
}

/* What is sound in itself must also be what was written. */
static int compare(const struct verify_result *r, const struct engine *en, struct err *e)
{
	bool kdump = en->opts->format == DUMP_KDUMP;
	u64 ram = 0;

	for (size_t pc = 0; pc < PC_COUNT; pc++)
		ram += pc == PC_HOLE ? 0 : en->plan.class[pc];
	if (r->ram != ram)
		return err_set(e, -EBADMSG,
			       "verify: %" PRIu64 " pages of RAM in the file, %" PRIu64
			       " when it was written",
			       r->ram, ram);
	if (kdump && r->pages != en->plan.kept)
		return err_set(e, -EBADMSG,
			       "verify: bitmap 2 has %" PRIu64 " pages, %" PRIu64 " were dumped",
			       r->pages, en->plan.kept);
	if (kdump && r->pages - r->unreadable != en->written.pages)
		return err_set(e, -EBADMSG,
			       "verify: %" PRIu64 " page descriptors, %" PRIu64 " were written",
			       r->pages - r->unreadable, en->written.pages);
	return 0;
}

/* A sink that is a part of a device has no other end than that of what was written. */
static u64 part_size(struct sink *sink)
{
	return sink->base ? atomic_load(&sink->size) : 0;
}

static int judge(const struct engine *en, const struct dump_opts *o, int fd, struct err *e)
{
	struct readback rb = { .o = o, .tick_ms = clock_ms() };
	const struct source *from = en->core->src;
	/* damaged notes are handed on as they are: that is no fault of the file */
	struct verify_ask ask = { .depth = o->verify,
				  .line = take_line,
				  .pulse = pulse,
				  .arg = &rb,
				  .notes = from->notes,
				  .notes_len = from->notes_len,
				  .part_off = en->out->sink->base,
				  .part_size = part_size(en->out->sink) };
	struct verify_result r;
	int rc = verify_fd(&r, fd, &ask);

	/* again what the dump came to */
	if (o->progress) {
		atomic_store(&o->progress->pages_total, en->plan.kept);
		atomic_store(&o->progress->pages_done, en->plan.kept);
	}
	if (r.problems > 1)
		return err_set(e, -EBADMSG, "verify: %.300s, and %" PRIu64 " more", rb.first,
			       r.problems - 1);
	if (r.problems)
		return err_set(e, -EBADMSG, "verify: %s", rb.first);
	if (rc == -ENODATA)
		return err_set(e, -EBADMSG, "verify: it says that it is incomplete");
	if (rc)
		return rc == -ECANCELED ? err_set(e, rc, "stopped on request")
					: err_sys(e, rc, "verify");
	return compare(&r, en, e);
}

int readback_run(const struct engine *en, const struct dump_opts *o, struct err *e)
{
	struct sink *sink = en->out->sink;
	int fd, rc;

	if (o->verify == VERIFY_NONE || sink->once)
		return -ENOTSUP;
	rc = sink->ops->readback(sink, &fd, e);
	if (rc)
		return rc;
	/* what is on the disk is to be judged, not what the memory still has of it */
	if (o->sync)
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return judge(en, o, fd, e);
}

bool readback_opens(struct sink *sink)
{
	struct source *s = NULL;
	bool opens;
	int fd;

	if (sink->ops->readback(sink, &fd, NULL))
		return false;
	opens = source_open_part(&s, fd, sink->base, part_size(sink), "the file", SOURCE_PARTIAL,
				 NULL) == 0;
	source_close(s);
	return opens;
}
