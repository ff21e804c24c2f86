/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_list.c - crashpod list: the dumps below a directory, newest first. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "list_print.h"
#include "where.h"

struct list_ask {
	const char *conf, *dir;
	bool json, seen;
};

static int parse(struct list_ask *ask, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0) {
			if (++i == argc)
				return cmd_usage("list", "-c needs a file");
			ask->conf = argv[i];
		} else if (strcmp(argv[i], "--json") == 0) {
			ask->json = true;
		} else if (strcmp(argv[i], "--seen") == 0) {
			ask->seen = true;
		} else if (argv[i][0] == '-' || ask->dir) {
			return cmd_usage("list", argv[i][0] == '-' ? "unknown option"
								   : "more than one directory");
		} else {
			ask->dir = argv[i];
		}
	}
	if (ask->dir && ask->seen)
		return cmd_usage("list", "--seen is for the configured directory");
	return 0;
}

static unsigned terminal_width(void)
{
	struct winsize w;

	return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

/* The notice goes when what it tells of was seen or is gone. That it cannot be changed by who may
 * not is no failure of the list. */
static int update(const struct list_ask *ask, const struct dumps *d, const struct seen *s,
		  struct err *e)
{
	char line[NOTICE_MAX];
	int rc;

	if (ask->seen) {
		rc = seen_write("", d, e);
		return rc ? rc : notice_put("", "", e);
	}
	if (geteuid() == 0 && !access(NOTICE_FILE, F_OK)) {
		notice_line(line, d, s);
		notice_put("", line, NULL);
	}
	return 0;
}

static int look(struct list_ask *ask, char path[static PATH_MAX], struct dumps *d, struct err *e)
{
	struct err note = { 0 };
	struct conf c;
	int rc;

	if (ask->dir) {
		snprintf(path, PATH_MAX, "%s", ask->dir);
		rc = dumps_scan(d, ask->dir, e);
		dumps_sort(d);
		return rc;
	}
	rc = where_conf(&c, "", ask->conf, e);
	if (!rc)
		rc = where_dumps(d, path, "", &c, true, &note, e);
	if (note.msg[0])
		fprintf(stderr, "crashpod list: %s\n", note.msg);
	return rc;
}

static int list(struct list_ask *ask, struct err *e)
{
	struct dumps d = { 0 };
	struct seen s = { 0 };
	char path[PATH_MAX];
	int rc = look(ask, path, &d, e);

	seen_read(&s, "");
	if (!rc && !ask->dir)
		rc = update(ask, &d, &s, e);
	if (!rc && ask->json)
		rc = list_json(stdout, path, &d, &s);
	else if (!rc)
		list_table(stdout, &d, terminal_width());
	if (fflush(stdout) && !rc)
		rc = err_set(e, -EIO, "cannot write to standard output");
	seen_free(&s);
	dumps_free(&d);
	return rc;
}

int cmd_list(int argc, char **argv)
{
	struct list_ask ask = { 0 };
	struct err e = { 0 };

	if (parse(&ask, argc, argv))
		return CMD_USAGE;
	return list(&ask, &e) ? cmd_fail("list", 1, &e) : 0;
}
