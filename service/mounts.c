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
	char *fstype, *options;		   /* options: of the file system */
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
	tail = strtok_r(tail + 3, " ", &save);
	if (!tail)
		return false;
	*m = (struct mount){ field[2], field[3], field[4], strtok_r(NULL, " ", &save), tail, NULL };
	if (!m->source)
		return false;
	m->options = strtok_r(NULL, " ", &save);
	unescape(m->part);
	unescape(m->point);
	unescape(m->source);
	return true;
}

static bool is_read_only(const struct mount *m)
{
	return m->options && !strncmp(m->options, "ro", 2) &&
	       (!m->options[2] || m->options[2] == ',');
}

/* Whether path is the part of a file system or in it; *n: the bytes of it that are the part. */
static bool is_in_part(const char *part, const char *path, size_t *n)
{
	*n = strcmp(part, "/") ? strlen(part) : 0;
	return !strncmp(part, path, *n) && (path[*n] == '/' || !path[*n]);
}

/* A mount of the device: taken where it has more of the path than the one before. */
static int point_take(struct mounts_point *p, const struct mount *m, const char *root,
		      const char *path, bool first)
{
	size_t part;
	bool has = is_in_part(m->part, path, &part);

	if (!first && (!has || (p->has && part <= p->part)) && strcmp(m->part, "/"))
		return 0;
	p->whole = !strcmp(m->part, "/");
	p->has = has;
	p->part = has ? part : 0;
	p->read_only = is_read_only(m);
	snprintf(p->fstype, sizeof(p->fstype), "%s", m->fstype);
	snprintf(p->number, sizeof(p->number), "%s", m->dev);
	return tree_path(p->path, root, "%s", m->point);
}

/* Whether it is of the device: by its number, or (btrfs has numbers of its own) by its name, which
 * may be a link as those of /dev/mapper are. */
static bool is_of_device(const struct mount *m, const char *root, const char *number,
			 const char *real)
{
	_cleanup_free_ char *source = NULL;
	char path[PATH_MAX];

	if (!strcmp(m->dev, number))
		return true;
	if (m->source[0] != '/' || tree_path(path, root, "%s", m->source))
		return false;
	source = realpath(path, NULL);
	return source && !strcmp(source, real);
}

int mounts_find(struct mounts_point *p, const char *root, const char *node, const char *path)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *real = realpath(node, NULL);
	char number[32] = "", *save = NULL;
	struct stat st;
	bool found = false;
	int rc = tree_text(root, "/proc/self/mountinfo", &text);

	if (rc)
		return rc;
	if (!real)
		return -errno;
	if (!stat(node, &st) && S_ISBLK(st.st_mode))
		snprintf(number, sizeof(number), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	p->whole = false;
	for (char *line = strtok_r(text, "\n", &save); line && !p->whole;
	     line = strtok_r(NULL, "\n", &save)) {
		struct mount m;

		if (!mount_read(&m, line) || !is_of_device(&m, root, number, real))
			continue;
		rc = point_take(p, &m, root, path, !found);
		if (rc)
			return rc;
		found = true;
	}
	return found ? 0 : -ENOENT;
}

/* The directory, or what of it is there, without symbolic links and without root; rest is what is
 * not there yet. */
static int real_dir(char real[static PATH_MAX], char rest[static PATH_MAX], const char *root,
		    const char *dir)
{
	char path[PATH_MAX];
	int rc = tree_path(path, root, "%s", dir);
	size_t top = strlen(root), n;

	rest[0] = '\0';
	if (rc)
		return rc;
	for (;;) {
		_cleanup_free_ char *found = realpath(path[0] ? path : "/", NULL);
		char *slash;

		if (found) {
			_cleanup_free_ char *base = realpath(root[0] ? root : "/", NULL);

			n = base && base[1] ? strlen(base) : 0;
			if (base && n && strncmp(found, base, n))
				return -EXDEV;
			snprintf(real, PATH_MAX, "%s", found[n] ? found + n : "/");
			break;
		}
		slash = strrchr(path, '/');
		if (errno != ENOENT || !slash || (size_t)(slash - path) < top)
			return -errno;
		*slash = '\0';
	}
	n = strlen(path) > top ? strlen(path) - top : 0;
	snprintf(rest, PATH_MAX, "%s", dir + n);
	return 0;
}

/* Whether dir is the mount point or below it; *below is what comes after the point. */
static bool is_on(const struct mount *m, const char *dir, const char **below)
{
	size_t n = strcmp(m->point, "/") ? strlen(m->point) : 0;

	*below = dir + n;
	return !strncmp(m->point, dir, n) && (dir[n] == '/' || !dir[n]);
}

int mounts_holding(struct mounts_holder *h, const char *root, const char *dir)
{
	_cleanup_free_ char *text = NULL;
	char real[PATH_MAX], rest[PATH_MAX], *save = NULL;
	size_t longest = 0;
	int rc = tree_text(root, "/proc/self/mountinfo", &text);

	if (!rc)
		rc = real_dir(real, rest, root, dir);
	if (rc)
		return rc;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *below, *part;
		struct mount m;
		int n;

		/* of two on one point the later one covers the other */
		if (!mount_read(&m, line) || !is_on(&m, real, &below) || strlen(m.point) < longest)
			continue;
		longest = strlen(m.point);
		part = strcmp(m.part, "/") ? m.part : "";
		snprintf(h->fstype, sizeof(h->fstype), "%s", m.fstype);
		snprintf(h->number, sizeof(h->number), "%s", m.dev);
		snprintf(h->source, sizeof(h->source), "%s", m.source);
		n = snprintf(h->path, sizeof(h->path), "%s%s%s", part,
			     strcmp(below, "/") ? below : "", rest);
		if (n < 0 || (size_t)n >= sizeof(h->path))
			return -ENAMETOOLONG;
		if (!h->path[0])
			snprintf(h->path, sizeof(h->path), "/");
	}
	return longest ? 0 : -ENOENT;
}

/* That something else is mounted over it, so that what PID 1 writes there is not seen. */
static void tell_covered(const struct mounts_point *p, const char *root, const char *dir,
			 const char *device, struct err *e)
{
	struct mounts_holder *h = calloc(1, sizeof(*h));

	if (h && !mounts_holding(h, root, dir + strlen(root)) && strcmp(h->number, p->number))
		err_set(e, 0, "%.300s is on %.200s, not on %.200s: dumps are below that mount",
			dir + strlen(root), h->source, device);
	free(h);
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
		rc = mounts_find(&p, root, node, conf->path);
	if (rc) {
		err_set(e, 0, "%s %s is not %s: looking at %s of the running system", t->fstype,
			t->device, rc == -ENOENT ? "mounted" : "to be found", conf->path);
		return 0;
	}
	if (!p.has)
		err_set(e, 0, "%s %s is mounted in part at %s: the dumps may be elsewhere in it",
			t->fstype, t->device, p.path);
	/* the mount on "/" itself has its slash in the path already */
	if (!conf->path[p.part])
		snprintf(dir, PATH_MAX, "%s", p.path);
	else
		rc = tree_path(dir, strcmp(p.path, "/") ? p.path : "", "%s", conf->path + p.part);
	if (!rc && p.has)
		tell_covered(&p, root, dir, t->device, e);
	return rc;
}
