/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "../base/io.h"
#include "../base/types.h"
#include "cmd.h"

const struct cmd cmd_table[] = {
	{ "dump",
	  "[-d LEVEL] [-z|-c|-n] [-E|-F] [-e] [-j N] [--stats FILE] [--sync] [--direct] "
	  "[--verify none|structure|full] [-q] VMCORE OUT",
	  "filter a vmcore and write a dump", cmd_dump },
	{ "info", "[--json] FILE", "what a vmcore or dump is", cmd_info },
	{ "dmesg", "FILE", "the dead kernel's log as text", cmd_dmesg },
	{ "verify", "FILE", "check every page of a dump", cmd_verify },
	{ "vmlinux", "[--run] [--json] [--root DIR] DUMP [-- ARGUMENT...]",
	  "the vmlinux with debug information for a dump; crash on both", cmd_vmlinux },
	{ "conf", "[--cmdline STRING] FILE", "check a configuration and print it", cmd_conf },
	{ "setup", "[-y|--yes] [--dry-run] [-k KVER] [--root DIR] [--from-kdump | --remove]",
	  "make this machine ready: reservation, configuration, initramfs, services", cmd_setup },
	{ "refresh",
	  "[-k KVER | --removed KVER] [--if-needed] [--if-missing] [--reload] [--root DIR]",
	  "make the initramfs of a kernel, or of all, anew", cmd_refresh },
	{ "load",
	  "[-k KVER] [--kernel F] [--initrd F] [--cpus N] [--append S | --cmdline S] | --again",
	  "load the capture kernel", cmd_load },
	{ "unload", "", "unload the capture kernel", cmd_unload },
	{ "status", "[--json]", "whether a crash now would be captured", cmd_status },
	{ "estimate", "[-k KVER] [--kernel F] [--initrd F] [--cpus N] [--disk-rate MB/S] [--json]",
	  "crashkernel= to reserve, size and time of a dump", cmd_estimate },
	{ "list", "[-c CONF] [--json] [--seen] [DIR]", "dumps found, newest first", cmd_list },
	{ "show", "[-c CONF] [--html [-o FILE]] [DUMP | DIR]",
	  "one dump: cause, backtrace, memory, how it was made", cmd_show },
	{ "test", "[-y|--yes] [--root DIR] | --result [--json] [--root DIR]",
	  "crash this machine on purpose, and say afterwards what came of it", cmd_test },
	{ "raw", "format [--force] DEVICE | info DEVICE | collect [-c CONF] [DEVICE [DIR]]",
	  "areas of devices without a file system: make one, look, fetch dumps", cmd_raw },
	{ "layers", "[--sys DIR] [--dev DIR] NAME",
	  "what lies between a block device and its disks, for mkinitrd", cmd_layers },
	{ NULL, NULL, NULL, NULL },
};

const char *cmd_shown(char *buf, size_t cap, const char *text)
{
	snprintf(buf, cap, "%s", text);
	for (char *p = buf; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return buf;
}

int cmd_fail(const char *name, int status, const struct err *e)
{
	char shown[ERR_MSG_MAX];

	fprintf(stderr, "crashpod %s: %s\n", name,
		e->msg[0] ? cmd_shown(shown, sizeof(shown), e->msg) : "failed");
	return status;
}

int cmd_usage(const char *name, const char *message)
{
	if (message)
		fprintf(stderr, "crashpod %s: %s\n", name, message);
	for (const struct cmd *c = cmd_table; c->name; c++) {
		if (strcmp(c->name, name) == 0)
			fprintf(stderr, "usage: crashpod %s %s\n", c->name, c->args);
	}
	return CMD_USAGE;
}

static int usage_all(FILE *to, int status)
{
	fprintf(to, "crashpod %s: saves the memory of a dead Linux kernel\n\n", CRASHPOD_VERSION);
	for (const struct cmd *c = cmd_table; c->name; c++)
		fprintf(to, "  crashpod %s %s\n\t%s\n", c->name, c->args, c->help);
	return status;
}

int main(int argc, char **argv)
{
	io_hold_std();
	if (argc < 2)
		return usage_all(stderr, CMD_USAGE);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return usage_all(stdout, 0);
	if (strcmp(argv[1], "--version") == 0) {
		printf("crashpod %s\n", CRASHPOD_VERSION);
		return 0;
	}
	for (const struct cmd *c = cmd_table; c->name; c++) {
		if (strcmp(c->name, argv[1]) != 0)
			continue;
		if (argc > 2 && strcmp(argv[2], "--help") == 0) {
			printf("usage: crashpod %s %s\n%s\n", c->name, c->args, c->help);
			return 0;
		}
		return c->run(argc - 1, argv + 1);
	}
	fprintf(stderr, "crashpod: no command '%s'\n", argv[1]);
	return usage_all(stderr, CMD_USAGE);
}
