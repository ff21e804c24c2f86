/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "raw_collect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/io.h"
#include "base/naming.h"
#include "raw_copy.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define SERIAL_MAX 1000

struct collect {
	struct raw_area *a;
	unsigned slot;
	int top; /* the directory of dumps */
	const char *dir;
	struct naming names;
	char temp[96]; /* name of the directory that is being made */
	struct raw_copy copy;
	const struct raw_collect_to *to;
};

__attribute__((format(printf, 2, 3))) static void say(struct collect *c, const char *fmt, ...)
{
	char line[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	c->to->say(c->to->arg, line);
}

/* Removes what an earlier try has left; of its own making only: plain files in it. */
static int remove_temp(struct collect *c, struct err *e)
{
	int fd = openat(c->top, c->temp, DIR_FLAGS);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, -errno, "%s", c->temp);
	if (!dir) {
		close(fd);
		return err_sys(e, -ENOMEM, "%s", c->temp);
	}
	while ((d = readdir(dir)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			unlinkat(fd, d->d_name, 0);
	closedir(dir);
	return unlinkat(c->top, c->temp, AT_REMOVEDIR) ? err_sys(e, -errno, "%s", c->temp) : 0;
}

static bool has_file(int dir, const char *name, u64 bytes)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (u64)st.st_size == bytes;
}

static bool has_record(int dir, const struct raw_copy *copy)
{
	_cleanup_close_ int fd = openat(dir, NAMING_RECORD,
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_free_ char *buf = malloc(copy->record_bytes + 1);

	return fd >= 0 && buf && copy->record_bytes &&
	       io_pread_full(fd, buf, copy->record_bytes + 1, 0) == (ssize_t)copy->record_bytes &&
	       memcmp(buf, copy->record, copy->record_bytes) == 0;
}

/* Whether a directory holds this dump: the record tells one from another, to the millisecond of
 * each step. 1: it does; 0: not; -EBADMSG: it does, but as one that was not sound. */
static int is_there(const struct collect *c, const char *name)
{
	const struct raw_copy *copy = &c->copy;
	_cleanup_close_ int dir = openat(c->top, name, DIR_FLAGS);
	char part[sizeof(c->names.dump) + sizeof(NAMING_INCOMPLETE)];

	snprintf(part, sizeof(part), "%s" NAMING_INCOMPLETE, c->names.dump);
	if (dir < 0 || !has_record(dir, copy))
		return 0;
	if (!copy->dump_bytes)
		return 1;
	if (has_file(dir, copy->complete ? c->names.dump : part, copy->dump_bytes))
		return 1;
	return has_file(dir, part, copy->dump_bytes) ? -EBADMSG : 0;
}

/* Looks for a name that is free; *there: the dump itself is under c->names.dir already. */
static int find_name(struct collect *c, bool *there, struct err *e)
{
	const struct raw_slot_header *h = &c->a->slots[c->slot].h;
	struct stat st;

	*there = false;
	for (unsigned serial = 0; serial < SERIAL_MAX; serial++) {
		int rc;

		naming_make(&c->names, (enum conf_naming)h->naming, (time_t)h->stamp, serial);
		if (fstatat(c->top, c->names.dir, &st, AT_SYMLINK_NOFOLLOW))
			return errno == ENOENT ? 0 : err_sys(e, -errno, "%s", c->names.dir);
		rc = is_there(c, c->names.dir);
		*there = rc > 0;
		if (rc < 0)
			return err_set(e, rc,
				       "%s/%s holds a copy that is not sound; the slot stays as "
				       "it is",
				       c->dir, c->names.dir);
		if (rc)
			return 0;
	}
	return err_set(e, -EEXIST, "%s: no name is free for it", c->names.dir);
}

/* Gives the directory its name, which must still be free. */
static int rename_temp(struct collect *c, struct err *e)
{
	if (syscall(SYS_renameat2, c->top, c->temp, c->top, c->names.dir, RENAME_NOREPLACE) == 0)
		return 0;
	/* a file system without the flag: of a directory only an empty one is replaced */
	if ((errno == EINVAL || errno == ENOSYS) &&
	    renameat(c->top, c->temp, c->top, c->names.dir) == 0)
		return 0;
	return err_sys(e, -errno, "rename %s to %s", c->temp, c->names.dir);
}

static int fill_temp(struct collect *c, struct err *e)
{
	_cleanup_close_ int dir = -1;
	int rc = remove_temp(c, e);

	if (rc)
		return rc;
	if (mkdirat(c->top, c->temp, 0700))
		return err_sys(e, -errno, "mkdir %s", c->temp);
	dir = openat(c->top, c->temp, DIR_FLAGS);
	if (dir < 0)
		return err_sys(e, -errno, "%s", c->temp);
	rc = raw_copy_files(&c->copy, c->a, c->slot, dir, &c->names, e);
	if (!rc && fsync(dir))
		rc = err_sys(e, -errno, "fsync of %s", c->temp);
	return rc;
}

static int mark(struct collect *c, struct err *e)
{
	struct raw_slot_header h = c->a->slots[c->slot].h;

	h.state = RAW_COLLECTED;
	return raw_slot_put(c->a, c->slot, &h, e);
}

static const char *kind(const struct collect *c)
{
	if (!c->copy.dump_bytes)
		return "log and record, there is no dump";
	return c->copy.complete ? "complete" : "incomplete";
}

static int collect_one(struct collect *c, struct err *e)
{
	bool there;
	int rc = find_name(c, &there, e);

	if (rc)
		return rc;
	if (!there) {
		rc = fill_temp(c, e);
		if (!rc)
			rc = rename_temp(c, e);
		if (rc) {
			remove_temp(c, NULL);
			return rc;
		}
	}
	if (fsync(c->top))
		return err_sys(e, -errno, "fsync of %s", c->dir);
	say(c, "slot %u is collected: %s/%s, %s, %llu bytes%s%s", c->slot, c->dir, c->names.dir,
	    kind(c), (unsigned long long)c->copy.dump_bytes, c->copy.said[0] ? "; " : "",
	    c->copy.said);
	if (c->copy.unsound)
		return err_set(e, -EBADMSG,
			       "the copy of a complete dump is not sound; the slot stays as it is");
	rc = mark(c, e);
	if (!rc && c->to->took)
		c->to->took(c->to->arg, c->names.dir, c->copy.complete);
	return rc;
}

static int collect_slot(struct collect *c, unsigned slot, struct err *e)
{
	struct err why = { 0 };
	int rc;

	c->slot = slot;
	/* one place for each slot of each area: nobody else's, and found again */
	snprintf(c->temp, sizeof(c->temp), ".crashpod-%02x%02x%02x%02x-slot%u" NAMING_INCOMPLETE,
		 c->a->h.uuid[0], c->a->h.uuid[1], c->a->h.uuid[2], c->a->h.uuid[3], slot);
	raw_copy_open(&c->copy, c->a, slot);
	rc = collect_one(c, &why);
	raw_copy_close(&c->copy);
	if (rc) {
		say(c, "slot %u is not collected: %s", slot, why.msg);
		if (e && !e->code)
			err_set(e, rc, "slot %u: %.400s", slot, why.msg);
	}
	return rc;
}

static int open_top(const char *dir, int *fd, struct err *e)
{
	if (mkdir(dir, 0700) && errno != EEXIST)
		return err_sys(e, -errno, "mkdir %s", dir);
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? err_sys(e, -errno, "%s", dir) : 0;
}

int raw_collect(struct raw_area *a, const char *dir, const struct raw_collect_to *to, struct err *e)
{
	struct collect c = { .a = a, .top = -1, .dir = dir, .to = to };
	unsigned first = a->slots[1].h.stamp < a->slots[0].h.stamp;
	int rc = 0;

	if (e)
		e->code = 0;
	for (unsigned i = 0; i < RAW_SLOTS; i++) {
		unsigned slot = (first + i) % RAW_SLOTS;
		int one;

		if (!a->slots[slot].valid)
			say(&c, "slot %u: its header is damaged: what it holds is not known", slot);
		if (!raw_slot_waits(&a->slots[slot]))
			continue;
		one = c.top < 0 ? open_top(dir, &c.top, e) : 0;
		if (one)
			return one;
		one = collect_slot(&c, slot, e);
		if (!rc)
			rc = one;
	}
	if (c.top >= 0)
		close(c.top);
	return rc;
}
