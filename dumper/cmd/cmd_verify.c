/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crashpod verify: one line for each problem, then one with the result. */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>

#include "../verify.h"

static void cmd_verify_line(void *arg, const char *line)
{
	printf("%s: %s\n", (const char *)arg, line);
}

int cmd_verify(int argc, char **argv)
{
	struct verify_result r;
	struct err e = { 0 };
	char summary[160], name[4096];
	int rc;

	if (argc == 2 && argv[1][0] == '-')
		return cmd_usage("verify", "there are no options");
	if (argc != 2)
		return cmd_usage("verify", argc < 2 ? "no file given" : "one file only");
	cmd_shown(name, sizeof(name), argv[1]);
	rc = verify_run(&r, argv[1], cmd_verify_line, name);
	verify_summary(&r, summary, sizeof(summary));
	printf("%s: %s\n", name, summary);
	if (fflush(stdout)) {
		err_sys(&e, -errno, "write");
		return cmd_fail("verify", 1, &e);
	}
	return rc ? 1 : 0;
}
