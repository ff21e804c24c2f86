/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_chain.c - whether the initramfs has what lies between each target's file system and its
 * controller. mkinitrd looks (--check): lines "ok TEXT" and "bad TEXT: WHAT TO DO". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "inputs.h"
#include "run.h"
#include "status.h"

/* An older one says something else with --check. */
static bool is_offered(const struct inputs_call *c)
{
	const char *argv[] = { c->argv[0], "--help", NULL };
	_cleanup_free_ char *text = NULL;

	return !run_read(argv, &text, NULL) && strstr(text, "\"bad TEXT: WHAT TO DO\"");
}

static void bad_line(struct status *s, const char *root, char *line)
{
	char *mend = NULL;

	for (char *p = strstr(line, ": "); p; p = strstr(p + 2, ": "))
		mend = p;
	if (mend)
		*mend = '\0';
	status_add(s, status_is_blind(root) ? STATUS_NOTE : STATUS_MISSING, "chain",
		   mend ? mend + 2 : "", "%s", line);
}

void status_chain(struct status *s, const char *root, const char *kver)
{
	_cleanup_free_ char *text = NULL;
	struct inputs_call c;
	struct err e = { 0 };
	unsigned good = 0, bad = 0;
	char *at, *line;
	int rc;

	if (s->loaded.release[0])
		kver = s->loaded.release;
	rc = inputs_call(&c, root, kver, "--check", &e);
	if (!rc && is_offered(&c))
		run_read(c.argv, &text, &e);
	inputs_call_free(&c);
	for (at = text; at && (line = strsep(&at, "\n"));) {
		good += !strncmp(line, "ok ", 3);
		if (!strncmp(line, "bad ", 4)) {
			bad_line(s, root, line + 4);
			bad++;
		}
	}
	if (good && !bad)
		status_add(s, STATUS_OK, "chain", NULL,
			   "the initramfs has all of the way to each target: %u checks", good);
}
