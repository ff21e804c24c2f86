/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_refresh.c - crashpod refresh: initramfs images follow their kernels, configuration and
 * modules. Called by hand, by the hooks of kernel packages and by crashpod.service. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "cmd/cmd.h"
#include "kernels.h"
#include "load.h"
#include "loadlock.h"
#include "refresh.h"

#define TRIES 5

struct refresh_opts {
	const char *root, *kver, *removed;
	bool if_needed, if_missing, reload;
};

static const struct option longopts[] = {
	{ "removed", required_argument, NULL, 'r' }, { "if-needed", no_argument, NULL, 'n' },
	{ "if-missing", no_argument, NULL, 'm' },    { "reload", no_argument, NULL, 'l' },
	{ "root", required_argument, NULL, 'R' },    { NULL, 0, NULL, 0 },
};

static bool is_release(const char *kver)
{
	return !kver || (kver[0] && kver[0] != '.' && kver[0] != '-' && !strchr(kver, '/') &&
			 strlen(kver) < KERNELS_RELEASE);
}

static int opts_check(struct refresh_opts *o, struct err *e)
{
	if (!is_release(o->kver) || !is_release(o->removed))
		return err_set(e, -EINVAL, "not a kernel release");
	if (o->removed && (o->kver || o->if_needed || o->if_missing))
		return err_set(e, -EINVAL, "--removed excludes -k, --if-needed and --if-missing");
	if (o->root[0] && o->root[0] != '/')
		return err_set(e, -EINVAL, "--root takes an absolute path");
	if (!strcmp(o->root, "/"))
		o->root = "";
	if (o->root[0] && o->reload)
		return err_set(e, -EINVAL, "--root and --reload exclude each other");
	return 0;
}

/* 0, or -EINVAL with what is wrong. */
static int opts_read(struct refresh_opts *o, int argc, char **argv, struct err *e)
{
	int c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":k:", longopts, NULL)) >= 0) {
		switch (c) {
		case 'k':
			o->kver = optarg;
			break;
		case 'r':
			o->removed = optarg;
			break;
		case 'n':
			o->if_needed = true;
			break;
		case 'm':
			o->if_missing = true;
			break;
		case 'l':
			o->reload = true;
			break;
		case 'R':
			o->root = optarg;
			break;
		case ':':
			return err_set(e, -EINVAL, "an option needs a value");
		default:
			return err_set(e, -EINVAL, "unknown option");
		}
	}
	if (optind < argc)
		return err_set(e, -EINVAL, "unknown argument");
	return opts_check(o, e);
}

static int one_kernel(const struct refresh_opts *o, const char *kver)
{
	struct err e = { 0 };

	if (o->if_missing && refresh_is_there(o->root, kver))
		return 0;
	return refresh_kernel(o->root, kver, o->if_needed, &e) ? cmd_fail("refresh", 1, &e) : 0;
}

/* One that fails does not keep the others from theirs. */
static int all_kernels(const struct refresh_opts *o)
{
	_cleanup_free_ struct kernels *k = calloc(1, sizeof(*k));
	struct err e = { 0 };
	int status = 0;

	if (!k)
		err_sys(&e, -ENOMEM, "start");
	if (!k || kernels_find(k, o->root, &e))
		status = cmd_fail("refresh", 1, &e);
	for (unsigned i = 0; k && i < k->n; i++)
		status |= one_kernel(o, k->release[i]);
	if (k && !k->n && !status && !o->if_needed) {
		err_set(&e, -ENOENT, "no kernel is installed: none has its modules and its image");
		status = cmd_fail("refresh", 1, &e);
	}
	return status;
}

/* Again where the configuration was changed meanwhile; whoever changes it that often is at it. */
static int refresh(const struct refresh_opts *o)
{
	char sum[SHA256_TEXT] = "";
	int status;

	refresh_conf_changed(o->root, sum);
	for (unsigned i = 0; i < TRIES; i++) {
		status = o->kver ? one_kernel(o, o->kver) : all_kernels(o);
		if (!refresh_conf_changed(o->root, sum))
			break;
	}
	return status;
}

static int removed_kernel(const struct refresh_opts *o)
{
	struct err e = { 0 };
	bool gone;
	int rc = refresh_removed(o->root, o->removed, &gone, &e);

	if (rc)
		return cmd_fail("refresh", 1, &e);
	if (gone)
		printf("removed the initramfs of kernel %s\n", o->removed);
	return 0;
}

/* before: the initramfs that was loaded until now, or -1. A new one that cannot be loaded, which
 * may be too large for the reserved memory, is not worth the one that could. */
static int reload(int before)
{
	_cleanup_free_ struct loaded *l = calloc(1, sizeof(*l));
	_cleanup_close_ int lock = loadlock_take();
	struct err e = { 0 }, again = { 0 };
	char line[CMDLINE_CAP], from[32];

	(void)lock;
	if (!refresh_wants_reload(""))
		return 0;
	if (l && !load_again(l, NULL, line, &again, &e)) {
		printf("loaded %s with %s\n", l->kernel, l->initrd);
		return 0;
	}
	snprintf(from, sizeof(from), "/proc/self/fd/%d", before);
	if (l && !load_is_loaded("") && before >= 0)
		load_again(l, from, line, &again, &again);
	err_ctx(&e, load_is_loaded("") ? "what was loaded before stays loaded"
				       : "nothing is loaded any more");
	return cmd_fail("refresh", 1, &e);
}

/* The initramfs that is loaded, open, whatever is put in its place; -1 where it is not there. */
static int hold_loaded(void)
{
	struct loaded *l = calloc(1, sizeof(*l));
	int fd = -1;

	if (l && load_is_loaded("") && !loaded_read(l, "")) {
		if (!loaded_changed("", l->initrd, l->initrd_sum))
			fd = open(l->initrd, O_RDONLY | O_CLOEXEC);
		loaded_free(l);
	}
	free(l);
	return fd;
}

int cmd_refresh(int argc, char **argv)
{
	struct refresh_opts o = { .root = "" };
	_cleanup_close_ int lock = -1;
	_cleanup_close_ int before = -1;
	struct err e = { 0 };
	int status;

	if (opts_read(&o, argc, argv, &e))
		return cmd_usage(argv[0], e.msg);
	lock = refresh_lock(o.root, &e);
	if (lock < 0)
		return cmd_fail(argv[0], 1, &e);
	if (o.reload)
		before = hold_loaded();
	status = o.removed ? removed_kernel(&o) : refresh(&o);
	/* of two images the one that was made counts, whatever became of the other */
	if (o.reload)
		status |= reload(before);
	return status;
}
