/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_setup.c - crashpod setup: shows what it would change, asks, does it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/guard.h"
#include "cmd/cmd.h"
#include "setup.h"

struct setup_opts {
	const char *root, *kver;
	bool yes, dry_run, remove, from_kdump;
};

static const struct option longopts[] = {
	{ "yes", no_argument, NULL, 'y' },	  { "dry-run", no_argument, NULL, 'n' },
	{ "remove", no_argument, NULL, 'r' },	  { "from-kdump", no_argument, NULL, 'f' },
	{ "root", required_argument, NULL, 'R' }, { NULL, 0, NULL, 0 },
};

/* 0, or -EINVAL with what is wrong. */
static int opts_read(struct setup_opts *o, int argc, char **argv, struct err *e)
{
	int c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":yk:", longopts, NULL)) >= 0) {
		switch (c) {
		case 'y':
			o->yes = true;
			break;
		case 'n':
			o->dry_run = true;
			break;
		case 'r':
			o->remove = true;
			break;
		case 'f':
			o->from_kdump = true;
			break;
		case 'R':
			o->root = optarg;
			break;
		case 'k':
			o->kver = optarg;
			break;
		case ':':
			return err_set(e, -EINVAL, "an option needs a value");
		default:
			return err_set(e, -EINVAL, "unknown option");
		}
	}
	if (optind < argc)
		return err_set(e, -EINVAL, "unknown argument");
	if (o->remove && o->from_kdump)
		return err_set(e, -EINVAL, "--remove and --from-kdump exclude each other");
	if (o->root && o->root[0] != '/')
		return err_set(e, -EINVAL, "--root takes an absolute path");
	if (o->kver && (strchr(o->kver, '/') || !o->kver[0]))
		return err_set(e, -EINVAL, "-k: not a kernel release");
	return 0;
}

static void print_lines(const char *kind, const struct setup_lines *l)
{
	char shown[sizeof(l->text[0])];

	for (unsigned i = 0; i < l->n; i++)
		printf("%s: %s\n", kind, cmd_shown(shown, sizeof(shown), l->text[i]));
}

static void said(void *arg, const char *line)
{
	(void)arg;
	printf("%s\n", line);
	fflush(stdout);
}

/* Only "y" or "yes", typed by someone, is one. */
static bool is_confirmed(void)
{
	char line[16];

	if (!isatty(STDIN_FILENO)) {
		fprintf(stderr, "crashpod setup: nobody to ask: --yes does it without\n");
		return false;
	}
	printf("Do this? [y/N] ");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return !strcmp(line, "y") || !strcmp(line, "yes");
}

/* 1: it is not to be done. */
static int carry_out(struct setup *s, const struct setup_opts *o, struct err *e)
{
	if (changes_empty(&s->changes))
		return 0;
	changes_show(&s->changes, stdout);
	fflush(stdout);
	if (o->dry_run)
		return 0;
	if (!o->yes && !is_confirmed())
		return 1;
	return changes_apply(&s->changes, said, NULL, e);
}

static int conclude(const struct setup *s, const struct setup_opts *o)
{
	bool nothing = changes_empty(&s->changes);

	print_lines("to do", &s->todos);
	if (o->remove)
		return s->todos.n ? 1 : 0;
	if (o->dry_run && !nothing)
		printf("nothing was changed (--dry-run)\n");
	else if (nothing)
		printf("all of it is set up already\n");
	if (s->reboot && !s->todos.n)
		printf("%s %llu MiB for the capture kernel: reboot, then ask crashpod status\n",
		       o->dry_run && !nothing ? "a reboot would reserve" : "the next boot reserves",
		       (unsigned long long)s->want_mib);
	else if (!s->todos.n && !o->dry_run)
		printf("no reboot is needed: ask crashpod status\n");
	return s->todos.n ? 1 : 0;
}

static int setup(struct setup *s, const struct setup_opts *o)
{
	struct err e = { 0 };
	int rc = 0;

	if (o->remove)
		rc = setup_unplan(s, &e);
	else
		setup_plan(s);
	print_lines("note", &s->notes);
	print_lines("problem", &s->problems);
	if (!rc && s->problems.n) {
		printf("nothing was changed\n");
		return 1;
	}
	if (!rc)
		rc = carry_out(s, o, &e);
	if (rc == 1) {
		printf("nothing was changed\n");
		return 1;
	}
	return rc ? cmd_fail("setup", 1, &e) : conclude(s, o);
}

int cmd_setup(int argc, char **argv)
{
	_cleanup_free_ struct setup *s = calloc(1, sizeof(*s));
	struct setup_opts o = { 0 };
	struct err e = { 0 };
	struct utsname u;
	int rc;

	if (opts_read(&o, argc, argv, &e))
		return cmd_usage(argv[0], e.msg);
	if (!s || uname(&u)) {
		err_sys(&e, -errno, "start");
		return cmd_fail(argv[0], 1, &e);
	}
	if (!o.root && !o.dry_run && geteuid()) {
		err_set(&e, -EPERM,
			"only root can change the system; --dry-run shows what it would");
		return cmd_fail(argv[0], 1, &e);
	}
	s->root = o.root && strcmp(o.root, "/") ? o.root : "";
	s->kver = o.kver ? o.kver : u.release;
	s->from_kdump = o.from_kdump;
	rc = setup(s, &o);
	changes_deinit(&s->changes);
	return rc;
}
