/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crashpod raw: areas for dumps on devices without a file system. */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/conf.h"
#include "../base/guard.h"
#include "../base/naming.h"
#include "../base/record_read.h"
#include "../raw_probe.h"
#include "../raw_slot.h"

static unsigned long long mib(u64 bytes)
{
	return (unsigned long long)(bytes >> 20);
}

static int format(const char *device, bool force, struct err *e)
{
	_cleanup_close_ int fd = -1;
	struct err why = { 0 };
	struct raw_area a;
	u64 bytes;
	int rc = raw_device_open(device, RAW_CLAIM, &fd, &bytes, e);

	if (rc)
		return rc;
	rc = force ? 0 : raw_probe_empty(fd, bytes, &why);
	if (rc == -EEXIST)
		return err_set(e, rc, "%s: %s; with --force that is given up", device, why.msg);
	if (!rc)
		rc = raw_area_make(fd, bytes, &why);
	if (rc)
		return err_set(e, rc, "%s: %s", device, why.msg);
	rc = raw_area_open(&a, device, RAW_READ, e);
	if (rc)
		return rc;
	printf("%s is a raw area now, with 2 slots for dumps of up to %llu MiB; the line for "
	       "%s:\nraw %s\n",
	       device, mib(raw_slot_room(&a, 0)), CONF_FILE, device);
	raw_area_close(&a);
	return 0;
}

static int cmd_format(int argc, char **argv)
{
	const char *device = NULL;
	bool force = false;
	struct err e = { 0 };

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--force") == 0)
			force = true;
		else if (argv[i][0] == '-' || device)
			return cmd_usage("raw", "format takes one device, and --force");
		else
			device = argv[i];
	}
	if (!device)
		return cmd_usage("raw", "format needs a device");
	return format(device, force, &e) ? cmd_fail("raw format", 1, &e) : 0;
}

static void print_slot(const struct raw_area *a, unsigned slot)
{
	const struct raw_slot *s = &a->slots[slot];
	_cleanup_free_ char *record = NULL;
	char kernel[72] = "", panic[200] = "";
	struct naming names;
	size_t len;

	printf("slot %u: %s", slot, raw_slot_state(s));
	if (!s->valid || s->h.state == RAW_FREE) {
		printf("\n");
		return;
	}
	naming_make(&names, (enum conf_naming)s->h.naming, (time_t)s->h.stamp, 0);
	if (!raw_slot_read_record(a, slot, &record, &len)) {
		record_find(record, len, "kernel", kernel, sizeof(kernel));
		record_find(record, len, "panic", panic, sizeof(panic));
	}
	printf("\t%s\t%llu\t%s\t%s\n", names.dir, (unsigned long long)raw_slot_dump_bytes(a, slot),
	       kernel[0] ? kernel : "-", panic[0] ? panic : "-");
}

static int cmd_raw_info(int argc, char **argv)
{
	struct err e = { 0 };
	struct raw_area a;

	if (argc != 2 || argv[1][0] == '-')
		return cmd_usage("raw", "info needs one device");
	if (raw_area_open(&a, argv[1], RAW_READ, &e))
		return cmd_fail("raw info", 1, &e);
	printf("%s: raw area of %llu MiB, 2 slots for dumps of up to %llu MiB\n", argv[1],
	       mib(a.h.bytes), mib(raw_slot_room(&a, 0)));
	for (unsigned i = 0; i < RAW_SLOTS; i++)
		print_slot(&a, i);
	raw_area_close(&a);
	if (fflush(stdout)) {
		err_sys(&e, -errno, "write");
		return cmd_fail("raw info", 1, &e);
	}
	return 0;
}

int cmd_raw(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} verbs[] = {
		{ "format", cmd_format },
		{ "info", cmd_raw_info },
		{ "collect", cmd_raw_collect },
	};

	umask(077);
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	return cmd_usage("raw", argc > 1 ? "neither format, info nor collect"
					 : "format, info or collect?");
}
