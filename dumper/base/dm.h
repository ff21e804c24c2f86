/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dm.h - device-mapper's ioctls, without libdevmapper: a device is made of a table, a running one's
 * table is read. The buffers are built and read by functions of their own, so that their bounds can
 * be tested.
 * Units:  sectors of 512 bytes.
 * Errors: 0 or -errno, the message names the device.
 * Owner:  struct dm_table's buf is released by dm_table_deinit(), which wipes it: a table may hold
 *         a key.
 * Source: linux/dm-ioctl.h */
#ifndef CRASHPOD_DM_H
#define CRASHPOD_DM_H

#include <sys/types.h>

#include "err.h"
#include "types.h"

#define DM_TABLE_BYTES_MAX ((size_t)1 << 20)

struct dm_line {
	u64 start, length;
	const char *type, *args;
};

struct dm_table {
	u8 *buf;
	size_t len;
	unsigned n; /* lines */
	bool active, exists;
	dev_t dev;
};

/* Opens DEV/mapper/control; dev is "/dev". */
int dm_open(const char *dev, int *fd, struct err *e);

/* Whether a device of that name is there, and has a table: t->exists, active and dev. */
int dm_status(int fd, const char *name, struct dm_table *t, struct err *e);

/* Makes the device, unless it is there, gives it the table and lets it run. *dev is its number. */
int dm_build(int fd, const char *name, const char *uuid, const struct dm_line *lines, unsigned n,
	     dev_t *dev, struct err *e);

int dm_remove(int fd, const char *name, struct err *e);

/* The table of a running device. */
int dm_read_table(int fd, const char *name, struct dm_table *t, struct err *e);
void dm_table_deinit(struct dm_table *t);

/* The line at *off of a table that was read (0 at first): 1; 0: no more; -EINVAL. */
int dm_table_next(const struct dm_table *t, size_t *off, struct dm_line *line);

/* An ioctl's buffer with these lines behind its head: the caller frees *buf. */
int dm_pack(const char *name, const struct dm_line *lines, unsigned n, u8 **buf, size_t *len);

#endif
