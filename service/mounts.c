/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/guard.h"
#include "tree.h"

/* Mount points and sources in mountinfo have spaces and the like as \ooo. */
static void unescape(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*out++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

struct mount {
	char *dev, *part, *point, *source; /* part: what of the file system is mounted; "/": all */
};

/* 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw: its fields, cut out of line. */
static bool mount_read(struct mount *m, char *line)
{
	char *save = NULL, *field[5], *tail = strstr(line, " - ");

	if (!tail)
		return false;
	*tail = '\0';
	for (int i = 0; i < 5; i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return false;
	}
	save = NULL;
	if (!strtok_r(tail + 3, " ", &save))
		return false;
	*m = (struct mount){ field[2], field[3], field[4], strtok_r(NULL, " ", &save) };
	if (!m->source)
		return false;
	unescape(m->point);
	unescape(m->source);
	return true;
}

/* By the device's number, or (btrfs has numbers of its own) by its name. */
int mounts_find(struct mounts_point *p, const char *root, const char *node)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *real = realpath(node, NULL);
	char number[32] = "", *save = NULL;
	const char *name = real;
	struct stat st;
	bool found = false;
	int rc = tree_text(root, "/proc/self/mountinfo", &text);

	if (rc)
		return rc;
	if (!real)
		return -errno;
	if (!stat(node, &st) && S_ISBLK(st.st_mode))
		snprintf(number, sizeof(number), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	if (!strncmp(real, root, strlen(root)))
		name = real + strlen(root);
	p->whole = false;
	for (char *line = strtok_r(text, "\n", &save); line && !p->whole;
	     line = strtok_r(NULL, "\n", &save)) {
		struct mount m;

		if (!mount_read(&m, line) || (strcmp(m.dev, number) && strcmp(m.source, name)))
			continue;
		p->whole = !strcmp(m.part, "/");
		if (found && !p->whole)
			continue;
		found = true;
		rc = tree_path(p->path, root, "%s", m.point);
		if (rc)
			return rc;
	}
	return found ? 0 : -ENOENT;
}

int mounts_dump_dir(char dir[static PATH_MAX], const char *root, const struct conf *conf,
		    struct err *e)
{
	const struct conf_target *t = conf->targets;
	struct mounts_point p;
	char node[PATH_MAX];
	int rc = tree_path(dir, root, "%s", conf->path);

	e->code = 0;
	e->msg[0] = '\0';
	while (t < conf->targets + conf->ntargets && t->kind == CONF_TARGET_RAW)
		t++;
	if (rc || t == conf->targets + conf->ntargets)
		return rc;
	rc = tree_device(node, root, t->device);
	if (!rc)
		rc = mounts_find(&p, root, node);
	if (rc) {
		err_set(e, 0, "%s %s is not %s: looking at %s of the running system", t->fstype,
			t->device, rc == -ENOENT ? "mounted" : "to be found", conf->path);
		return 0;
	}
	if (!p.whole)
		err_set(e, 0, "%s %s is mounted in part at %s: the dumps may be elsewhere in it",
			t->fstype, t->device, p.path);
	/* the mount on "/" itself has its slash in the path already */
	return tree_path(dir, strcmp(p.path, "/") ? p.path : "", "%s", conf->path);
}
