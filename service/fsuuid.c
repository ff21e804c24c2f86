/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fsuuid.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <blkid/blkid.h>

#include "base/guard.h"
#include "tree.h"

#define BY_UUID "/dev/disk/by-uuid"

/* The node: as mounted ("/dev/root" is none), or by its number. */
static int node_find(char node[static PATH_MAX], const char *root, const struct mounts_holder *h)
{
	char line[256], path[PATH_MAX], *text = NULL, *name;
	int rc = tree_path(node, root, "%s", h->source);

	if (!rc && h->source[0] == '/' && !access(node, F_OK))
		return 0;
	rc = tree_path(path, "", "/sys/dev/block/%s/uevent", h->number);
	if (!rc)
		rc = tree_text(root, path, &text);
	if (rc)
		return rc;
	name = strstr(text, "DEVNAME=");
	snprintf(line, sizeof(line), "%s", name ? name + strlen("DEVNAME=") : "");
	free(text);
	line[strcspn(line, "\n")] = '\0';
	rc = line[0] ? tree_path(node, root, "/dev/%s", line) : -ENOENT;
	return !rc && access(node, F_OK) ? -errno : rc;
}

static bool is_plain(const char *uuid)
{
	return uuid[0] && strlen(uuid) < FSUUID_CAP &&
	       strspn(uuid, "0123456789abcdefABCDEF-") == strlen(uuid);
}

static int by_links(char uuid[static FSUUID_CAP], const char *root, const char *node)
{
	_cleanup_free_ char *real = realpath(node, NULL);
	char dir[PATH_MAX], path[PATH_MAX];
	struct dirent *d;
	int rc = tree_path(dir, root, BY_UUID);
	DIR *top = rc ? NULL : opendir(dir);

	if (!top || !real) {
		rc = -errno;
		if (top)
			closedir(top);
		return rc;
	}
	rc = -ENOENT;
	while (rc && (d = readdir(top))) {
		_cleanup_free_ char *to = NULL;

		if (!is_plain(d->d_name) || tree_path(path, dir, "/%s", d->d_name))
			continue;
		to = realpath(path, NULL);
		if (!to || strcmp(to, real))
			continue;
		snprintf(uuid, FSUUID_CAP, "%.63s", d->d_name);
		rc = 0;
	}
	closedir(top);
	return rc;
}

static int by_probe(char uuid[static FSUUID_CAP], const char *node)
{
	blkid_probe pr = blkid_new_probe_from_filename(node);
	const char *value;
	int rc = -ENOENT;

	if (!pr)
		return -errno;
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_UUID);
	if (!blkid_do_safeprobe(pr) && !blkid_probe_lookup_value(pr, "UUID", &value, NULL) &&
	    is_plain(value)) {
		snprintf(uuid, FSUUID_CAP, "%s", value);
		rc = 0;
	}
	blkid_free_probe(pr);
	return rc;
}

int fsuuid_find(char uuid[static FSUUID_CAP], const char *root, const struct mounts_holder *h)
{
	char node[PATH_MAX];
	int rc = node_find(node, root, h);

	if (rc)
		return rc;
	if (!by_links(uuid, root, node))
		return 0;
	return root[0] ? -ENOENT : by_probe(uuid, node);
}
