/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rawcheck.h - whether the raw targets have their areas.
 * In:     root: "" or another root directory, as in tree.h.
 * Errors: 0 or -errno, the message names the device and what mends it. -ENOENT: no such device;
 *         -ENODEV, -EINVAL: no area on it, or a damaged one. */
#ifndef CRASHPOD_RAWCHECK_H
#define CRASHPOD_RAWCHECK_H

#include "base/conf.h"
#include "raw_area.h"

/* Opens the area to be read; raw_area_close() is the caller's. */
int rawcheck_open(struct raw_area *a, const char *root, const struct conf_target *t, struct err *e);

/* How many slots hold what nobody has copied yet; 0 also where that cannot be looked at. */
unsigned rawcheck_waiting(const char *root, const struct conf_target *t);

/* A line for each raw target of the configuration that a dump could not go to. A configuration that
 * is not there, or not sound, is not this one's business. */
void rawcheck_all(const char *root, void (*say)(void *arg, const char *line), void *arg);

#endif
