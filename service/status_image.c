/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_image.c - what is loaded, and the initramfs it comes from. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "inputs.h"
#include "kdump.h"
#include "load.h"
#include "status.h"
#include "tree.h"

static void not_loaded(struct status *s, const char *root)
{
	s64 disabled = 0;

	if (!tree_number(root, "/proc/sys/kernel/kexec_load_disabled", &disabled) && disabled)
		status_add(s, STATUS_MISSING, "loaded",
			   "reboot, and run crashpod load before the sysctl is set",
			   "no capture kernel is loaded, and kernel.kexec_load_disabled is 1");
	else
		status_add(s, STATUS_MISSING, "loaded", "crashpod load",
			   "no capture kernel is loaded");
}

/* One of the two files that were loaded; true: it is still the same. */
static bool is_same(struct status *s, const char *root, const char *path, const char *sum)
{
	int rc = loaded_changed(root, path, sum);

	if (rc > 0)
		status_add(s, STATUS_MISSING, "loaded", "crashpod load --again",
			   "what is loaded is not the %s that is there now", path);
	else if (rc)
		status_add(s, STATUS_NOTE, "loaded",
			   rc == -EACCES ? "ask as root" : "crashpod load",
			   "a capture kernel is loaded, from %s: %s", path, strerror(-rc));
	return !rc;
}

void status_loaded(struct status *s, const char *root)
{
	struct loaded *l = &s->loaded;

	if (!load_is_loaded(root)) {
		not_loaded(s, root);
		return;
	}
	if (loaded_read(l, root)) {
		status_not_ours(s, root);
		return;
	}
	if (kdump_has_loaded(root)) {
		status_add(s, STATUS_MISSING, "loaded", "crashpod load --again",
			   "kdump-tools has loaded its own capture kernel since crashpod's was "
			   "loaded");
		return;
	}
	if (is_same(s, root, l->kernel, l->kernel_sum) &&
	    is_same(s, root, l->initrd, l->initrd_sum))
		status_add(s, STATUS_OK, "loaded", NULL, "the capture kernel is loaded: %s with %s",
			   l->kernel, l->initrd);
}

static void up_to_date(struct status *s, const char *root, const char *kver, const char *shown,
		       off_t bytes)
{
	char how[200], mend[160];
	struct err e = { 0 };
	int rc = inputs_compare(how, sizeof(how), root, kver, &e);
	long long kib = (long long)(bytes + 1023) / 1024;

	snprintf(mend, sizeof(mend), "crashpod refresh -k %.100s --reload", kver);
	if (rc == -ENODATA)
		status_add(s, STATUS_NOTE, "initramfs", mend, "%s, %lld KiB: %s", shown, kib,
			   e.msg);
	else if (rc == -ENOENT)
		status_add(s, STATUS_NOTE, "initramfs", "install crashpod again",
			   "%s, %lld KiB: whether it is up to date is not known: %s", shown, kib,
			   e.msg);
	else if (rc)
		status_add(s, status_is_blind(root) ? STATUS_NOTE : STATUS_MISSING, "initramfs",
			   status_is_blind(root) ? "ask as root"
						 : "mend that, then crashpod refresh",
			   "%s stays as it is, none could be made now: %s", shown, e.msg);
	else if (how[0])
		status_add(s, STATUS_MISSING, "initramfs", mend,
			   "%s is out of date, changed since: %s", shown, how);
	else
		status_add(s, STATUS_OK, "initramfs", NULL, "%s, %lld KiB, is up to date", shown,
			   kib);
}

/* The initramfs that is loaded, or would be. */
void status_initramfs(struct status *s, const char *root, const char *kver)
{
	char own[PATH_MAX], image[PATH_MAX], mend[200];
	const char *shown = own;
	struct stat st;
	/* what is loaded may have come from another place: a crash now is captured all the same */
	enum status_state absent = load_is_loaded(root) ? STATUS_NOTE : STATUS_MISSING;

	if (s->loaded.release[0])
		kver = s->loaded.release;
	if (tree_path(own, "", TREE_INITRD, kver))
		return;
	if (s->loaded.initrd[0])
		shown = s->loaded.initrd;
	snprintf(mend, sizeof(mend), "crashpod refresh -k %.100s && crashpod load", kver);
	if (tree_path(image, root, "%s", shown) || stat(image, &st))
		status_add(s, absent, "initramfs", mend, "no initramfs of kernel %s: %s", kver,
			   shown);
	else if (st.st_size == 0)
		status_add(s, absent, "initramfs", mend, "the initramfs is empty: %s", shown);
	else if (strcmp(shown, own))
		status_add(s, STATUS_NOTE, "initramfs", "it is yours to make anew",
			   "%s is not in its own place: whether it is up to date is not known",
			   shown);
	else
		up_to_date(s, root, kver, shown, st.st_size);
}
