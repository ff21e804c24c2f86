/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_show.c - crashpod show: one dump for people to look at. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "cmd/cmd.h"
#include "mounts.h"
#include "put.h"
#include "show.h"
#include "where.h"

struct show_ask {
	const char *conf, *path, *out;
	bool html;
};

static int parse(struct show_ask *ask, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		bool file = strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "-o") == 0;

		if (file && i + 1 == argc)
			return cmd_usage("show", "-c and -o need a file");
		if (strcmp(argv[i], "--html") == 0)
			ask->html = true;
		else if (file)
			*(argv[i][1] == 'c' ? &ask->conf : &ask->out) = argv[i + 1];
		else if (argv[i][0] == '-' || ask->path)
			return cmd_usage("show",
					 argv[i][0] == '-' ? "unknown option" : "one dump only");
		else
			ask->path = argv[i];
		i += file;
	}
	return ask->out && !ask->html ? cmd_usage("show", "-o goes with --html") : 0;
}

/* The configured directory of dumps. */
static int default_path(const struct show_ask *ask, char path[static PATH_MAX], struct err *e)
{
	struct err note = { 0 };
	struct conf c;
	int rc = where_conf(&c, "", ask->conf, e);

	if (!rc) {
		rc = mounts_dump_dir(path, "", &c, &note);
		if (rc)
			err_sys(e, rc, "%s", c.path);
	}
	if (note.msg[0])
		fprintf(stderr, "crashpod show: %s\n", note.msg);
	return rc;
}

static bool is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && value[0])
			return strstr(value, "UTF-8") || strstr(value, "utf8");
	}
	return false;
}

static void as_text(const struct view *v)
{
	struct show_style style = {
		.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
		.blocks = is_utf8(),
	};

	show_text(stdout, v, &style);
}

static int as_file(const struct view *v, const char *path, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out)
		show_html(out, v);
	if (!out || fclose(out))
		return err_sys(e, -ENOMEM, "%s", path);
	return put_output(path, text, len, 0600, e);
}

static int show(const struct show_ask *ask, struct err *e)
{
	_cleanup_free_ struct view *v = calloc(1, sizeof(*v));
	char path[PATH_MAX];
	int rc = v ? 0 : err_sys(e, -ENOMEM, "start");

	if (!rc && !ask->path)
		rc = default_path(ask, path, e);
	if (!rc)
		rc = view_load(v, ask->path ? ask->path : path, e);
	if (rc == -ENOENT && !ask->path)
		err_set(e, rc, "%.200s: there is no dump", path);
	if (rc)
		return rc;
	view_find_debug(v, "");
	if (ask->out)
		rc = as_file(v, ask->out, e);
	else if (ask->html)
		show_html(stdout, v);
	else
		as_text(v);
	if ((fflush(stdout) || ferror(stdout)) && !rc)
		rc = err_set(e, -EIO, "cannot write to standard output");
	view_free(v);
	return rc;
}

int cmd_show(int argc, char **argv)
{
	struct show_ask ask = { 0 };
	struct err e = { 0 };

	if (parse(&ask, argc, argv))
		return CMD_USAGE;
	return show(&ask, &e) ? cmd_fail("show", 1, &e) : 0;
}
