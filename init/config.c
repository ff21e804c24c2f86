/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config.c - the configuration in the ramdisk, and the command line over it. A problem is told and
 * noted; it never stops anything. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../dumper/base/guard.h"
#include "../dumper/base/io.h"
#include "steps.h"

#define CMDLINE_MAX (64 * 1024)

/* Of a file of garbage this many lines are told, and the rest counted: a serial console takes its
 * time, and the record has to have room for what comes later. */
#define TOLD_MAX 24

struct reports {
	struct init *in;
	unsigned n;
};

static void report(void *arg, const char *line)
{
	struct reports *r = arg;

	if (r->n++ < TOLD_MAX)
		init_note(r->in, "%s", line);
}

static void report_rest(struct reports *r, const char *where)
{
	if (r->n > TOLD_MAX)
		init_note(r->in, "%s: %u more problems", where, r->n - TOLD_MAX);
	r->n = 0;
}

int step_config(struct init *in, const struct step *s, struct err *e)
{
	_cleanup_free_ char *file = NULL, *cmdline = NULL;
	struct reports r = { .in = in };
	struct err why = { 0 };
	size_t len;
	int rc;

	(void)s;
	rc = io_read_file(CONF_FILE, CONF_FILE_MAX, &file, &len, &why);
	if (!rc)
		conf_parse(&in->conf, file, len, CONF_FILE, report, &r);
	else
		init_note(in, "%s; the defaults stand", why.msg);
	report_rest(&r, CONF_FILE);
	rc = io_read_file("/proc/cmdline", CMDLINE_MAX, &cmdline, &len, e);
	if (!rc)
		conf_cmdline(&in->conf, cmdline, report, &r);
	report_rest(&r, "command line");
	in->end_ms = in->start_ms + (u64)in->conf.timeout_s * 1000;
	if (!in->conf.ntargets)
		init_note(in, "no target is configured: no dump can be written");
	return rc;
}
