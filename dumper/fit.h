/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fit.h - whether the dump fits the room on its target, and which level makes it fit. */
#ifndef CRASHPOD_FIT_H
#define CRASHPOD_FIT_H

#include "engine.h"

/* After pass 1: the level to use, at least the one in force. Compresses a sample of the pages to be
 * dumped for the estimate. need_bytes: of the dump at the level returned. */
int fit_level(struct engine *en, u64 room_bytes, unsigned *level, u64 *need_bytes, struct err *e);

#endif
