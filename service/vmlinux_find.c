/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmlinux_find.c - the places in which distributions, build trees and debuginfod leave a vmlinux.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"
#include "vmlinux.h"

/* R: the release. */
static const char *const by_release[] = {
	"/usr/lib/debug/boot/vmlinux-R",	/* Debian, Ubuntu */
	"/usr/lib/debug/boot/vmlinux-R.debug",	/* SUSE */
	"/usr/lib/debug/lib/modules/R/vmlinux", /* Fedora, RHEL, openEuler */
	"/usr/lib/debug/usr/lib/modules/R/vmlinux",
	"/usr/lib/debug/vmlinux-R",
	"/lib/modules/R/build/vmlinux", /* a build tree */
	"/lib/modules/R/source/vmlinux",
	"/lib/modules/R/vmlinux",
	"/usr/lib/modules/R/build/vmlinux",
	"/usr/lib/modules/R/vmlinux",
	"/boot/vmlinux-R",
};

/* also what is left there by unpacking a package */
static const char *const here[] = { "vmlinux",
				    "vmlinux-R",
				    "vmlinux-R.debug",
				    "usr/lib/debug/boot/vmlinux-R",
				    "usr/lib/debug/lib/modules/R/vmlinux",
				    "usr/lib/debug/usr/lib/modules/R/vmlinux" };

static bool expand(char out[static PATH_MAX], const char *pattern, const char *release)
{
	const char *r = strchr(pattern, 'R');
	int n = r ? snprintf(out, PATH_MAX, "%.*s%s%s", (int)(r - pattern), pattern, release, r + 1)
		  : snprintf(out, PATH_MAX, "%s", pattern);

	return n > 0 && n < PATH_MAX;
}

static void add(struct vmlinux_found *found, const struct vmlinux_id *id, const char *path)
{
	struct vmlinux_file *f = &found->files[found->n];

	if (found->n == VMLINUX_FOUND_MAX || strlen(path) >= sizeof(f->path))
		return;
	snprintf(f->path, sizeof(f->path), "%s", path);
	f->dev = f->inode = 0;
	if (vmlinux_file_look(f, id))
		return;
	for (unsigned i = 0; i < found->n; i++)
		if (f->inode && f->inode == found->files[i].inode && f->dev == found->files[i].dev)
			return;
	if (f->state < found->best) {
		found->best = f->state;
		found->best_at = found->n;
	}
	found->n++;
}

/* Where a link of a module directory leads: below another root, an absolute one begins there.
 * False: it is no link to elsewhere. */
static bool follow(char out[static PATH_MAX], const char *root, const char *path)
{
	const char *tail = strrchr(path, '/');
	char link[PATH_MAX], dir[PATH_MAX];
	ssize_t n;

	if (!root[0] || tree_path(dir, root, "%.*s", (int)(tail - path), path))
		return false;
	n = readlink(dir, link, sizeof(link) - 1);
	if (n <= 0 || link[0] != '/')
		return false;
	link[n] = '\0';
	return !tree_path(out, root, "%s%s", link, tail);
}

static void by_build_id(struct vmlinux_found *found, const struct vmlinux_places *p,
			const struct vmlinux_id *id)
{
	static const char *const formats[] = { ".debug", "" };
	const char *b = id->build_id;
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!tree_path(path, p->root, "/usr/lib/debug/.build-id/%.2s/%s%s", b, b + 2,
			       formats[i]))
			add(found, id, path);
	if ((p->debuginfod && !tree_path(path, p->debuginfod, "/%s/debuginfo", b)) ||
	    (!p->debuginfod && p->xdg_cache &&
	     !tree_path(path, p->xdg_cache, "/debuginfod_client/%s/debuginfo", b)))
		add(found, id, path);
	else if (!p->debuginfod && p->home &&
		 !tree_path(path, p->home, "/.cache/debuginfod_client/%s/debuginfo", b))
		add(found, id, path);
	if (p->home && !tree_path(path, p->home, "/.debuginfod_client_cache/%s/debuginfo", b))
		add(found, id, path);
}

/* The i-th place for a vmlinux of that release; false: there are no more, or the release is no
 * word. */
static bool place(char path[static PATH_MAX], const char *root, size_t i, const char *release)
{
	char name[PATH_MAX];

	return i < ARRAY_SIZE(by_release) && vmlinux_is_word(release) &&
	       expand(name, by_release[i], release) &&
	       (follow(path, root, name) || !tree_path(path, root, "%s", name));
}

void vmlinux_places_init(struct vmlinux_places *p, const char *root)
{
	*p = (struct vmlinux_places){ .root = root };
	/* what belongs to this user is not below another root */
	if (root[0])
		return;
	p->here = ".";
	p->debuginfod = getenv("DEBUGINFOD_CACHE_PATH");
	p->xdg_cache = getenv("XDG_CACHE_HOME");
	p->home = getenv("HOME");
}

void vmlinux_find(struct vmlinux_found *found, const struct vmlinux_places *p,
		  const struct vmlinux_id *id)
{
	bool named = vmlinux_is_word(id->release);
	char name[PATH_MAX], path[PATH_MAX];

	found->n = found->best_at = 0;
	found->best = VMLINUX_UNUSABLE;
	for (size_t i = 0; place(path, p->root, i, id->release); i++)
		add(found, id, path);
	if (vmlinux_is_build_id(id->build_id))
		by_build_id(found, p, id);
	for (size_t i = 0; p->here && i < ARRAY_SIZE(here); i++) {
		/* without a release only the plain name */
		if ((!named && strchr(here[i], 'R')) || !expand(name, here[i], id->release))
			continue;
		if (!tree_path(path, p->here, "/%s", name))
			add(found, id, path);
	}
}
