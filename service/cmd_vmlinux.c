/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_vmlinux.c - crashpod vmlinux: the vmlinux that a dump wants, and crash on the two. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "prog.h"
#include "vmlinux.h"

#define CRASH_ARGS_MAX 60

/* Exit statuses beside 1 and 2. */
enum { EXIT_MISMATCH = 3, EXIT_MISSING = 4, EXIT_UNKNOWN = 5 };

struct options {
	const char *dump, *root;
	bool run, json;
	char **more; /* for crash, ended by NULL */
};

struct answer {
	struct vmlinux_id id;
	struct vmlinux_plan plan;
	struct vmlinux_found found;
	const struct vmlinux_file *best; /* NULL: nothing is here */
};

static int read_args(struct options *o, int argc, char **argv)
{
	o->root = "";
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--")) {
			o->more = argv + i + 1;
			break;
		} else if (!strcmp(argv[i], "--run")) {
			o->run = true;
		} else if (!strcmp(argv[i], "--json")) {
			o->json = true;
		} else if (!strcmp(argv[i], "--root")) {
			if (++i == argc || argv[i][0] != '/')
				return cmd_usage("vmlinux", "--root needs an absolute path");
			o->root = strcmp(argv[i], "/") ? argv[i] : "";
		} else if (argv[i][0] == '-') {
			return cmd_usage("vmlinux", "unknown option");
		} else if (o->dump) {
			return cmd_usage("vmlinux", "one dump only");
		} else {
			o->dump = argv[i];
		}
	}
	if (!o->dump)
		return cmd_usage("vmlinux", "no dump given");
	if (o->run && o->json)
		return cmd_usage("vmlinux", "--run and --json together");
	return o->more && !o->run ? cmd_usage("vmlinux", "arguments after -- are for --run") : 0;
}

static int status_of(const struct answer *a)
{
	static const int statuses[VMLINUX_STATES] = {
		[VMLINUX_MATCH] = 0,
		[VMLINUX_MISMATCH] = EXIT_MISMATCH,
		[VMLINUX_UNKNOWN] = EXIT_UNKNOWN,
		[VMLINUX_STRIPPED] = EXIT_MISSING,
		[VMLINUX_UNUSABLE] = EXIT_MISSING,
	};

	return statuses[a->found.best];
}

static const char *result_name(int status)
{
	switch (status) {
	case 0:
		return "match";
	case EXIT_MISMATCH:
		return "mismatch";
	case EXIT_UNKNOWN:
		return "unknown";
	default:
		return "missing";
	}
}

static int ask(struct answer *a, const struct options *o, struct err *e)
{
	struct vmlinux_places places;
	int rc = vmlinux_id_of(&a->id, o->dump, e);

	if (rc)
		return rc;
	vmlinux_plan_make(&a->plan, &a->id);
	vmlinux_places_init(&places, o->root);
	vmlinux_find(&a->found, &places, &a->id);
	a->best = a->found.n ? &a->found.files[a->found.best_at] : NULL;
	return 0;
}

static void say(const char *key, const char *value)
{
	char shown[PATH_MAX];

	if (value && value[0])
		printf("%s: %s\n", key, cmd_shown(shown, sizeof(shown), value));
}

static void say_text(const struct answer *a, const struct options *o, int status)
{
	char shown[PATH_MAX];

	say("kernel", a->id.release);
	say("version", a->id.version);
	say("build-id", a->id.build_id[0] ? a->id.build_id : "none in the dump");
	say("distribution", a->plan.distribution ? a->plan.distribution : "unknown");
	if (a->plan.package[0])
		printf("package: %s%s%s\n", a->plan.package, a->plan.version[0] ? " " : "",
		       a->plan.version);
	for (unsigned i = 0; i < a->found.n; i++) {
		const struct vmlinux_file *f = &a->found.files[i];

		printf("%s: %s%s%s\n", vmlinux_state_names[f->state],
		       cmd_shown(shown, sizeof(shown), f->path), f->why[0] ? ": " : "", f->why);
	}
	if (!status) {
		printf("open it: crashpod vmlinux --run %s\n",
		       cmd_shown(shown, sizeof(shown), o->dump));
		return;
	}
	if (status == EXIT_MISSING)
		printf("missing: no vmlinux of this kernel with debug information is here\n");
	for (unsigned i = 0; i < a->plan.ncommands; i++)
		say("install", a->plan.commands[i]);
	for (unsigned i = 0; i < a->plan.nnotes; i++)
		say("note", a->plan.notes[i]);
}

static void json_lines(struct json *j, const char *key, const char (*lines)[360], unsigned n)
{
	json_array(j, key);
	for (unsigned i = 0; i < n; i++)
		json_string(j, NULL, lines[i]);
	json_array_end(j);
}

static int say_json(const struct answer *a, int status, struct err *e)
{
	struct json j;
	int rc;

	json_init(&j);
	json_object(&j, NULL);
	json_string(&j, "result", result_name(status));
	json_string(&j, "kernel_release", a->id.release);
	json_string(&j, "version", a->id.version);
	json_string(&j, "build_id", a->id.build_id);
	json_string(&j, "vmlinux", status ? "" : a->best->path);
	json_array(&j, "found");
	for (unsigned i = 0; i < a->found.n; i++) {
		const struct vmlinux_file *f = &a->found.files[i];

		json_object(&j, NULL);
		json_string(&j, "path", f->path);
		json_string(&j, "state", vmlinux_state_names[f->state]);
		json_string(&j, "build_id", f->build_id);
		json_string(&j, "why", f->why);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_string(&j, "distribution", a->plan.distribution ? a->plan.distribution : "");
	json_string(&j, "package", a->plan.package);
	json_string(&j, "package_version", a->plan.version);
	json_lines(&j, "install", a->plan.commands, a->plan.ncommands);
	json_lines(&j, "notes", a->plan.notes, a->plan.nnotes);
	json_object_end(&j);
	rc = json_end(&j);
	if (rc)
		err_sys(e, rc, "JSON");
	else
		fputs(j.buf, stdout);
	json_deinit(&j);
	return rc;
}

/* A path that crash does not take for an option. */
static const char *as_argument(char buf[static PATH_MAX + 2], const char *path)
{
	snprintf(buf, PATH_MAX + 2, "%s%.4095s", path[0] == '-' ? "./" : "", path);
	return buf;
}

/* Becomes crash; returns only where that fails. */
static int run_crash(const struct answer *a, const struct options *o, struct err *e)
{
	char crash[PATH_MAX], vmlinux[PATH_MAX + 2], dump[PATH_MAX + 2];
	const char *argv[CRASH_ARGS_MAX + 4] = { crash, as_argument(vmlinux, a->best->path),
						 as_argument(dump, o->dump) };
	unsigned n = 3;
	int rc = prog_find(crash, "", "crash");

	if (rc)
		return err_set(e, rc, "crash is not installed: it is in the package crash");
	for (char **p = o->more; p && *p; p++) {
		if (n == CRASH_ARGS_MAX + 3)
			return err_set(e, -E2BIG, "too many arguments for crash");
		argv[n++] = *p;
	}
	execv(crash, (char **)argv);
	return err_sys(e, -errno, "%s", crash);
}

static int finish(const struct answer *a, const struct options *o, struct err *e)
{
	int status = status_of(a), rc = 0;

	if (o->json)
		rc = say_json(a, status, e);
	else if (!o->run || status)
		say_text(a, o, status);
	if (fflush(stdout) && !rc)
		rc = err_sys(e, -errno, "write");
	if (!rc && o->run && !status)
		rc = run_crash(a, o, e);
	return rc ? 1 : status;
}

int cmd_vmlinux(int argc, char **argv)
{
	struct options o = { 0 };
	struct err e = { 0 };
	struct answer *a;
	int status = read_args(&o, argc, argv);

	if (status)
		return status;
	a = calloc(1, sizeof(*a));
	if (!a)
		return cmd_fail("vmlinux", 1, (err_sys(&e, -ENOMEM, "vmlinux"), &e));
	status = ask(a, &o, &e) ? 1 : finish(a, &o, &e);
	free(a);
	return e.msg[0] ? cmd_fail("vmlinux", 1, &e) : status;
}
