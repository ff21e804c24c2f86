/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/guard.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "status.h"

static void print_lines(const struct status *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct status_item *it = &s->items[i];

		printf("%s: %s%s%s\n", status_state_name(it->state), it->text,
		       it->mend[0] ? " -> " : "", it->mend);
	}
}

static int print_json(const struct status *s, const char *kver)
{
	struct json j;
	int rc;

	json_init(&j);
	json_object(&j, NULL);
	json_bool(&j, "ready", status_ready(s));
	json_string(&j, "kernel", kver);
	json_array(&j, "checks");
	for (unsigned i = 0; i < s->n; i++) {
		json_object(&j, NULL);
		json_string(&j, "name", s->items[i].name);
		json_string(&j, "state", status_state_name(s->items[i].state));
		json_string(&j, "text", s->items[i].text);
		if (s->items[i].mend[0])
			json_string(&j, "mend", s->items[i].mend);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	rc = json_end(&j);
	if (!rc)
		fputs(j.buf, stdout);
	json_deinit(&j);
	return rc;
}

int cmd_status(int argc, char **argv)
{
	_cleanup_free_ struct status *s = NULL;
	struct utsname u;
	struct err e = { 0 };
	bool json = argc == 2 && !strcmp(argv[1], "--json");
	int rc = 0;

	if (argc > 1 && !json)
		return cmd_usage(argv[0], "unknown option or argument");
	s = calloc(1, sizeof(*s));
	if (!s || uname(&u)) {
		err_sys(&e, -errno, "start");
		return cmd_fail(argv[0], 1, &e);
	}
	status_check(s, "", u.release);
	if (json)
		rc = print_json(s, u.release);
	else
		print_lines(s);
	if (!rc && (fflush(stdout) || ferror(stdout)))
		rc = -EIO;
	if (rc) {
		err_sys(&e, rc, "output");
		return cmd_fail(argv[0], 1, &e);
	}
	return status_ready(s) ? 0 : 1;
}
