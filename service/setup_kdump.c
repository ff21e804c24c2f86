/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup_kdump.c - an existing configuration of kdump, RHEL's (/etc/kdump.conf, whose grammar is
 * crashpod.conf's) or Debian's (/etc/default/kdump-tools, variables of a shell script that is read
 * and not run). What has no meaning here is left out and said. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "kdump.h"
#include "setup.h"
#include "tree.h"

#define SYSCTL_FILE "/etc/sysctl.d/60-crashpod.conf"
#define RHEL_FILE "/etc/kdump.conf"
#define DEBIAN_FILE KDUMP_DEBIAN_FILE

static void why_not(void *arg, const char *line)
{
	snprintf(arg, 300, "%s", line);
}

/* Whether the one parser takes a line; why gets its message without the place. */
static bool is_taken(const char *line, char why[static 300])
{
	struct conf c;
	char *colon;

	conf_defaults(&c);
	why[0] = '\0';
	if (!conf_parse(&c, line, strlen(line), "x", why_not, why))
		return true;
	/* "x:1: " */
	colon = strstr(why, ": ");
	if (colon)
		memmove(why, colon + 2, strlen(colon + 2) + 1);
	return false;
}

/* --- RHEL --- */

static bool is_network(const char *line)
{
	return !strncmp(line, "nfs ", 4) || !strncmp(line, "ssh ", 4) ||
	       !strncmp(line, "virtiofs ", 9);
}

/* A file system or partition for the dumps, whatever its type: "WORD DEVICE". */
static bool is_target(const char *line)
{
	static const char *const devices[] = { "/dev/",
					       "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL=" };
	const char *device = line + strcspn(line, " ");

	device += strspn(device, " ");
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (!strncmp(device, devices[i], strlen(devices[i])))
			return true;
	return false;
}

struct kdump {
	FILE *out;
	char path[CONF_NAME_MAX]; /* of the dumps; empty: not said */
	bool target;		  /* one is named */
};

static void rhel_line(struct setup *s, struct kdump *k, char *line)
{
	char why[300];

	for (char *p = line; *p; p++)
		*p = *p == '\t' ? ' ' : *p;
	line += strspn(line, " ");
	if (!*line || *line == '#')
		return;
	if (!strncmp(line, "default ", 8)) {
		/* its old name; both keys are not in one file */
		fprintf(k->out, "failure_action %s\n", line + 8);
		return;
	}
	if (is_network(line)) {
		setup_line(&s->problems,
			   "%s: '%s': dumps to the network are not supported yet: "
			   "name a local target in %s",
			   RHEL_FILE, line, CONF_FILE);
	} else if (!is_taken(line, why) && is_target(line)) {
		/* without it the dumps would go to the root file system */
		setup_line(&s->problems, "%s: '%s': %s: write %s with its target", RHEL_FILE, line,
			   why, CONF_FILE);
	} else if (!is_taken(line, why)) {
		setup_line(&s->notes, "%s: '%s' is left out: %s", RHEL_FILE, line, why);
	} else if (!strncmp(line, "path ", 5)) {
		snprintf(k->path, sizeof(k->path), "%s", line + 5 + strspn(line + 5, " "));
	} else {
		struct conf c;

		conf_defaults(&c);
		conf_parse(&c, line, strlen(line), RHEL_FILE, NULL, NULL);
		k->target |= c.ntargets > 0;
		fprintf(k->out, "%s\n", line);
	}
}

/* Without a target kdump writes to the root file system's path. */
static char *rhel_finish(struct setup *s, const struct kdump *k, const char *settings)
{
	const char *path = k->path[0] ? k->path : CONF_PATH;
	char *text = NULL;

	if (!k->target)
		return setup_conf_text(s, path, settings);
	if (asprintf(&text, "# %s, taken over from %s by crashpod setup.\n%spath %s\nnaming rhel\n",
		     CONF_FILE, RHEL_FILE, settings, path) < 0) {
		s->changes.failed = true;
		return NULL;
	}
	return text;
}

static char *from_rhel(struct setup *s, char *text)
{
	char *settings = NULL, *out, *line, *at = text;
	struct kdump k = { 0 };
	size_t len;

	k.out = open_memstream(&settings, &len);
	if (!k.out) {
		s->changes.failed = true;
		return NULL;
	}
	while ((line = strsep(&at, "\n")))
		rhel_line(s, &k, line);
	if (fclose(k.out)) {
		s->changes.failed = true;
		return NULL;
	}
	out = s->problems.n ? NULL : rhel_finish(s, &k, settings);
	free(settings);
	return out;
}

/* --- Debian --- */

static void debian_option(struct setup *s, FILE *f, const char *text, const char *name,
			  const char *format)
{
	char value[256], line[400], why[300];

	if (!kdump_value(text, name, value, sizeof(value)))
		return;
	snprintf(line, sizeof(line), "%s %s", format, value);
	if (is_taken(line, why))
		fprintf(f, "%s\n", line);
	else
		setup_line(&s->notes, "%s: %s=%s is left out: %s", DEBIAN_FILE, name, value, why);
}

/* The command that ends a failed dump: what it does to the machine. */
static void debian_fail(struct setup *s, FILE *f, const char *text)
{
	static const char *const actions[] = { "reboot", "poweroff", "halt" };
	char value[256];

	if (!kdump_value(text, "KDUMP_FAIL_CMD", value, sizeof(value)))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!strstr(value, actions[i]))
			continue;
		fprintf(f, "failure_action %s\n", actions[i]);
		return;
	}
	setup_line(&s->notes,
		   "%s: KDUMP_FAIL_CMD=%s is left out: reboot, poweroff and halt are known",
		   DEBIAN_FILE, value);
}

/* What has no counterpart, where somebody has set it. */
static void debian_left(struct setup *s, const char *text)
{
	static const struct {
		const char *name, *usual;
	} left[] = {
		{ "KDUMP_KERNEL", "/var/lib/kdump/vmlinuz" },
		{ "KDUMP_INITRD", "/var/lib/kdump/initrd.img" },
		{ "KDUMP_CMDLINE", "" },
		{ "KDUMP_CMDLINE_APPEND", "" },
		{ "KDUMP_KEXEC_ARGS", "" },
		{ "KDUMP_COMPRESSION", "" },
	};
	char value[256];

	for (size_t i = 0; i < ARRAY_SIZE(left); i++)
		if (kdump_value(text, left[i].name, value, sizeof(value)) &&
		    strcmp(value, left[i].usual))
			setup_line(&s->notes, "%s: %s=%s is left out", DEBIAN_FILE, left[i].name,
				   value);
	if (kdump_value(text, "KDUMP_NUM_DUMPS", value, sizeof(value)))
		setup_line(&s->notes,
			   "%s: KDUMP_NUM_DUMPS=%s counts crashpod's dumps from now on: those that "
			   "kdump-tools has made stay until you remove them",
			   DEBIAN_FILE, value);
}

static char *from_debian(struct setup *s, const char *text)
{
	static const char *const network[] = { "NFS", "SSH", "FTP" };
	char dir[CONF_NAME_MAX], value[256], *settings = NULL, *out = NULL;
	size_t len;
	FILE *f;

	for (size_t i = 0; i < ARRAY_SIZE(network); i++)
		if (kdump_value(text, network[i], value, sizeof(value)))
			setup_line(
				&s->problems,
				"%s: %s=%s: dumps to the network are not supported yet: write %s "
				"with a local target",
				DEBIAN_FILE, network[i], value, CONF_FILE);
	f = open_memstream(&settings, &len);
	if (!f || s->problems.n) {
		s->changes.failed |= !f;
		if (f)
			fclose(f);
		free(settings);
		return NULL;
	}
	if (!kdump_value(text, "KDUMP_COREDIR", dir, sizeof(dir)))
		snprintf(dir, sizeof(dir), "%s", CONF_PATH);
	debian_option(s, f, text, "MAKEDUMP_ARGS", "core_collector makedumpfile");
	debian_option(s, f, text, "KDUMP_NUM_DUMPS", "keep");
	debian_fail(s, f, text);
	debian_left(s, text);
	if (fclose(f))
		s->changes.failed = true;
	else
		out = setup_conf_text(s, dir, settings);
	free(settings);
	return out;
}

char *setup_kdump_conf(struct setup *s)
{
	_cleanup_free_ char *text = NULL;

	if (!tree_text(s->root, RHEL_FILE, &text))
		return from_rhel(s, text);
	if (!tree_text(s->root, DEBIAN_FILE, &text))
		return from_debian(s, text);
	setup_line(&s->problems, "there is neither %s nor %s to take over", RHEL_FILE, DEBIAN_FILE);
	return NULL;
}

/* kdump-config sets it whenever it loads: an oops that was captured is captured on. */
static void take_oops(struct setup *s)
{
	char path[PATH_MAX];
	s64 on = 0;

	if (tree_path(path, s->root, DEBIAN_FILE) || access(path, R_OK) ||
	    tree_number(s->root, "/proc/sys/kernel/panic_on_oops", &on) || on != 1)
		return;
	changes_file(&s->changes, SYSCTL_FILE,
		     "# As kdump-tools has it: an oops is a crash. Made by crashpod setup.\n"
		     "kernel.panic_on_oops = 1\n",
		     0644, MADE_FILE);
}

void setup_kdump_rest(struct setup *s)
{
	changes_step(&s->changes, "kdump's settings");
	if (s->from_kdump)
		take_oops(s);
	if (kdump_has_rules(s->root))
		changes_file(
			&s->changes, KDUMP_RULES_OVER,
			"# In the place of kdump-tools' own rules, which would put its capture "
			"kernel in the place\n# of crashpod's when memory or CPUs come and go. "
			"Made by crashpod setup.\n",
			0644, MADE_FILE);
}
