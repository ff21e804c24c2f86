/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cryptkeys.h"
#include "base/guard.h"
#include "base/io.h"
#include "base/layers_crypt.h"
#include "tree.h"
#include "where.h"

#define OWN "crashpod-" /* entries that were made here; the LUKS header's UUID follows */
#define KEYS_MAX 16

struct wanted {
	char desc[KEYS_MAX][LAYERS_CRYPT_DESC_CAP];
	unsigned n;
};

static bool offered(const char *root)
{
	char sys[PATH_MAX];

	return !tree_path(sys, root, "/sys") && cryptkeys_offered(sys);
}

int keys_check(char desc[static 48], const char *root, const struct encrypted *c,
	       int (*find)(const char *desc), struct err *e)
{
	int rc;

	if (!offered(root))
		return err_set(
			e, -ENOSYS,
			"%s is encrypted, and this kernel cannot hand its key to the capture "
			"kernel (CONFIG_CRASH_DM_CRYPT, since 6.16)",
			c->name);
	if (!layers_crypt_desc(c->uuid, desc))
		return err_set(
			e, -ENOTSUP,
			"%s is encrypted, and not as LUKS2, whose key alone can be linked to "
			"a keyring",
			c->name);
	rc = find(desc);
	if (rc)
		return err_set(
			e, rc,
			"%s: no key %s in root's keyring (%s): add link-volume-key=" KEYS_LINK
			" to its options in /etc/crypttab and open it anew",
			c->name, desc, err_text(-rc), desc);
	return 0;
}

static void want(struct wanted *w, const char *desc)
{
	for (unsigned i = 0; i < w->n; i++)
		if (strcmp(w->desc[i], desc) == 0)
			return;
	if (w->n < KEYS_MAX)
		snprintf(w->desc[w->n++], sizeof(w->desc[0]), "%s", desc);
}

static void want_all(struct wanted *w, const char *root, int (*find)(const char *desc),
		     void (*say)(void *arg, const char *line), void *arg)
{
	char path[PATH_MAX];
	struct conf c;

	where_conf(&c, root, NULL, NULL); /* none: it has no targets */
	for (unsigned i = 0; i < c.ntargets; i++) {
		struct encrypted_list l;

		if (tree_device(path, root, c.targets[i].device))
			continue;
		encrypted_below_node(&l, root, path);
		for (unsigned n = 0; n < l.n; n++) {
			char desc[LAYERS_CRYPT_DESC_CAP];
			struct err e = { 0 };

			if (!keys_check(desc, root, &l.found[n], find, &e)) {
				want(w, desc);
				continue;
			}
			err_ctx(&e, "%s takes no dump", c.targets[i].device);
			say(arg, e.msg);
		}
	}
}

static bool is_wanted(const struct wanted *w, const char *uuid)
{
	for (unsigned i = 0; i < w->n; i++)
		if (strcmp(strchr(w->desc[i], ':') + 1, uuid) == 0)
			return true;
	return false;
}

/* Each call of the kernel for a capture kernel takes all keys that are named, and fails where one
 * of them is not there. */
static void leave_only(const char *dir, const struct wanted *w)
{
	struct dirent *d;
	DIR *all = opendir(dir);

	while (all && (d = readdir(all))) {
		char path[PATH_MAX];

		if (strncmp(d->d_name, OWN, strlen(OWN)) == 0 &&
		    !is_wanted(w, d->d_name + strlen(OWN)) &&
		    !tree_path(path, dir, "/%s", d->d_name))
			rmdir(path);
	}
	if (all)
		closedir(all);
}

static int name(const char *dir, const char *desc, struct err *e)
{
	_cleanup_close_ int fd = -1;
	char entry[PATH_MAX], path[PATH_MAX];
	int rc = tree_path(entry, dir, "/" OWN "%s", strchr(desc, ':') + 1);

	if (!rc)
		rc = tree_path(path, entry, "/description");
	if (!rc && mkdir(entry, 0755) && errno != EEXIST)
		rc = -errno;
	if (rc)
		return err_sys(e, rc, "%s", entry);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	rc = fd < 0 ? -errno : io_write_all(fd, desc, strlen(desc));
	/* with an entry that has no description the kernel loads nothing */
	if (rc)
		rmdir(entry);
	return rc ? err_sys(e, rc, "%s", path) : 0;
}

void keys_hand_over(const char *root, int (*find)(const char *desc),
		    void (*say)(void *arg, const char *line), void *arg)
{
	struct wanted w = { .n = 0 };
	char dir[PATH_MAX];

	want_all(&w, root, find, say, arg);
	if (tree_path(dir, root, "/sys" CRYPTKEYS_DIR))
		return;
	leave_only(dir, &w);
	for (unsigned i = 0; i < w.n; i++) {
		struct err e = { 0 };

		if (name(dir, w.desc[i], &e))
			say(arg, e.msg);
	}
}

void keys_take_back(const char *root)
{
	const struct wanted none = { .n = 0 };
	char dir[PATH_MAX];

	if (!tree_path(dir, root, "/sys" CRYPTKEYS_DIR))
		leave_only(dir, &none);
}

bool keys_are_named(const char *root, const char *desc)
{
	char path[PATH_MAX], line[160];

	return !tree_path(path, "", "/sys" CRYPTKEYS_DIR "/" OWN "%s/description",
			  strchr(desc, ':') + 1) &&
	       !tree_line(root, path, line, sizeof(line)) && strcmp(line, desc) == 0;
}
