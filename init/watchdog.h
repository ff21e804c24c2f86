/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watchdog.h - a hardware watchdog that the production kernel started would reset the machine in
 * the middle of the dump; one that was not running ends a capture kernel that hangs.
 * Source: Documentation/watchdog/watchdog-api.rst */
#ifndef CRASHPOD_INIT_WATCHDOG_H
#define CRASHPOD_INIT_WATCHDOG_H

#include "init.h"

/* For a tick while its driver may be among the modules that load: opens it when it is there, as it
 * may have been running since before the crash, and pets it. arg is a struct init. */
void watchdog_find(void *arg);

/* Pets it, at most once a second; cheap to call often. */
void watchdog_pet(struct init *in);

/* Stops it, for a machine that is to stay off or halted. */
void watchdog_stop(struct init *in);

#endif
