/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd.h - the table of commands. A command gets argv[0] = its own name, returns the exit status,
 * and is the only place that prints. Exit 2 is wrong usage everywhere. */
#ifndef CRASHPOD_CMD_H
#define CRASHPOD_CMD_H

#include <stddef.h>

#include "../base/err.h"

#define CMD_USAGE 2

struct cmd {
	const char *name;
	const char *args; /* as shown after the name in the usage line */
	const char *help; /* one line */
	int (*run)(int argc, char **argv);
};

extern const struct cmd cmd_table[]; /* ends with a NULL name */

/* A name or message as a terminal may have it, in buf: control characters are '?'. */
const char *cmd_shown(char *buf, size_t cap, const char *text);

/* Prints "crashpod NAME: message" on stderr; returns status. */
int cmd_fail(const char *name, int status, const struct err *e);
/* Prints the usage line of a command on stderr, after the message when there is one; returns
 * CMD_USAGE. */
int cmd_usage(const char *name, const char *message);

int cmd_dump(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_dmesg(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_vmlinux(int argc, char **argv);
int cmd_conf(int argc, char **argv);
int cmd_setup(int argc, char **argv);
int cmd_refresh(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_unload(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_estimate(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_raw(int argc, char **argv);
int cmd_raw_collect(int argc, char **argv); /* its verb; argv[0] is "collect" */
int cmd_layers(int argc, char **argv);

#endif
