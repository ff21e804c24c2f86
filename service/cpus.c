/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "tree.h"

#define CPUINFO "/proc/cpuinfo"
/* Processor 0 comes first; its flags are the longest line. */
#define CPUINFO_BYTES_MAX 16384

/* Decimal digits only, at most max. */
static bool number(const char *text, unsigned long max, unsigned long *v)
{
	size_t len = strlen(text);

	if (len == 0 || len > 10 || strspn(text, "0123456789") != len)
		return false;
	*v = strtoul(text, NULL, 10);
	return *v <= max;
}

int cpus_parse(const char *text, unsigned *n, struct err *e)
{
	unsigned long v;

	if (!number(text, CPUS_MAX, &v) || v == 0)
		return err_set(e, -EINVAL, "--cpus takes a number from 1 to %d, not '%s'", CPUS_MAX,
			       text);
	*n = (unsigned)v;
	return 0;
}

/* The value of a "name\t: value" line, or NULL. */
static const char *value_of(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(line, name, len) != 0)
		return NULL;
	line += len + strspn(line + len, " \t");
	return *line == ':' ? line + 1 + strspn(line + 1, " \t") : NULL;
}

int cpus_boot_apicid(const char *root, u32 *id, struct err *e)
{
	char text[CPUINFO_BYTES_MAX], *line = text, *end;
	bool first = false;
	int rc = tree_head(root, CPUINFO, text, sizeof(text));

	if (rc)
		return err_sys(e, rc, CPUINFO);
	/* an empty line ends a processor; what has no line end was cut */
	for (; (end = strchr(line, '\n')) && end > line; line = end + 1) {
		const char *cpu, *apicid;
		unsigned long v;

		*end = '\0';
		cpu = value_of(line, "processor");
		first = first || (cpu && strcmp(cpu, "0") == 0);
		apicid = value_of(line, "initial apicid");
		if (!first || !apicid)
			continue;
		if (!number(apicid, UINT32_MAX - 1, &v))
			return err_set(e, -EINVAL, "%s: initial apicid '%s' is none", CPUINFO,
				       apicid);
		*id = (u32)v;
		return 0;
	}
	return err_set(e, -ENOENT, "%s has no 'initial apicid' of processor 0", CPUINFO);
}

static bool has_apicid(const char *text)
{
	return cmdline_has(text, "disable_cpu_apicid");
}

int cpus_words(char buf[static CPUS_WORDS_CAP], const char *root, unsigned n, const char *running,
	       const char *append, struct err *e)
{
	int len = snprintf(buf, CPUS_WORDS_CAP, "nr_cpus=%u", n);
	u32 id = 0;
	int rc;

	if (n == 1 || has_apicid(append) || has_apicid(running))
		return 0;
	rc = cpus_boot_apicid(root, &id, e);
	if (rc)
		return err_ctx(e, "the boot CPU is not known (name it: --append "
				  "disable_cpu_apicid=ID)");
	snprintf(buf + len, CPUS_WORDS_CAP - (size_t)len, " disable_cpu_apicid=%u", id);
	return 0;
}
