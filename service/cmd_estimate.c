/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/guard.h"
#include "cmd/cmd.h"
#include "cpus.h"
#include "estimate_all.h"

static const struct option longopts[] = {
	{ "kernel", required_argument, NULL, 'K' }, { "initrd", required_argument, NULL, 'i' },
	{ "cpus", required_argument, NULL, 'n' },   { "disk-rate", required_argument, NULL, 'r' },
	{ "json", no_argument, NULL, 'j' },	    { NULL, 0, NULL, 0 },
};

static int rate_parse(const char *text, unsigned *rate, struct err *e)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (end == text || *end || v == 0 || v > 1000000)
		return err_set(e, -EINVAL, "--disk-rate takes MB/s from 1 to 1000000, not '%s'",
			       text);
	*rate = (unsigned)v;
	return 0;
}

static int opts_read(struct estimate_opts *o, bool *json, int argc, char **argv, struct err *e)
{
	int c, rc = 0;

	opterr = 0;
	optind = 1;
	while (!rc && (c = getopt_long(argc, argv, ":k:", longopts, NULL)) >= 0) {
		switch (c) {
		case 'k':
			o->kver = optarg;
			break;
		case 'K':
			o->kernel = optarg;
			break;
		case 'i':
			o->initrd = optarg;
			break;
		case 'n':
			rc = cpus_parse(optarg, &o->cpus, e);
			break;
		case 'r':
			rc = rate_parse(optarg, &o->disk_mb_s, e);
			break;
		case 'j':
			*json = true;
			break;
		case ':':
			return err_set(e, -EINVAL, "an option needs a value");
		default:
			return err_set(e, -EINVAL, "unknown option");
		}
	}
	if (!rc && optind < argc)
		return err_set(e, -EINVAL, "unknown argument");
	if (!rc && o->kver && (strchr(o->kver, '/') || !o->kver[0]))
		return err_set(e, -EINVAL, "-k: not a kernel release");
	return rc;
}

static void print_reserve(const struct estimate_all *a)
{
	if (!a->reserve.n)
		return;
	printf("crashkernel=%lluM\n  for %s (%s%s)\n", (unsigned long long)a->reserve.mib,
	       a->kernel, a->image.release[0] ? a->image.release : "release not known",
	       a->same ? ", which runs now" : "");
	if (a->have_initrd)
		printf("  with %s\n", a->initrd);
	for (unsigned i = 0; i < a->reserve.n; i++) {
		const struct estimate_part *p = &a->reserve.parts[i];

		printf("  %8llu KiB  %-19s %s\n", (unsigned long long)p->bytes >> 10, p->name,
		       p->why);
	}
}

static void print_dumps(const struct estimate_all *a)
{
	if (!a->pages.source)
		return;
	printf("dump now: %llu pages of RAM by %s, ", (unsigned long long)a->pages.ram,
	       a->pages.source);
	if (a->sample.pages)
		printf("%u of them compressed as a sample\n", a->sample.pages);
	else
		printf("sizes assumed\n");
	printf("  level      pages       MiB   seconds\n");
	for (unsigned i = 0; i < ESTIMATE_LEVELS; i++)
		printf("  %5u%c %10llu %9.1f %9.1f\n", estimate_levels[i],
		       estimate_levels[i] == a->conf.dump_level ? '*' : ' ',
		       (unsigned long long)a->dumps[i].pages, (double)a->dumps[i].bytes / 1048576,
		       a->dumps[i].seconds);
	printf("  seconds: %u thread%s at this CPU's speed, then %u MB/s to the disk (%s)\n",
	       a->threads, a->threads > 1 ? "s" : "", a->disk_mb_s,
	       a->disk_assumed ? "assumed; --disk-rate" : "as given");
}

static void print_text(const struct estimate_all *a)
{
	print_reserve(a);
	print_dumps(a);
	for (unsigned i = 0; i < a->ntargets; i++)
		printf("target %s: %s\n", a->targets[i].name, a->targets[i].text);
	for (unsigned i = 0; i < a->notes.n; i++)
		printf("note: %s\n", a->notes.text[i]);
}

int cmd_estimate(int argc, char **argv)
{
	_cleanup_free_ struct estimate_all *a = calloc(1, sizeof(*a));
	struct estimate_opts o = { .cpus = 1 };
	struct err e = { 0 };
	struct utsname u;
	bool json = false;
	int rc = 0;

	if (opts_read(&o, &json, argc, argv, &e))
		return cmd_usage(argv[0], e.msg);
	if (!a || uname(&u)) {
		err_sys(&e, -errno, "start");
		return cmd_fail(argv[0], 1, &e);
	}
	estimate_all(a, "", u.release, &o);
	if (json)
		rc = estimate_print_json(a);
	else
		print_text(a);
	if (!rc && (fflush(stdout) || ferror(stdout)))
		rc = -EIO;
	if (rc) {
		err_sys(&e, rc, "output");
		return cmd_fail(argv[0], 1, &e);
	}
	return a->reserve.n && a->pages.source ? 0 : 1;
}
