/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layers_target.h - which lines of a device-mapper table can be written down, and how.
 * Errors: -ENOTSUP: it cannot be built up again; the message names the device and says what would
 * do instead, and has nothing of the line's arguments. */
#ifndef CRASHPOD_LAYERS_TARGET_H
#define CRASHPOD_LAYERS_TARGET_H

#include "base/dm.h"
#include "base/err.h"

#define LAYERS_INSTEAD "use a file system on a plain disk, an array or a volume, or a raw partition"
#define LAYERS_TARGET_ARGS 1024

/* dm, uuid: of the mapped device; sys: where sysfs is. m's arguments may be other ones afterwards,
 * in args. */
int layers_target_take(struct dm_line *m, const char *sys, const char *dm, const char *uuid,
		       char args[static LAYERS_TARGET_ARGS], struct err *e);

#endif
