/* SPDX-License-Identifier: GPL-2.0-or-later */
/* testjudge.c - which dump is the test's, and whether it is good. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "crashtool.h"
#include "debugkernel.h"
#include "info.h"
#include "testcrash.h"
#include "tree.h"
#include "utc.h"
#include "verify.h"
#include "view.h"
#include "where.h"

#define LOOK_MAX 64   /* dumps whose logs are read, the newest first */
#define WITHIN_S 3600 /* a dump without the marker's words is of that time */
#define CRASH_LIMIT_S 600
#define SAID_MAX ((size_t)64 << 10)

/* What sysrq-c has the kernel say. */
static const char *const sysrq_words[] = { "sysrq triggered crash", "Trigger a crash" };

static bool is_sysrq(const char *panic)
{
	for (size_t i = 0; i < ARRAY_SIZE(sysrq_words); i++)
		if (strstr(panic, sysrq_words[i]))
			return true;
	return false;
}

static bool check_marker(struct testcrash *t, const char *root)
{
	char when[UTC_MAX], now[40] = "";
	struct err e = { 0 };

	if (marker_read(&t->marker, root, &e)) {
		status_add(&t->checks, STATUS_MISSING, "begun", "crashpod test",
			   e.code == -ENOENT ? "no test was begun" : "%s", e.msg);
		return false;
	}
	tree_line(root, "/proc/sys/kernel/random/boot_id", now, sizeof(now));
	if (strcmp(now, t->marker.boot_id) == 0) {
		status_add(&t->checks, STATUS_MISSING, "begun", "crashpod test",
			   "a test was begun, but this is still the same boot: the machine did not "
			   "crash");
		return false;
	}
	status_add(&t->checks, STATUS_OK, "begun", NULL,
		   "the machine was crashed on purpose on %s, with kernel %s",
		   utc_text(when, t->marker.when), t->marker.kernel);
	return true;
}

/* 2: the log has the marker's words; 1: it may be the one, by time and kernel; 0: another. */
static int belongs(const struct testcrash *t, const struct dump_entry *entry)
{
	_cleanup_free_ struct view *v = calloc(1, sizeof(*v));
	char words[100];
	bool has, near = llabs(entry->when - t->marker.when) <= WITHIN_S;

	if (!v || view_load(v, entry->dir, NULL))
		return 0;
	marker_words(&t->marker, words, sizeof(words));
	has = v->log && strstr(v->log, words);
	view_free(v);
	if (has)
		return 2;
	return near && strcmp(entry->kernel, t->marker.kernel) == 0 && is_sysrq(entry->panic);
}

static const struct dump_entry *find_dump(const struct testcrash *t, const struct dumps *d,
					  bool *sure)
{
	const struct dump_entry *maybe = NULL;

	*sure = true;
	for (size_t i = 0; i < d->n && i < LOOK_MAX; i++) {
		int how = d->v[i].state == DUMPS_RAW || d->v[i].foreign ? 0 : belongs(t, &d->v[i]);

		if (how == 2)
			return &d->v[i];
		if (how && !maybe)
			maybe = &d->v[i];
	}
	*sure = false;
	return maybe;
}

static void not_found(struct testcrash *t, const struct dumps *d, const char *dir)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].state == DUMPS_RAW) {
			status_add(&t->checks, STATUS_MISSING, "found", "crashpod raw collect",
				   "no dump of it is in %.200s yet; raw %.100s holds one", dir,
				   d->v[i].dir);
			return;
		}
	status_add(&t->checks, STATUS_MISSING, "found",
		   "look at the console, and at pstore: what the capture kernel said",
		   "no dump of that crash is in %.200s", dir);
}

static void check_entry(struct testcrash *t, const struct dump_entry *entry, bool sure)
{
	struct status *s = &t->checks;

	status_add(s, STATUS_OK, "found", NULL, "%.200s/%.100s, %llu bytes%s", entry->dir,
		   entry->file, (unsigned long long)entry->bytes,
		   sure ? "" : " (by its time: the log does not have the test's line)");
	if (entry->state == DUMPS_COMPLETE)
		status_add(s, STATUS_OK, "complete", NULL, "the dump is complete");
	else
		status_add(s, STATUS_MISSING, "complete", "crashpod show tells what happened",
			   "the dump is not whole (%s)%s%.200s", dump_state_name(entry->state),
			   entry->reason[0] ? ": " : "", entry->reason);
}

static void drop_line(void *arg, const char *line)
{
	char *first = arg;

	if (!first[0])
		snprintf(first, 200, "%s", line);
}

static void check_verify(struct testcrash *t)
{
	char first[200] = "", summary[200];
	struct verify_result r;
	int rc = verify_run(&r, t->dump, drop_line, first);

	verify_summary(&r, summary, sizeof(summary));
	if (rc)
		status_add(&t->checks, STATUS_MISSING, "verified", "crashpod verify tells more",
			   "%s%s%s", summary, first[0] ? ": " : "", first);
	else
		status_add(&t->checks, STATUS_OK, "verified", NULL, "every page: %s", summary);
}

static void check_opens(struct testcrash *t)
{
	_cleanup_free_ struct info *in = malloc(sizeof(*in));
	struct core *core = NULL;
	struct err e = { 0 };
	int rc = in ? core_open(&core, t->dump, CORE_PARTIAL, &e) : err_sys(&e, -ENOMEM, "info");

	if (!rc) {
		rc = info_get(in, core, &e);
		core_close(core);
	}
	if (rc)
		status_add(&t->checks, STATUS_MISSING, "opened", "", "%s", e.msg);
	else if (strcmp(in->release, t->marker.kernel) != 0)
		status_add(&t->checks, STATUS_MISSING, "opened", "", "it is of kernel %s, not %s",
			   in->release, t->marker.kernel);
	else if (!is_sysrq(in->panic))
		status_add(&t->checks, STATUS_MISSING, "opened", "",
			   "its log says that the kernel died of another cause: %.200s", in->panic);
	else
		status_add(&t->checks, STATUS_OK, "opened", NULL, "%s", in->panic);
}

static void no_vmlinux(struct testcrash *t, const struct debugkernel *d)
{
	char mend[PATH_MAX + 20];

	snprintf(mend, sizeof(mend), "crashpod vmlinux %s", t->dump);
	if (d->path[0])
		status_add(&t->checks, STATUS_NOTE, "crash", mend, "not tried: %s: %.200s: %s",
			   vmlinux_state_names[d->state], d->path, d->why);
	else
		status_add(&t->checks, STATUS_NOTE, "crash", mend,
			   "not tried: no vmlinux of %s is on this machine", d->release);
}

/* Where crash and a vmlinux are here it has to show the way to the crash. */
static void check_crash(struct testcrash *t, const char *root)
{
	_cleanup_free_ char *said = malloc(SAID_MAX);
	struct debugkernel d;
	struct err e = { 0 };
	int rc;

	if (!said)
		return;
	if (debugkernel_find(&d, root, t->dump, false, &e)) {
		status_add(&t->checks, STATUS_NOTE, "crash", "", "not tried: %s", e.msg);
		return;
	}
	if (!debugkernel_fits(&d)) {
		no_vmlinux(t, &d);
		return;
	}
	rc = crashtool_ask(d.path, t->dump, "bt\nquit\n", CRASH_LIMIT_S, said, SAID_MAX, &e);
	if (rc == -ENOENT)
		status_add(&t->checks, STATUS_NOTE, "crash", "install crash to have it tried",
			   "not tried: %s", e.msg);
	else if (rc || !strstr(said, "sysrq_handle_crash"))
		status_add(&t->checks, STATUS_MISSING, "crash", "", "%s with %.200s",
			   rc ? e.msg : "its backtrace does not lead to the crash", d.path);
	else
		status_add(&t->checks, STATUS_OK, "crash", NULL,
			   "its backtrace leads to sysrq_handle_crash");
}

void testcrash_judge(struct testcrash *t, const char *root)
{
	const struct dump_entry *entry;
	struct dumps d = { 0 };
	char dir[PATH_MAX] = "";
	struct err e = { 0 };
	struct conf c;
	bool sure;

	t->checks.n = 0;
	t->dump[0] = '\0';
	if (!check_marker(t, root))
		return;
	where_conf(&c, root, NULL, NULL);
	if (where_dumps(&d, dir, root, &c, true, NULL, &e))
		status_add(&t->checks, STATUS_MISSING, "found", "", "%s", e.msg);
	entry = find_dump(t, &d, &sure);
	if (!entry) {
		not_found(t, &d, dir);
	} else {
		check_entry(t, entry, sure);
		if (entry->file[0])
			snprintf(t->dump, sizeof(t->dump), "%.3000s/%s", entry->dir, entry->file);
	}
	dumps_free(&d);
	if (!t->dump[0])
		return;
	check_verify(t);
	check_opens(t);
	check_crash(t, root);
}
