/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib_verify.h - verify_run() of bytes in memory, and all that it says as one text. Include after
 * cmocka.h and lib_kdump.h. */
#pragma once

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../verify.h"

struct lines {
	char text[8192];
	unsigned n;
};

static void keep_line(void *arg, const char *line)
{
	struct lines *l = arg;
	size_t len = strlen(l->text);

	snprintf(l->text + len, sizeof(l->text) - len, "%s\n", line);
	l->n++;
}

/* Judges the bytes; the lines told go to l, the summary to its end. */
static int judge(const void *buf, size_t len, struct verify_result *r, struct lines *l)
{
	struct test_file f = test_file_make(buf, len);
	char summary[160];
	int rc;

	*l = (struct lines){ 0 };
	rc = verify_run(r, f.path, keep_line, l);
	verify_summary(r, summary, sizeof(summary));
	strncat(l->text, summary, sizeof(l->text) - strlen(l->text) - 1);
	close(f.fd);
	return rc;
}
