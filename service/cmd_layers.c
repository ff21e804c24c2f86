/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "layers_record.h"

/* What mkinitrd puts into an image; nothing where there is nothing to build up. */
int cmd_layers(int argc, char **argv)
{
	struct layers_record l;
	struct err e = { 0 };
	const char *sys = "/sys", *dev = "/dev";
	int rc, i = 1;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (!strcmp(argv[i], "--sys"))
			sys = argv[i + 1];
		else if (!strcmp(argv[i], "--dev"))
			dev = argv[i + 1];
		else
			return cmd_usage(argv[0], "unknown option");
	}
	if (argc - i != 1 || strchr(argv[i], '/'))
		return cmd_usage(argv[0], "the device's name in /sys/class/block is wanted");
	layers_record_init(&l, sys, dev);
	rc = layers_record(&l, argv[i], &e);
	if (!rc && l.len)
		fwrite(l.text, 1, l.len, stdout);
	layers_record_deinit(&l);
	if (!rc && fflush(stdout))
		rc = err_set(&e, -1, "stdout: it cannot be written");
	return rc ? cmd_fail(argv[0], 1, &e) : 0;
}
