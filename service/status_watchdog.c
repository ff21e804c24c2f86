/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_watchdog.c - a watchdog that runs resets the machine in the middle of a dump, unless PID 1
 * can keep it quiet, for which its driver has to be in the initramfs. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "inputs.h"
#include "status.h"
#include "tree.h"

#define CLASS "/sys/class/watchdog"

/* The module of a watchdog's driver; -ENOENT: it is built in. */
static int driver_module(char module[static 64], const char *root, const char *name)
{
	char path[PATH_MAX], to[PATH_MAX], *base;
	ssize_t n;

	if (tree_path(path, root, CLASS "/%s/device/driver/module", name))
		return -ENAMETOOLONG;
	n = readlink(path, to, sizeof(to) - 1);
	if (n < 0)
		return -errno;
	to[n] = '\0';
	base = strrchr(to, '/');
	snprintf(module, 64, "%.63s", base ? base + 1 : to);
	return 0;
}

/* Without hardware it ends with the kernel that it watches. What does not say whether it runs may
 * run. */
static bool may_run(const char *root, const char *name)
{
	char path[PATH_MAX], state[32];

	if (tree_path(path, root, CLASS "/%s/device/driver", name) || access(path, F_OK))
		return false;
	return tree_path(path, "", CLASS "/%s/state", name) ||
	       tree_line(root, path, state, sizeof(state)) || strcmp(state, "inactive") != 0;
}

static void one(struct status *s, const char *root, const char *kver, const char *name)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX], module[64], mend[160];

	if (driver_module(module, root, name)) {
		status_add(s, STATUS_OK, "watchdog", NULL,
			   "%s runs, its driver is built into the kernel", name);
		return;
	}
	if (tree_path(path, "", INPUTS_FILE, kver) || tree_text(root, path, &text)) {
		status_add(s, STATUS_NOTE, "watchdog", "crashpod refresh --reload",
			   "%s runs, and whether its driver %s is in the initramfs is not known",
			   name, module);
		return;
	}
	snprintf(mend, sizeof(mend), "crashpod refresh -k %.100s --reload", kver);
	if (inputs_has_module(text, module))
		status_add(s, STATUS_OK, "watchdog", NULL,
			   "%s runs, its driver %s is in the initramfs", name, module);
	else
		status_add(s, STATUS_MISSING, "watchdog", mend,
			   "%s runs, and would reset the machine during a dump: its driver %s is "
			   "not in the initramfs",
			   name, module);
}

void status_watchdogs(struct status *s, const char *root, const char *kver)
{
	char path[PATH_MAX];
	struct dirent *d;
	unsigned n = 0;
	DIR *dir = tree_path(path, root, CLASS) ? NULL : opendir(path);

	if (s->loaded.release[0])
		kver = s->loaded.release;
	while (dir && (d = readdir(dir))) {
		if (strncmp(d->d_name, "watchdog", 8) || strlen(d->d_name) > 32 ||
		    !may_run(root, d->d_name))
			continue;
		one(s, root, kver, d->d_name);
		n++;
	}
	if (dir)
		closedir(dir);
	if (!n)
		status_add(s, STATUS_OK, "watchdog", NULL, "no watchdog runs");
}
