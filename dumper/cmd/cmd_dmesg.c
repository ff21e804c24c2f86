/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crashpod dmesg: the dead kernel's log on standard output. */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>

#include "../dmesg.h"

static int cmd_dmesg_sink(void *arg, const char *text, size_t len)
{
	(void)arg;
	return fwrite(text, 1, len, stdout) == len ? 0 : -(errno ? errno : EIO);
}

int cmd_dmesg(int argc, char **argv)
{
	struct core *core = NULL;
	struct err e = { 0 };
	int rc;

	if (argc == 2 && argv[1][0] == '-' && argv[1][1])
		return cmd_usage("dmesg", "there are no options");
	if (argc != 2)
		return cmd_usage("dmesg", argc < 2 ? "no file given" : "one file only");
	/* A dump cut short by a full disk still has its log more often than not. */
	rc = core_open(&core, argv[1], CORE_PARTIAL, &e);
	if (rc)
		return cmd_fail("dmesg", 1, &e);
	rc = dmesg_write(core, cmd_dmesg_sink, NULL, &e);
	core_close(core);
	if (fflush(stdout) && !rc)
		rc = err_sys(&e, -errno, "write the log");
	return rc ? cmd_fail("dmesg", 1, &e) : 0;
}
