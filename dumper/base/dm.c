/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "guard.h"

/* of the kernel's interface: it is refused only where the first number differs */
#define VERSION_MAJOR 4
#define HEAD_BYTES sizeof(struct dm_ioctl)
#define READ_BYTES ((size_t)16 << 10)

static void head(struct dm_ioctl *h, const char *name, size_t len)
{
	memset(h, 0, sizeof(*h));
	h->version[0] = VERSION_MAJOR;
	h->data_size = (u32)len;
	h->data_start = HEAD_BYTES;
	snprintf(h->name, sizeof(h->name), "%s", name);
}

int dm_open(const char *dev, int *fd, struct err *e)
{
	char path[128];

	if (snprintf(path, sizeof(path), "%s/mapper/control", dev) >= (int)sizeof(path))
		return err_set(e, -ENAMETOOLONG, "%s", dev);
	*fd = open(path, O_RDWR | O_CLOEXEC);
	return *fd < 0 ? err_sys(e, -errno, "%s", path) : 0;
}

static int name_ok(const char *name, struct err *e)
{
	return strlen(name) < DM_NAME_LEN ? 0 : err_set(e, -ENAMETOOLONG, "dm %.40s", name);
}

int dm_status(int fd, const char *name, struct dm_table *t, struct err *e)
{
	struct dm_ioctl h;
	int rc = name_ok(name, e);

	memset(t, 0, sizeof(*t));
	if (rc)
		return rc;
	head(&h, name, sizeof(h));
	if (ioctl(fd, DM_DEV_STATUS, &h))
		return errno == ENXIO ? 0 : err_sys(e, -errno, "dm %s: status", name);
	t->exists = true;
	t->active = h.flags & DM_ACTIVE_PRESENT_FLAG && !(h.flags & DM_SUSPEND_FLAG);
	t->dev = (dev_t)h.dev;
	return 0;
}

int dm_pack(const char *name, const struct dm_line *lines, unsigned n, u8 **buf, size_t *len)
{
	size_t total = HEAD_BYTES, off = HEAD_BYTES;
	struct dm_ioctl h;
	u8 *p;

	for (unsigned i = 0; i < n; i++) {
		size_t args = strlen(lines[i].args);

		if (strlen(lines[i].type) >= DM_MAX_TYPE_NAME || args > DM_TABLE_BYTES_MAX ||
		    total > DM_TABLE_BYTES_MAX)
			return -E2BIG;
		total += align_up(sizeof(struct dm_target_spec) + args + 1, 8);
	}
	if (total > DM_TABLE_BYTES_MAX)
		return -E2BIG;
	p = calloc(1, total);
	if (!p)
		return -ENOMEM;
	head(&h, name, total);
	h.target_count = n;
	memcpy(p, &h, sizeof(h));
	for (unsigned i = 0; i < n; i++) {
		size_t args = strlen(lines[i].args);
		struct dm_target_spec spec = { 0 };

		spec.sector_start = lines[i].start;
		spec.length = lines[i].length;
		/* of a table that is loaded: from here to the next one */
		spec.next = (u32)align_up(sizeof(spec) + args + 1, 8);
		memcpy(spec.target_type, lines[i].type, strlen(lines[i].type));
		memcpy(p + off, &spec, sizeof(spec));
		memcpy(p + off + sizeof(spec), lines[i].args, args);
		off += spec.next;
	}
	*buf = p;
	*len = total;
	return 0;
}

static int create(int fd, const char *name, const char *uuid, struct err *e)
{
	struct dm_ioctl h;

	head(&h, name, sizeof(h));
	if (strlen(uuid) >= sizeof(h.uuid))
		return err_set(e, -ENAMETOOLONG, "dm %s: its UUID", name);
	snprintf(h.uuid, sizeof(h.uuid), "%s", uuid);
	if (ioctl(fd, DM_DEV_CREATE, &h))
		return err_sys(e, -errno, "dm %s: create", name);
	return 0;
}

static int load(int fd, const char *name, const struct dm_line *lines, unsigned n, struct err *e)
{
	_cleanup_free_ u8 *buf = NULL;
	size_t len;
	int rc = dm_pack(name, lines, n, &buf, &len);

	if (rc)
		return err_sys(e, rc, "dm %s: its table", name);
	if (ioctl(fd, DM_TABLE_LOAD, buf))
		return err_sys(e, -errno, "dm %s: load the table", name);
	return 0;
}

static int resume(int fd, const char *name, dev_t *dev, struct err *e)
{
	struct dm_ioctl h;

	head(&h, name, sizeof(h));
	/* without the flag that suspends, it resumes */
	if (ioctl(fd, DM_DEV_SUSPEND, &h))
		return err_sys(e, -errno, "dm %s: resume", name);
	*dev = (dev_t)h.dev;
	return 0;
}

int dm_remove(int fd, const char *name, struct err *e)
{
	struct dm_ioctl h;

	head(&h, name, sizeof(h));
	if (ioctl(fd, DM_DEV_REMOVE, &h))
		return err_sys(e, -errno, "dm %s: remove", name);
	return 0;
}

int dm_build(int fd, const char *name, const char *uuid, const struct dm_line *lines, unsigned n,
	     dev_t *dev, struct err *e)
{
	struct dm_table t;
	int rc = dm_status(fd, name, &t, e);

	if (rc)
		return rc;
	*dev = t.dev;
	if (t.active)
		return 0;
	if (!t.exists)
		rc = create(fd, name, uuid, e);
	if (!rc)
		rc = load(fd, name, lines, n, e);
	if (!rc)
		rc = resume(fd, name, dev, e);
	if (rc)
		dm_remove(fd, name, NULL);
	return rc;
}

/* The kernel says that the buffer was too small for the table. */
static int read_into(int fd, const char *name, struct dm_table *t, size_t cap, struct err *e)
{
	struct dm_ioctl h;

	t->buf = calloc(1, cap);
	if (!t->buf)
		return err_sys(e, -ENOMEM, "dm %s", name);
	t->len = cap;
	head(&h, name, cap);
	h.flags = DM_STATUS_TABLE_FLAG | DM_NOFLUSH_FLAG | DM_SECURE_DATA_FLAG;
	memcpy(t->buf, &h, sizeof(h));
	if (ioctl(fd, DM_TABLE_STATUS, t->buf))
		return err_sys(e, -errno, "dm %s: read the table", name);
	memcpy(&h, t->buf, sizeof(h));
	if (h.flags & DM_BUFFER_FULL_FLAG)
		return -ENOSPC;
	t->exists = true;
	t->active = h.flags & DM_ACTIVE_PRESENT_FLAG;
	t->dev = (dev_t)h.dev;
	t->n = h.target_count;
	return 0;
}

int dm_read_table(int fd, const char *name, struct dm_table *t, struct err *e)
{
	int rc = name_ok(name, e);

	memset(t, 0, sizeof(*t));
	if (rc)
		return rc;
	for (size_t cap = READ_BYTES; cap <= DM_TABLE_BYTES_MAX; cap *= 4) {
		rc = read_into(fd, name, t, cap, e);
		if (rc != -ENOSPC)
			return rc;
		dm_table_deinit(t);
	}
	return err_set(e, -E2BIG, "dm %s: its table is too long", name);
}

void dm_table_deinit(struct dm_table *t)
{
	if (t->buf)
		explicit_bzero(t->buf, t->len);
	free(t->buf);
	t->buf = NULL;
}

/* Of a table that is read, next counts from the end of the head. */
int dm_table_next(const struct dm_table *t, size_t *off, struct dm_line *line)
{
	size_t at = *off ? *off : HEAD_BYTES, room;
	struct dm_target_spec *spec;
	const char *args;

	if (at >= t->len || *off == SIZE_MAX)
		return 0;
	if (at % 8 || t->len - at < sizeof(*spec))
		return -EINVAL;
	spec = (struct dm_target_spec *)(void *)(t->buf + at);
	args = (const char *)t->buf + at + sizeof(*spec);
	room = t->len - at - sizeof(*spec);
	if (!memchr(args, '\0', room) ||
	    !memchr(spec->target_type, '\0', sizeof(spec->target_type)))
		return -EINVAL;
	if (spec->next > t->len - HEAD_BYTES || HEAD_BYTES + spec->next <= at)
		return -EINVAL;
	line->start = spec->sector_start;
	line->length = spec->length;
	line->type = spec->target_type;
	line->args = args;
	*off = HEAD_BYTES + spec->next;
	return 1;
}
