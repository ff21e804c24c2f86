/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_conf.c - crashpod conf: checks a configuration for the builder, and prints what it says. */
#include <stdio.h>
#include <string.h>

#include "../base/conf.h"
#include "../base/guard.h"
#include "../base/io.h"
#include "cmd.h"

#define PRINT_MAX 8192

static void report(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

static int check(const char *file, const char *cmdline)
{
	_cleanup_free_ char *text = NULL;
	struct err e = { 0 };
	struct conf c;
	char out[PRINT_MAX];
	unsigned problems;
	size_t len;

	if (io_read_file(file, CONF_FILE_MAX, &text, &len, &e))
		return cmd_fail("conf", 1, &e);
	conf_defaults(&c);
	problems = conf_parse(&c, text, len, file, report, NULL);
	if (cmdline)
		problems += conf_cmdline(&c, cmdline, report, NULL);
	if (problems)
		return 1;
	if (conf_print(&c, out, sizeof(out)) >= sizeof(out)) {
		err_set(&e, -1, "the configuration is too large to print");
		return cmd_fail("conf", 1, &e);
	}
	if (fputs(out, stdout) == EOF || fflush(stdout)) {
		err_set(&e, -1, "cannot write to standard output");
		return cmd_fail("conf", 1, &e);
	}
	return 0;
}

int cmd_conf(int argc, char **argv)
{
	const char *file = NULL, *cmdline = NULL;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--cmdline") == 0) {
			if (++i == argc)
				return cmd_usage("conf", "--cmdline needs a string");
			cmdline = argv[i];
		} else if (strncmp(argv[i], "--cmdline=", 10) == 0) {
			cmdline = argv[i] + 10;
		} else if (argv[i][0] == '-' || file) {
			return cmd_usage("conf", argv[i][0] == '-' ? "unknown option"
								   : "more than one file");
		} else {
			file = argv[i];
		}
	}
	if (!file)
		return cmd_usage("conf", "which file?");
	return check(file, cmdline);
}
