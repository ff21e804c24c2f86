/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watchdog.h - a hardware watchdog that the production kernel started would reset the machine in
 * the middle of the dump; one that was not running ends a capture kernel that hangs.
 * Source: Documentation/watchdog/watchdog-api.rst */
#ifndef CRASHPOD_INIT_WATCHDOG_H
#define CRASHPOD_INIT_WATCHDOG_H

#include "init.h"

/* Pets it, at most once a second; cheap to call often. */
void watchdog_pet(struct init *in);

/* Stops it, for a machine that is to stay off or halted. */
void watchdog_stop(struct init *in);

#endif
