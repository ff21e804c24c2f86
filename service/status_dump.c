/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_dump.c - the newest dump that is there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/naming.h"
#include "mounts.h"
#include "status.h"

static bool is_newer(const char *a, const char *b)
{
	u64 stamp[2], serial[2];

	naming_age(a, &stamp[0], &serial[0]);
	naming_age(b, &stamp[1], &serial[1]);
	return stamp[0] != stamp[1] ? stamp[0] > stamp[1] : serial[0] > serial[1];
}

/* Of a directory's name, the last that naming_make() could have made; false: there is none. */
static bool find_newest(DIR *top, struct naming *newest)
{
	struct naming n;
	struct dirent *d;
	bool found = false;

	while ((d = readdir(top)))
		if (naming_parse(&n, d->d_name) && (!found || is_newer(n.dir, newest->dir))) {
			*newest = n;
			found = true;
		}
	return found;
}

static bool stat_file(int dir, const char *name, const char *suffix, struct stat *st)
{
	char full[96];

	snprintf(full, sizeof(full), "%s%s", name, suffix);
	return !fstatat(dir, full, st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st->st_mode);
}

/* In the words of a person: days, or what is below. */
static void age_text(char out[static 40], s64 s)
{
	static const struct {
		s64 s;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		long long n = s / units[i].s;

		if (n < 1 && i + 1 < ARRAY_SIZE(units))
			continue;
		snprintf(out, 40, "%lld %s%s ago", n, units[i].name, n == 1 ? "" : "s");
		return;
	}
}

static void tell(struct status *s, const char *dir, int fd, const struct naming *n)
{
	struct status_dump *d = &s->dump;
	bool part = false;
	struct stat st;
	char age[40];

	d->complete = stat_file(fd, n->dump, "", &st);
	if (!d->complete)
		part = stat_file(fd, n->dump, NAMING_INCOMPLETE, &st);
	if (!d->complete && !part && fstat(fd, &st))
		return;
	d->age_s = MAX((s64)(time(NULL) - st.st_mtime), (s64)0);
	age_text(age, d->age_s);
	snprintf(d->path, sizeof(d->path), "%s/%s%s%s%s", strcmp(dir, "/") ? dir : "", n->dir,
		 d->complete || part ? "/" : "", d->complete || part ? n->dump : "",
		 part ? NAMING_INCOMPLETE : "");
	if (d->complete)
		status_add(s, STATUS_OK, "dump", NULL, "the last dump: %s, %s, complete", d->path,
			   age);
	else
		status_add(s, STATUS_NOTE, "dump",
			   "look into its log and " NAMING_RECORD ", which say what was in the way",
			   "the last dump: %s, %s, %s", d->path, age,
			   part ? "incomplete" : "without memory, its log only");
}

void status_last_dump(struct status *s, const char *root, const struct conf *conf)
{
	char dir[PATH_MAX];
	const char *shown = dir + strlen(root);
	struct naming n;
	struct err e;
	DIR *top;
	int rc = mounts_dump_dir(dir, root, conf, &e);

	if (rc)
		return;
	top = opendir(dir);
	if (!top && errno != ENOENT) {
		status_add(s, STATUS_NOTE, "dump", errno == EACCES ? "ask as root" : "",
			   "dumps in %s: %s", shown, strerror(errno));
		return;
	}
	if (!top || !find_newest(top, &n)) {
		status_add(s, STATUS_OK, "dump", NULL, "no dump in %s", shown);
	} else {
		_cleanup_close_ int fd = openat(dirfd(top), n.dir,
						O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			status_add(s, STATUS_NOTE, "dump", errno == EACCES ? "ask as root" : "",
				   "%s/%s: %s", shown, n.dir, strerror(errno));
		else
			tell(s, shown, fd, &n);
	}
	if (top)
		closedir(top);
}
