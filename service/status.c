/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "base/io.h"
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

/* What a check may look at. */
struct scene {
	const char *root, *kver;
	struct conf conf;
	bool conf_there;
	bool loaded;
};

static void check_reserved(struct status *s, struct scene *sc)
{
	s64 bytes;
	int rc = tree_number(sc->root, "/sys/kernel/kexec_crash_size", &bytes);

	if (rc)
		status_add(s, STATUS_MISSING, "reserved",
			   "boot a kernel with CONFIG_KEXEC_FILE and CONFIG_CRASH_DUMP",
			   "kexec: /sys/kernel/kexec_crash_size: %s", strerror(-rc));
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
	s64 loaded = 0, disabled = 0;

	if (!tree_number(sc->root, "/sys/kernel/kexec_crash_loaded", &loaded) && loaded == 1) {
		sc->loaded = true;
		status_add(s, STATUS_OK, "loaded", NULL, "the capture kernel is loaded");
		return;
	}
	if (!tree_number(sc->root, "/proc/sys/kernel/kexec_load_disabled", &disabled) && disabled)
		status_add(s, STATUS_MISSING, "loaded",
			   "reboot, and run crashpod load before the sysctl is set",
			   "no capture kernel is loaded, and kernel.kexec_load_disabled is 1");
	else
		status_add(s, STATUS_MISSING, "loaded", "crashpod load",
			   "no capture kernel is loaded");
}

static void check_initramfs(struct status *s, struct scene *sc)
{
	char image[PATH_MAX], conf[PATH_MAX], mend[200];
	struct stat st, conf_st;
	const char *shown = image + strlen(sc->root);
	/* what is loaded may have come from another place: a crash now is captured all the same */
	enum status_state absent = sc->loaded ? STATUS_NOTE : STATUS_MISSING;

	snprintf(mend, sizeof(mend), "crashpod-mkinitrd -k %.100s && crashpod load", sc->kver);
	if (tree_path(image, sc->root, TREE_INITRD, sc->kver) || stat(image, &st))
		status_add(s, absent, "initramfs", mend, "no initramfs of kernel %s: %s", sc->kver,
			   shown);
	else if (st.st_size == 0)
		status_add(s, absent, "initramfs", mend, "the initramfs is empty: %s", shown);
	else if (!tree_path(conf, sc->root, "%s", CONF_FILE) && !stat(conf, &conf_st) &&
		 conf_st.st_mtime > st.st_mtime)
		status_add(s, STATUS_MISSING, "initramfs", mend,
			   "the initramfs is older than %s, and holds an earlier one: %s",
			   CONF_FILE, shown);
	else
		status_add(s, STATUS_OK, "initramfs", NULL, "%s, %lld KiB", shown,
			   (long long)(st.st_size + 1023) / 1024);
}

static void conf_problem(void *arg, const char *line)
{
	/* how a line is understood: kdump.conf of openEuler has -l, lzo, for which zstd stands in
	 */
	if (strstr(line, ": note: ")) {
		status_add(arg, STATUS_NOTE, "config", NULL, "%s", line);
		return;
	}
	status_add(arg, STATUS_MISSING, "config", "correct that line, then crashpod-mkinitrd", "%s",
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
		status_add(s, STATUS_MISSING, "config", "write it: one line, as 'ext4 UUID=...'",
			   "%s: %s", CONF_FILE, strerror(-rc));
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

static void check_oops(struct status *s, struct scene *sc)
{
	s64 on;

	if (!tree_number(sc->root, "/proc/sys/kernel/panic_on_oops", &on) && on == 0)
		status_add(s, STATUS_NOTE, "oops", "sysctl kernel.panic_on_oops=1",
			   "an oops that does not panic is not captured");
}

static void (*const checks[])(struct status *s, struct scene *sc) = {
	check_reserved, check_loaded, check_initramfs, check_config, check_targets, check_oops,
};

void status_check(struct status *s, const char *root, const char *kver)
{
	struct scene sc = { .root = root, .kver = kver };

	s->n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](s, &sc);
}
