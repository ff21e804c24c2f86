/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/io.h"
#include "kexec.h"
#include "tree.h"

static const char *const state_names[] = {
	[STATUS_OK] = "ok",
	[STATUS_NOTE] = "note",
	[STATUS_MISSING] = "missing",
};

const char *status_state_name(enum status_state state)
{
	return state_names[state];
}

bool status_ready(const struct status *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->items[i].state == STATUS_MISSING)
			return false;
	return s->n > 0;
}

void status_add(struct status *s, enum status_state state, const char *name, const char *mend,
		const char *fmt, ...)
{
	struct status_item *it;
	va_list ap;

	/* A full list turns its last item over, so that nothing missing is lost from sight. */
	if (s->n < STATUS_ITEMS_MAX)
		s->n++;
	else if (state != STATUS_MISSING)
		return;
	it = &s->items[s->n - 1];
	it->state = state;
	it->name = name;
	va_start(ap, fmt);
	vsnprintf(it->text, sizeof(it->text), fmt, ap);
	va_end(ap);
	snprintf(it->mend, sizeof(it->mend), "%s", mend ? mend : "");
}

bool status_is_blind(const char *root)
{
	return !root[0] && geteuid();
}

/* What a check may look at. */
struct scene {
	const char *root, *kver;
	struct conf conf;
	bool conf_there;
};

static void check_reserved(struct status *s, struct scene *sc)
{
	s64 bytes;
	int rc = kexec_reserved(sc->root, &bytes);

	if (rc == -EBUSY)
		status_add(s, STATUS_MISSING, "reserved", "see what it waits for, then ask again",
			   "a capture kernel has been being loaded for a minute");
	else if (rc)
		status_add(s, STATUS_MISSING, "reserved",
			   "boot a kernel with CONFIG_KEXEC_FILE and CONFIG_CRASH_DUMP",
			   "kexec: " KEXEC_SIZE_FILE ": %s", strerror(-rc));
	else if (bytes <= 0)
		status_add(s, STATUS_MISSING, "reserved",
			   "boot with crashkernel=SIZE on the kernel command line",
			   "no memory is reserved for the capture kernel");
	else
		status_add(s, STATUS_OK, "reserved", NULL,
			   "%lld MiB reserved for the capture kernel", (long long)(bytes >> 20));
}

static void check_loaded(struct status *s, struct scene *sc)
{
	status_loaded(s, sc->root);
}

static void check_enough(struct status *s, struct scene *sc)
{
	status_reserve(s, sc->root, sc->kver);
}

static void check_kdump(struct status *s, struct scene *sc)
{
	status_kdump(s, sc->root);
}

static void check_boot(struct status *s, struct scene *sc)
{
	status_boot(s, sc->root);
}

static void check_initramfs(struct status *s, struct scene *sc)
{
	status_initramfs(s, sc->root, sc->kver);
}

static void conf_problem(void *arg, const char *line)
{
	/* how a line is understood: kdump.conf of openEuler has -l, lzo, for which zstd stands in
	 */
	if (strstr(line, ": note: ")) {
		status_add(arg, STATUS_NOTE, "config", NULL, "%s", line);
		return;
	}
	status_add(arg, STATUS_MISSING, "config", "correct that line, then crashpod refresh", "%s",
		   line);
}

static void check_config(struct status *s, struct scene *sc)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	struct err e = { 0 };
	size_t len;
	int rc = tree_path(path, sc->root, "%s", CONF_FILE);

	conf_defaults(&sc->conf);
	if (!rc)
		rc = io_read_file(path, CONF_FILE_MAX, &text, &len, &e);
	if (rc) {
		status_add(s, STATUS_MISSING, "config",
			   "crashpod setup, or write it: one line, as 'ext4 UUID=...'", "%s: %s",
			   CONF_FILE, strerror(-rc));
		return;
	}
	sc->conf_there = true;
	if (!conf_parse(&sc->conf, text, len, CONF_FILE, conf_problem, s))
		status_add(s, STATUS_OK, "config", NULL, "%s is sound", CONF_FILE);
}

static void check_targets(struct status *s, struct scene *sc)
{
	if (sc->conf_there)
		status_targets(s, sc->root, &sc->conf);
}

static void check_chain(struct status *s, struct scene *sc)
{
	if (sc->conf_there)
		status_chain(s, sc->root, sc->kver);
}

static void check_watchdogs(struct status *s, struct scene *sc)
{
	status_watchdogs(s, sc->root, sc->kver);
}

static void check_last_dump(struct status *s, struct scene *sc)
{
	status_last_dump(s, sc->root, &sc->conf);
}

static void check_oops(struct status *s, struct scene *sc)
{
	s64 on;

	if (!tree_number(sc->root, "/proc/sys/kernel/panic_on_oops", &on) && on == 0)
		status_add(s, STATUS_NOTE, "oops", "sysctl kernel.panic_on_oops=1",
			   "an oops that does not panic is not captured");
}

static void (*const checks[])(struct status *s, struct scene *sc) = {
	check_reserved, check_loaded,  check_enough, check_kdump,     check_boot, check_initramfs,
	check_config,	check_targets, check_chain,  check_watchdogs, check_oops, check_last_dump,
};

void status_free(struct status *s)
{
	loaded_free(&s->loaded);
	s->dump.path[0] = '\0';
	s->n = 0;
}

void status_check(struct status *s, const char *root, const char *kver)
{
	struct scene sc = { .root = root, .kver = kver };

	status_free(s);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](s, &sc);
}
