/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_collect.c - crashpod raw collect: one area, or, as crashpod-collect.service does it at boot,
 * all that a crash may have left. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "collect.h"
#include "mounts.h"
#include "seen.h"
#include "where.h"

static void print_line(void *arg, const char *line)
{
	(void)arg;
	printf("%s\n", line);
}

static void print_failure(void *arg, const char *line)
{
	char shown[ERR_MSG_MAX];

	(void)arg;
	fprintf(stderr, "crashpod raw collect: %s\n", cmd_shown(shown, sizeof(shown), line));
}

/* Says that a dump is there, to whoever reads the journal or logs in, until it was seen. */
static int tell(const struct conf *c, struct err *e)
{
	char dir[PATH_MAX], line[NOTICE_MAX];
	struct dumps d = { 0 };
	struct seen s = { 0 };
	int rc = where_dumps(&d, dir, "", c, false, NULL, e);

	seen_read(&s, "");
	if (!rc) {
		if (notice_line(line, &d, &s))
			printf("%s\n", line);
		rc = notice_put("", line, e);
	}
	seen_free(&s);
	dumps_free(&d);
	return rc;
}

static int boot(const struct conf *c, const char *dir)
{
	struct collect all = { .say = print_line, .failed = print_failure };
	struct err e = { 0 };
	int status = collect_all(&all, "", c, dir) ? 1 : 0;

	return tell(c, &e) ? cmd_fail("raw collect", 1, &e) : status;
}

int cmd_raw_collect(int argc, char **argv)
{
	const char *conf = NULL, *names[2] = { NULL, NULL };
	struct collect one = { .say = print_line, .failed = print_failure };
	struct err e = { 0 }, unsure = { 0 };
	char dir[PATH_MAX];
	struct conf c;
	int n = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0) {
			if (++i == argc)
				return cmd_usage("raw", "-c needs a file");
			conf = argv[i];
		} else if (argv[i][0] == '-' || n == 2) {
			return cmd_usage("raw", "collect takes a device and a directory");
		} else {
			names[n++] = argv[i];
		}
	}
	if (where_conf(&c, "", conf, &e))
		return cmd_fail("raw collect", 1, &e);
	/* where `crashpod list` looks */
	if (mounts_dump_dir(dir, "", &c, &unsure))
		snprintf(dir, sizeof(dir), "%s", c.path);
	if (!n)
		return boot(&c, dir);
	return collect_device(&one, names[0], n > 1 ? names[1] : dir, &e)
		       ? cmd_fail("raw collect", 1, &e)
		       : 0;
}
