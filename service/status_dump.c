/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_dump.c - the newest dump that is there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dumps.h"
#include "mounts.h"
#include "status.h"

/* In the words of a person: days, or what is below. */
static void age_text(char out[static 40], s64 s)
{
	static const struct {
		s64 s;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		long long n = s / units[i].s;

		if (n < 1 && i + 1 < ARRAY_SIZE(units))
			continue;
		snprintf(out, 40, "%lld %s%s ago", n, units[i].name, n == 1 ? "" : "s");
		return;
	}
}

static void tell(struct status *s, const char *root, const struct dump_entry *entry)
{
	struct status_dump *d = &s->dump;
	const char *dir = entry->dir + (entry->state == DUMPS_RAW ? 0 : strlen(root));
	char age[40];

	d->complete = entry->state == DUMPS_COMPLETE;
	d->age_s = MAX((s64)time(NULL) - entry->when, (s64)0);
	age_text(age, d->age_s);
	snprintf(d->path, sizeof(d->path), "%s%s%s", dir, entry->file[0] ? "/" : "", entry->file);
	if (d->complete)
		status_add(s, STATUS_OK, "dump", NULL, "the last dump: %s, %s, complete", d->path,
			   age);
	else if (entry->state == DUMPS_RAW)
		status_add(s, STATUS_NOTE, "dump", "crashpod raw collect",
			   "the last dump: %s, %s, not collected yet", d->path, age);
	else
		status_add(s, STATUS_NOTE, "dump", "crashpod show tells what is known of it",
			   "the last dump: %s, %s, %s%s%s", d->path, age,
			   dump_state_name(entry->state), entry->reason[0] ? ": " : "",
			   entry->reason);
}

void status_last_dump(struct status *s, const char *root, const struct conf *conf)
{
	char dir[PATH_MAX];
	struct dumps d = { 0 };
	struct err e = { 0 };
	size_t i = 0;
	int rc = mounts_dump_dir(dir, root, conf, &e);

	if (rc)
		return;
	if (e.msg[0])
		status_add(s, STATUS_NOTE, "dump", "", "%s", e.msg);
	rc = dumps_scan(&d, dir, &e);
	dumps_raw(&d, root, conf);
	dumps_sort(&d);
	while (i < d.n && d.v[i].foreign)
		i++;
	if (rc && rc != -ENOENT)
		status_add(s, STATUS_NOTE, "dump", rc == -EACCES ? "ask as root" : "", "%s", e.msg);
	else if (i < d.n)
		tell(s, root, &d.v[i]);
	else
		status_add(s, STATUS_OK, "dump", NULL, "no dump in %s", dir + strlen(root));
	dumps_free(&d);
}
