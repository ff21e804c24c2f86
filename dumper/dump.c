/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dump.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/guard.h"
#include "base/io.h"
#include "base/json.h"
#include "engine.h"
#include "fit.h"
#include "readback.h"

#define THREADS_MAX 256

void dump_opts_init(struct dump_opts *o)
{
	memset(o, 0, sizeof(*o));
	o->level = LEVEL_MAX;
	o->compress = COMPRESS_ZSTD;
	o->verify = VERIFY_STRUCTURE;
}

const char *dump_phase_name(u32 phase)
{
	static const char *const names[] = {
		[DUMP_PHASE_OPEN] = "opening",	   [DUMP_PHASE_CLASSIFY] = "classifying",
		[DUMP_PHASE_WRITE] = "writing",	   [DUMP_PHASE_SYNC] = "syncing",
		[DUMP_PHASE_VERIFY] = "verifying", [DUMP_PHASE_DONE] = "done",
	};

	return phase < ARRAY_SIZE(names) ? names[phase] : "?";
}

static double now_s(void)
{
	return (double)clock_ms() / 1000;
}

static void set_phase(const struct dump_opts *o, enum dump_phase phase)
{
	if (o->progress)
		atomic_store(&o->progress->phase, phase);
}

static int open_sink(struct sink **sink, const char *path, const struct dump_opts *o, struct err *e)
{
	if (o->flattened)
		return sink_flat_open(sink, path, e);
	return sink_file_open(sink, path, o->direct && o->format == DUMP_KDUMP, e);
}

static int open_out(struct out **out, const struct core *core, const struct dump_opts *o,
		    struct sink *sink, struct err *e)
{
	return o->format == DUMP_ELF ? out_elf_open(out, core, o, sink, e)
				     : out_kdump_open(out, core, o, sink, e);
}

/* Pass 1, once more at a higher level when the dump would not fit. */
static int plan_to_fit(struct engine *en, struct dump_stats *st, struct err *e)
{
	struct sink *sink = en->out->sink;
	u64 room = sink->ops->room(sink), need;
	unsigned level;
	struct err unused;
	int rc = en->out->ops->begin(en->out, e);

	if (rc == 0)
		rc = plan_run(en, e);
	if (rc || !en->opts->fit || room == UINT64_MAX)
		return rc;
	/* a sample that fails must not cost the dump */
	if (fit_level(en, room, &level, &need, &unused))
		return 0;
	if (need > room) {
		st->need_bytes = need;
		snprintf(st->reason, sizeof(st->reason),
			 "about %llu MB needed at level %u, %llu MB free: may not fit",
			 (unsigned long long)(need >> 20), level, (unsigned long long)(room >> 20));
	}
	if (level == en->out->level)
		return 0;
	if (need <= room)
		snprintf(st->reason, sizeof(st->reason),
			 "level raised from %u to %u to fit %llu MB of room", en->out->level, level,
			 (unsigned long long)(room >> 20));
	en->out->level = level;
	if (en->progress)
		atomic_store(&en->progress->level_used, level);
	rc = en->out->ops->begin(en->out, e);
	return rc ? rc : plan_run(en, e);
}

static void count_pages(const struct engine *en, struct dump_pages *p)
{
	const struct plan_counts *c = &en->plan;
	unsigned level = en->out->level;

	memset(p, 0, sizeof(*p));
	for (size_t pc = 0; pc < PC_COUNT; pc++)
		p->ram += pc == PC_HOLE ? 0 : c->class[pc];
	p->dumped = en->written.pages;
	p->zero = c->zero + en->written.zero;
	p->duplicate = en->written.duplicate;
	p->cache = page_class_dumped(PC_CACHE, level) ? 0 : c->class[PC_CACHE];
	p->cache_private = page_class_dumped(PC_CACHE_PRIVATE, level) ? 0
								      : c->class[PC_CACHE_PRIVATE];
	p->user = page_class_dumped(PC_USER, level) ? 0 : c->class[PC_USER];
	p->free = page_class_dumped(PC_FREE, level) ? 0 : c->class[PC_FREE];
	p->hwpoison = c->class[PC_HWPOISON];
	p->offline = c->class[PC_OFFLINE];
	p->unreadable = en->unreadable + c->not_in_source;
	p->unknown = c->class[PC_UNKNOWN];
	p->no_memmap = c->class[PC_NO_MEMMAP];
	p->vmemmap_excluded = c->vmemmap_excluded;
}

/* Both passes. *openable: the file can be read from here on, whatever happens. */
static int make_dump(struct engine *en, struct dump_stats *st, bool *openable, struct err *e)
{
	const struct dump_opts *o = en->opts;
	double begin = now_s();
	int rc;

	set_phase(o, DUMP_PHASE_CLASSIFY);
	rc = plan_to_fit(en, st, e);
	st->s_classify = now_s() - begin;
	if (rc)
		return err_ctx(e, "pass 1");
	begin = now_s();
	rc = en->out->ops->prepare(en->out, en->plan.kept, e);
	/* headers before data, so that a machine that dies now leaves a file that opens */
	if (rc == 0 && o->sync && !en->out->sink->once)
		rc = en->out->sink->ops->sync(en->out->sink, e);
	if (rc == 0) {
		*openable = true;
		/* this phase tells PID 1 that the file opens, whatever becomes of the writer */
		set_phase(o, DUMP_PHASE_WRITE);
		rc = pool_run(en, e);
	}
	st->s_write = now_s() - begin;
	if (rc)
		return err_ctx(e, "pass 2");
	set_phase(o, DUMP_PHASE_SYNC);
	if (en->core->src->incomplete) {
		en->out->ops->finish(en->out, false, NULL);
		return err_set(e, -ENODATA, "%s is itself incomplete", en->core->src->path);
	}
	return en->out->ops->finish(en->out, true, e);
}

/* One more thing to know, after what is there already. */
__attribute__((format(printf, 2, 3))) static void add_reason(struct dump_stats *st, const char *fmt,
							     ...)
{
	size_t n = strlen(st->reason), cap = sizeof(st->reason);
	va_list ap;

	if (n)
		n += (size_t)snprintf(st->reason + n, cap - n, "; ");
	if (n >= cap)
		return;
	va_start(ap, fmt);
	vsnprintf(st->reason + n, cap - n, fmt, ap);
	va_end(ap);
}

/* What a person should know of a dump that is complete all the same. */
static void note_reason(const struct engine *en, struct dump_stats *st)
{
	const struct dump_pages *p = &st->pages;
	const struct source *src = en->core->src;

	if (en->why.code)
		add_reason(st, "everything is dumped: %.150s", en->why.msg);
	else if (p->unknown)
		add_reason(st, "%llu pages are kept because their descriptors make no sense",
			   (unsigned long long)p->unknown);
	if (!en->why.code && p->no_memmap)
		add_reason(st, "%llu pages are kept that have no descriptor",
			   (unsigned long long)p->no_memmap);
	if (p->unreadable)
		add_reason(st, "%llu pages could not be read", (unsigned long long)p->unreadable);
	if (src->excluded_level & ~st->level_asked)
		add_reason(st, "%s has been filtered at level %u before", src->path,
			   src->excluded_level);
}

/* Reads the file back. What the check could not do does not count against the dump. */
static int check_dump(struct engine *en, struct dump_stats *st, bool *openable, struct err *e)
{
	struct err why = { 0 };
	double begin = now_s();
	int rc;

	set_phase(en->opts, DUMP_PHASE_VERIFY);
	rc = readback_run(en, en->opts, &why);
	st->s_verify = now_s() - begin;
	set_phase(en->opts, DUMP_PHASE_SYNC);
	switch (rc) {
	case 0:
		st->verified = DUMP_VERIFIED;
		return 0;
	case -ENOTSUP:
		st->verify_depth = VERIFY_NONE;
		st->s_verify = 0;
		return 0;
	case -ECANCELED:
	case -ENOMEM:
	case -EMFILE:
	case -ENFILE:
		st->verified = DUMP_VERIFY_STOPPED;
		add_reason(st, "not verified: %.100s", why.msg);
		return 0;
	default:
		if (e)
			*e = why;
		en->out->ops->finish(en->out, false, NULL);
		if (rc != -EBADMSG)
			return rc;
		st->verified = DUMP_VERIFY_FAILED;
		*openable = readback_opens(en->out->sink);
		return rc;
	}
}

/* Everything between an open sink and a file that has its name, or has been given up. */
static enum dump_result run_with_sink(const struct core *core, const struct dump_opts *o,
				      struct sink *sink, struct dump_stats *st, struct err *e)
{
	struct engine en;
	struct out *out = NULL;
	bool openable = false;
	int rc = open_out(&out, core, o, sink, e);

	sink->moved = o->progress ? &o->progress->moved : NULL;
	if (rc == 0) {
		rc = engine_open(&en, core, o, out, e);
		if (rc == 0)
			rc = make_dump(&en, st, &openable, e);
		if (rc == 0)
			rc = check_dump(&en, st, &openable, e);
		if (rc && openable && sink->once)
			openable = out->ops->finish(out, false, NULL) == 0;
		st->level_used = out->level;
		if (rc == 0 || openable) {
			count_pages(&en, &st->pages);
			note_reason(&en, st);
		}
		engine_close(&en);
		out->ops->close(out);
	}
	if (rc == 0)
		rc = sink->ops->commit(sink, o->sync, e);
	else
		sink->ops->abandon(sink, openable || st->verified == DUMP_VERIFY_FAILED);
	st->bytes_written = atomic_load(&sink->size);
	if (rc == 0)
		return DUMP_COMPLETE;
	return openable ? DUMP_INCOMPLETE : DUMP_FAILED;
}

static void name_stats(struct dump_stats *st, const struct dump_opts *o)
{
	memset(st, 0, sizeof(*st));
	snprintf(st->format, sizeof(st->format), "%s%s", o->format == DUMP_ELF ? "elf" : "kdump",
		 o->flattened ? "-flattened" : "");
	snprintf(st->compression, sizeof(st->compression), "%s",
		 o->format == DUMP_ELF ? "none" : compress_name(o->compress));
	st->level_asked = st->level_used = o->level;
	st->verify_depth = o->verify;
}

/* The most memory that this program had. What getrusage() tells may be that of the program which
 * started it: it outlives exec(). */
static u64 peak_rss_kib(void)
{
	_cleanup_free_ char *text = NULL;
	const char *at = NULL;
	struct rusage usage;
	size_t len;

	if (io_read_file("/proc/self/status", 1 << 16, &text, &len, NULL) == 0)
		at = strstr(text, "VmHWM:");
	if (at)
		return strtoull(at + strlen("VmHWM:"), NULL, 10);
	return getrusage(RUSAGE_SELF, &usage) ? 0 : (u64)usage.ru_maxrss;
}

/* sink: where to write, or NULL: to path. */
static enum dump_result run(const struct core *core, const char *path, struct sink *sink,
			    const struct dump_opts *asked, struct dump_stats *stats, struct err *e)
{
	struct dump_opts o = *asked;
	double begin = now_s();
	enum dump_result result = DUMP_FAILED;
	struct err why = { 0 };

	if (!e)
		e = &why;
	e->code = 0;
	if (o.threads == 0)
		o.threads = (unsigned)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1);
	o.threads = MIN(o.threads, THREADS_MAX);
	name_stats(stats, &o);
	stats->threads = o.threads;
	if (o.progress)
		atomic_store(&o.progress->level_used, o.level);
	if (sink || open_sink(&sink, path, &o, e) == 0) {
		result = run_with_sink(core, &o, sink, stats, e);
		sink->ops->close(sink);
	}
	stats->complete = result == DUMP_COMPLETE;
	if (result != DUMP_COMPLETE)
		snprintf(stats->reason, sizeof(stats->reason), "%.*s",
			 (int)sizeof(stats->reason) - 1, e->msg);
	stats->s_total = now_s() - begin;
	stats->peak_rss_kib = peak_rss_kib();
	set_phase(&o, DUMP_PHASE_DONE);
	return result;
}

enum dump_result dump_run(const struct core *core, const char *path, const struct dump_opts *o,
			  struct dump_stats *stats, struct err *e)
{
	return run(core, path, NULL, o, stats, e);
}

enum dump_result dump_run_sink(const struct core *core, struct sink *sink,
			       const struct dump_opts *o, struct dump_stats *stats, struct err *e)
{
	return run(core, NULL, sink, o, stats, e);
}

static const char *verified_name(u32 verified)
{
	static const char *const names[] = {
		[DUMP_NOT_VERIFIED] = "none",
		[DUMP_VERIFIED] = "sound",
		[DUMP_VERIFY_STOPPED] = "stopped",
		[DUMP_VERIFY_FAILED] = "failed",
	};

	return verified < ARRAY_SIZE(names) ? names[verified] : "?";
}

void dump_stats_json(const struct dump_stats *s, const char *key, struct json *j)
{
	const struct {
		const char *name;
		u64 n;
	} pages[] = {
		{ "ram", s->pages.ram },
		{ "dumped", s->pages.dumped },
		{ "zero", s->pages.zero },
		{ "cache", s->pages.cache },
		{ "cache_private", s->pages.cache_private },
		{ "user", s->pages.user },
		{ "free", s->pages.free },
		{ "hwpoison", s->pages.hwpoison },
		{ "offline", s->pages.offline },
		{ "unreadable", s->pages.unreadable },
		{ "duplicate", s->pages.duplicate },
		{ "unknown", s->pages.unknown },
		{ "no_memmap", s->pages.no_memmap },
		{ "vmemmap_excluded", s->pages.vmemmap_excluded },
	};

	json_object(j, key);
	json_string(j, "format", s->format);
	json_string(j, "compression", s->compression);
	json_u64(j, "level_asked", s->level_asked);
	json_u64(j, "level_used", s->level_used);
	json_string(j, "status", s->complete ? "complete" : "incomplete");
	json_string(j, "reason", s->reason);
	json_object(j, "pages");
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		json_u64(j, pages[i].name, pages[i].n);
	json_object_end(j);
	json_u64(j, "bytes_written", s->bytes_written);
	json_object(j, "verify");
	json_string(j, "depth", verify_depth_name(s->verify_depth));
	json_string(j, "result", verified_name(s->verified));
	json_object_end(j);
	json_object(j, "seconds");
	json_seconds(j, "classify", s->s_classify);
	json_seconds(j, "write", s->s_write);
	json_seconds(j, "verify", s->s_verify);
	json_seconds(j, "total", s->s_total);
	json_object_end(j);
	json_u64(j, "threads", s->threads);
	json_u64(j, "peak_rss_kib", s->peak_rss_kib);
	json_object_end(j);
}
