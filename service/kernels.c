/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernels.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

static const char *const places[] = { "/lib/modules", "/usr/lib/modules" };

static bool is_known(const struct kernels *k, const char *release)
{
	for (unsigned i = 0; i < k->n; i++)
		if (!strcmp(k->release[i], release))
			return true;
	return false;
}

/* Headers and modules from elsewhere may have a directory there without a kernel. */
static bool is_kernel(const char *root, const char *place, const char *release)
{
	char path[PATH_MAX];

	return release[0] != '.' && strlen(release) < KERNELS_RELEASE &&
	       !tree_path(path, root, "%s/%s/modules.dep", place, release) && !access(path, R_OK) &&
	       !tree_kernel(path, root, release, NULL);
}

static int look(struct kernels *k, const char *root, const char *place)
{
	char path[PATH_MAX];
	struct dirent *d;
	DIR *dir;
	int rc = tree_path(path, root, "%s", place);

	if (rc)
		return rc;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!rc && (d = readdir(dir))) {
		if (is_known(k, d->d_name) || !is_kernel(root, place, d->d_name))
			continue;
		if (k->n == KERNELS_MAX)
			rc = -E2BIG;
		else
			snprintf(k->release[k->n++], KERNELS_RELEASE, "%.127s", d->d_name);
	}
	closedir(dir);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

int kernels_find(struct kernels *k, const char *root, struct err *e)
{
	int rc = 0;

	k->n = 0;
	for (size_t i = 0; !rc && i < ARRAY_SIZE(places); i++) {
		rc = look(k, root, places[i]);
		if (rc)
			err_sys(e, rc, "kernels in %s", places[i]);
	}
	qsort(k->release, k->n, sizeof(k->release[0]), by_name);
	return rc;
}
