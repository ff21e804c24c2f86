/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spare.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "tree.h"

#define BLOCK "/sys/block"

/* for_protection: a disk with protection information (T10 PI, NVMe metadata) needs it. */
static const struct {
	const char *initcall, *why;
	bool for_protection;
} spare[] = {
	{ "tracer_init_tracefs", "before 6.6 an inode and a dentry for each file of tracefs: 8 MiB",
	  false },
	{ "slab_sysfs_init", "/sys/kernel/slab: 0.6 MiB; part of something else since 7.x", false },
	/* a fallback for when there is no memory; since 6.19 */
	{ "bio_integrity_initfn", "4 MiB of buffers", true },
};

/* Unknown counts as protected. Kernels without the feature have no such file. */
static bool is_protected(const char *root, const char *disk)
{
	char path[PATH_MAX], format[32];
	int rc;

	if (snprintf(path, sizeof(path), BLOCK "/%s/integrity/format", disk) >= (int)sizeof(path))
		return true;
	rc = tree_line(root, path, format, sizeof(format));
	if (rc == -ENOENT)
		return false;
	return rc || strcmp(format, "none") != 0;
}

bool spare_protection(const char *root)
{
	char path[PATH_MAX];
	const struct dirent *d;
	bool found = false;
	DIR *dir = tree_path(path, root, BLOCK) ? NULL : opendir(path);

	if (!dir)
		return true;
	while (!found && (d = readdir(dir)))
		found = d->d_name[0] != '.' && is_protected(root, d->d_name);
	closedir(dir);
	return found;
}

void spare_word(char buf[static SPARE_WORD_CAP], const char *root)
{
	bool protection = spare_protection(root);
	const char *sep = "initcall_blacklist=";
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(spare); i++) {
		if (spare[i].for_protection && protection)
			continue;
		len += (size_t)snprintf(buf + len, SPARE_WORD_CAP - len, "%s%s", sep,
					spare[i].initcall);
		sep = ",";
	}
}
