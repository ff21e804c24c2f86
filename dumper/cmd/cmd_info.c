/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crashpod info: what a dump is, as "key: value" lines or as JSON. */
#include "cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../info.h"

static void cmd_info_line(const char *key, const char *value)
{
	char shown[512];

	if (value[0])
		printf("%s: %s\n", key, cmd_shown(shown, sizeof(shown), value));
}

static void cmd_info_text(const struct info *in)
{
	char level[16];

	snprintf(level, sizeof(level), "%u", in->level);
	cmd_info_line("format", in->format);
	cmd_info_line("kernel", in->release);
	cmd_info_line("build-id", in->build_id);
	cmd_info_line("crash-time", in->crash_time);
	cmd_info_line("panic", in->panic);
	cmd_info_line("level", in->has_level ? level : "unknown (an ELF file does not say)");
	cmd_info_line("compression", in->compression);
	printf("pages-ram: %" PRIu64 "\n", in->pages_ram);
	printf("pages-in-file: %" PRIu64 "\n", in->pages_in_file);
	if (in->unreadable)
		printf("pages-unreadable: %" PRIu64 "\n", in->unreadable);
	cmd_info_line("part", in->part);
	cmd_info_line("complete", in->complete ? "yes" : "no");
	cmd_info_line("problem", in->problem);
}

static int cmd_info_json(const struct info *in, struct err *e)
{
	struct json j;
	int rc;

	json_init(&j);
	info_json(in, &j);
	rc = json_end(&j);
	if (rc)
		err_sys(e, rc, "JSON");
	else
		fputs(j.buf, stdout);
	json_deinit(&j);
	return rc;
}

int cmd_info(int argc, char **argv)
{
	const char *path = NULL;
	struct core *core = NULL;
	struct err e = { 0 };
	bool as_json = false;
	struct info in;
	int rc;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			as_json = true;
		else if (argv[i][0] == '-')
			return cmd_usage("info", "unknown option");
		else if (path)
			return cmd_usage("info", "one file only");
		else
			path = argv[i];
	}
	if (!path)
		return cmd_usage("info", "no file given");
	rc = core_open(&core, path, CORE_PARTIAL, &e);
	if (rc)
		return cmd_fail("info", 1, &e);
	rc = info_get(&in, core, &e);
	core_close(core);
	if (!rc && as_json)
		rc = cmd_info_json(&in, &e);
	else if (!rc)
		cmd_info_text(&in);
	if (fflush(stdout) && !rc)
		rc = err_sys(&e, -errno, "write");
	return rc ? cmd_fail("info", 1, &e) : 0;
}
