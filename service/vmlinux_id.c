/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmlinux.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dmesg.h"
#include "kdump_header.h"
#include "source_kdump.h"

#define BANNER "Linux version "

bool vmlinux_is_word(const char *s)
{
	static const char others[] = "._+~-";
	size_t n = 0;

	if (*s == '-' || *s == '.')
		return false;
	for (; s[n]; n++) {
		char c = s[n];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      strchr(others, c)))
			return false;
	}
	return n && !strstr(s, "..");
}

bool vmlinux_is_build_id(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return n >= 4 && n % 2 == 0 && !s[n];
}

/* A text of the dead kernel as it may be shown. */
static void take(char *to, size_t cap, const char *from)
{
	size_t n = 0;

	for (; from[n] && n + 1 < cap; n++)
		to[n] = from[n] >= ' ' && from[n] <= '~' ? from[n] : '?';
	to[n] = '\0';
}

struct banner_find {
	char line[VMLINUX_BANNER];
	size_t len;
	char *to;
};

/* The log comes in pieces; the first line that has a banner is kept. */
static int banner_sink(void *arg, const char *text, size_t len)
{
	struct banner_find *f = arg;

	for (size_t i = 0; i < len; i++) {
		char *at;

		if (text[i] != '\n') {
			if (f->len + 1 < sizeof(f->line))
				f->line[f->len++] = text[i];
			continue;
		}
		f->line[f->len] = '\0';
		f->len = 0;
		at = strstr(f->line, BANNER);
		if (!at)
			continue;
		take(f->to, VMLINUX_BANNER, at);
		return -ECANCELED;
	}
	return 0;
}

/* uname of the dead kernel: of the header, where the dump has one, or of its memory. */
static void read_uts(struct vmlinux_id *id, const struct core *core)
{
	const struct kdump_file *k = source_kdump_file(core->src);
	char uts[KDUMP_UTS_FIELDS][KDUMP_UTS_LEN] = { { 0 } };

	if (k)
		memcpy(uts, k->head.uts, sizeof(uts));
	else
		kdump_header_uts(uts, core);
	for (size_t i = 0; i < KDUMP_UTS_FIELDS; i++)
		uts[i][KDUMP_UTS_LEN - 1] = '\0';
	if (!id->release[0])
		take(id->release, sizeof(id->release), uts[KDUMP_UTS_RELEASE]);
	/* all versions begin so: "unknown" is what a header has in its place */
	if (uts[KDUMP_UTS_VERSION][0] == '#')
		take(id->version, sizeof(id->version), uts[KDUMP_UTS_VERSION]);
}

/* The banner ends with what uname -v says, after the compiler in brackets. */
static void version_of_banner(struct vmlinux_id *id)
{
	const char *at = strstr(id->banner, ") #");

	if (!id->version[0] && at)
		take(id->version, sizeof(id->version), at + 2);
}

void vmlinux_id_read(struct vmlinux_id *id, const struct core *core)
{
	struct banner_find f = { .to = id->banner };

	memset(id, 0, sizeof(*id));
	if (core->vi) {
		char text[VMLINUX_TEXT];

		if (!vmcoreinfo_string(core->vi, "OSRELEASE", text, sizeof(text)))
			take(id->release, sizeof(id->release), text);
		if (!vmcoreinfo_string(core->vi, "BUILD-ID", text, sizeof(text)) &&
		    vmlinux_is_build_id(text))
			take(id->build_id, sizeof(id->build_id), text);
	}
	read_uts(id, core);
	/* without a log there is no banner */
	dmesg_write(core, banner_sink, &f, NULL);
	version_of_banner(id);
}

int vmlinux_id_of(struct vmlinux_id *id, const char *dump, struct err *e)
{
	struct core *core = NULL;
	int rc = core_open(&core, dump, CORE_PARTIAL, e);

	if (rc)
		return rc;
	vmlinux_id_read(id, core);
	core_close(core);
	if (!id->release[0] && !id->build_id[0])
		return err_set(e, -ENOENT, "%s does not say which kernel it is of", dump);
	return 0;
}
