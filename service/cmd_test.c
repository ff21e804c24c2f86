/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_test.c - crashpod test: crashes this machine on purpose, after it was asked for, and says
 * after the reboot what came of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "testcrash.h"
#include "tree.h"

#define WORD "crash"

struct test_ask {
	const char *root;
	bool yes, result, json;
};

static const char *const state_names[] = {
	[STATUS_OK] = "ok",
	[STATUS_NOTE] = "note",
	[STATUS_MISSING] = "wrong",
};

static void print_items(const struct status *s, bool all)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct status_item *it = &s->items[i];
		bool always = !strcmp(it->name, "reserved") || !strcmp(it->name, "loaded");

		if (all || always || it->state != STATUS_OK)
			printf("%s: %s%s%s\n", state_names[it->state], it->text,
			       it->mend[0] ? " -> " : "", it->mend);
	}
}

static bool confirmed(void)
{
	char line[64];

	printf("Type '" WORD "' to crash the machine now: ");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, WORD) == 0;
}

static int begin(const struct test_ask *ask)
{
	_cleanup_free_ struct status *s = calloc(1, sizeof(*s));
	char kver[72] = "";
	struct err e = { 0 };
	bool ready;

	tree_line(ask->root, "/proc/sys/kernel/osrelease", kver, sizeof(kver));
	if (!s)
		return 1;
	status_check(s, ask->root, kver);
	print_items(s, false);
	fflush(stdout);
	ready = status_ready(s);
	status_free(s);
	if (!testcrash_loaded(ask->root)) {
		err_set(&e, -ENOENT,
			"no capture kernel is loaded: a crash now would leave nothing");
		return cmd_fail("test", 1, &e);
	}
	printf("\nThis crashes the machine: all that runs on it ends at once, and what is not "
	       "saved "
	       "is lost.\n%sThe capture kernel then writes a dump, and restarts the machine as the "
	       "configuration says.\nAfterwards `crashpod test --result` says what came of "
	       "it.\n\n",
	       ready ? "" : "As it stands, the dump may fail (see above).\n");
	if (!ask->yes && !confirmed()) {
		err_set(&e, -ECANCELED, "not confirmed: nothing was done");
		return cmd_fail("test", 1, &e);
	}
	printf("crashing\n");
	fflush(stdout);
	testcrash_crash(ask->root, &e);
	return cmd_fail("test", 1, &e);
}

static int print_json(const struct testcrash *t)
{
	struct json j;
	int rc;

	json_init(&j);
	json_object(&j, NULL);
	json_bool(&j, "good", status_ready(&t->checks));
	json_string(&j, "dump", t->dump);
	json_string(&j, "boot_id", t->marker.boot_id);
	json_array(&j, "checks");
	for (unsigned i = 0; i < t->checks.n; i++) {
		const struct status_item *it = &t->checks.items[i];

		json_object(&j, NULL);
		json_string(&j, "name", it->name);
		json_string(&j, "state", state_names[it->state]);
		json_string(&j, "text", it->text);
		if (it->mend[0])
			json_string(&j, "mend", it->mend);
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

static int result(const struct test_ask *ask)
{
	_cleanup_free_ struct testcrash *t = calloc(1, sizeof(*t));
	struct err e = { 0 };
	int rc = t ? 0 : -ENOMEM;

	if (t)
		testcrash_judge(t, ask->root);
	if (!rc && ask->json)
		rc = print_json(t);
	else if (!rc)
		print_items(&t->checks, true);
	if (!rc && (fflush(stdout) || ferror(stdout)))
		rc = -EIO;
	if (rc) {
		err_sys(&e, rc, "output");
		return cmd_fail("test", 1, &e);
	}
	return status_ready(&t->checks) ? 0 : 1;
}

int cmd_test(int argc, char **argv)
{
	struct test_ask ask = { .root = "" };
	struct err e = { 0 };

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-y") || !strcmp(argv[i], "--yes"))
			ask.yes = true;
		else if (!strcmp(argv[i], "--result"))
			ask.result = true;
		else if (!strcmp(argv[i], "--json"))
			ask.json = true;
		else if (!strcmp(argv[i], "--root") && i + 1 < argc && argv[i + 1][0] == '/')
			ask.root = strcmp(argv[++i], "/") ? argv[i] : "";
		else
			return cmd_usage("test", argv[i][0] == '-' ? "unknown option, or --root "
								     "without a path"
								   : "no argument is wanted");
	}
	if (ask.json && !ask.result)
		return cmd_usage("test", "--json goes with --result");
	if (!ask.root[0] && geteuid() != 0) {
		err_set(&e, -EPERM, "only root may do that");
		return cmd_fail("test", 1, &e);
	}
	return ask.result ? result(&ask) : begin(&ask);
}
