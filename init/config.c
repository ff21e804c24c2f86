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

static void report(void *arg, const char *line)
{
	init_note(arg, "%s", line);
}

int step_config(struct init *in, const struct step *s, struct err *e)
{
	_cleanup_free_ char *file = NULL, *cmdline = NULL;
	struct err why = { 0 };
	size_t len;
	int rc;

	(void)s;
	rc = io_read_file(CONF_FILE, CONF_FILE_MAX, &file, &len, &why);
	if (!rc)
		conf_parse(&in->conf, file, len, CONF_FILE, report, in);
	else
		init_note(in, "%s; the defaults stand", why.msg);
	rc = io_read_file("/proc/cmdline", CMDLINE_MAX, &cmdline, &len, e);
	if (!rc)
		conf_cmdline(&in->conf, cmdline, report, in);
	in->end_ms = in->start_ms + (u64)in->conf.timeout_s * 1000;
	if (!in->conf.ntargets)
		init_note(in, "no target is configured: no dump can be written");
	return rc;
}
