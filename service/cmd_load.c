/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/guard.h"
#include "cmd/cmd.h"
#include "load.h"
#include "loadlock.h"
#include "rawcheck.h"

static void warn(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "crashpod load: warning: %s\n", line);
}

int cmd_load(int argc, char **argv)
{
	_cleanup_free_ struct loaded *l = calloc(1, sizeof(*l));
	_cleanup_close_ int lock = -1;
	const u64 since = loadlock_now();
	char line[CMDLINE_CAP];
	struct load_opts o = { 0 };
	struct err e = { 0 }, warning = { 0 };
	int rc;

	if (load_opts_read(&o, argc, argv, &e))
		return cmd_usage(argv[0], e.msg);
	if (!l) {
		err_sys(&e, -ENOMEM, "start");
		return cmd_fail(argv[0], 1, &e);
	}
	lock = loadlock_take();
	if (o.again && loadlock_is_done("", since)) {
		printf("nothing to do: it was loaded again meanwhile\n");
		return 0;
	}
	if (o.again && !load_is_loaded("") && !load_was_lost("")) {
		printf("nothing to do: no capture kernel is loaded\n");
		return 0;
	}
	rc = o.again ? load_again(l, NULL, line, &warning, &e)
		     : load_run(&o, argv + 1, l, line, &warning, &e);
	if (rc)
		return cmd_fail(argv[0], 1, &e);
	printf("loaded %s with %s\ncommand line: %s\n", l->kernel, l->initrd, line);
	if (warning.msg[0])
		warn(NULL, warning.msg);
	/* other targets may do, and what is in the initramfs may be another configuration */
	rawcheck_all("", warn, NULL);
	return 0;
}

int cmd_unload(int argc, char **argv)
{
	_cleanup_close_ int lock = -1;
	struct err e = { 0 };

	if (argc > 1)
		return cmd_usage(argv[0], "takes no options");
	lock = loadlock_take();
	return load_unload(&e) ? cmd_fail(argv[0], 1, &e) : 0;
}
