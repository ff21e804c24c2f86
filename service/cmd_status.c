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

		char text[sizeof(it->text)], mend[sizeof(it->mend)];

		cmd_shown(text, sizeof(text), it->text);
		cmd_shown(mend, sizeof(mend), it->mend);
		printf("%s: %s%s%s\n", status_state_name(it->state), text, mend[0] ? " -> " : "",
		       mend);
	}
}

static void json_loaded(struct json *j, const struct loaded *l)
{
	if (!l->kernel[0])
		return;
	json_object(j, "loaded");
	json_string(j, "release", l->release);
	json_string(j, "kernel", l->kernel);
	json_string(j, "initramfs", l->initrd);
	json_s64(j, "time", l->when);
	json_object_end(j);
}

static void json_dump(struct json *j, const struct status_dump *d)
{
	if (!d->path[0])
		return;
	json_object(j, "last_dump");
	json_string(j, "path", d->path);
	json_bool(j, "complete", d->complete);
	json_s64(j, "age_s", d->age_s);
	json_object_end(j);
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
	json_loaded(&j, &s->loaded);
	json_dump(&j, &s->dump);
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
	bool ready, json = argc == 2 && !strcmp(argv[1], "--json");
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
	ready = status_ready(s);
	status_free(s);
	if (rc) {
		err_sys(&e, rc, "output");
		return cmd_fail(argv[0], 1, &e);
	}
	return ready ? 0 : 1;
}
