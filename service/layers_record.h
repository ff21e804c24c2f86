/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layers_record.h - what lies between a block device of the running system and its disks, as the
 * text of base/layers.h.
 * In:     sysfs and device-mapper's ioctls; superblocks, which are hostile.
 * Errors: -ENOTSUP: it cannot be built up again in the capture kernel; the message names the device
 *         and says what would do instead. Of a key nothing is printed, kept or told.
 * Owner:  layers_record_deinit() releases the text. */
#ifndef CRASHPOD_LAYERS_RECORD_H
#define CRASHPOD_LAYERS_RECORD_H

#include "base/err.h"
#include "base/layers.h"

struct layers_record {
	const char *sys, *dev;
	char *text; /* empty: it lies on a disk, or on paths to one */
	size_t len;
	char done[LAYERS_MAX][64]; /* names in sysfs, by number */
	unsigned n, depth;
};

void layers_record_init(struct layers_record *l, const char *sys, const char *dev);
void layers_record_deinit(struct layers_record *l);

/* name: the device's in sysfs. */
int layers_record(struct layers_record *l, const char *name, struct err *e);

#endif
