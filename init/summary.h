/* SPDX-License-Identifier: GPL-2.0-or-later */
/* summary.h - every step's outcome and time as the console has them in the end: also of the steps
 * that said nothing, and of those after the record was written last.
 *   seconds: mounts 0.01, console 0.00, modules 1.50 failed
 *   seconds on UUID=...: target 0.31, triage 0.02, dump 2.20 incomplete
 * Units:  seconds. */
#ifndef CRASHPOD_INIT_SUMMARY_H
#define CRASHPOD_INIT_SUMMARY_H

#include "init.h"

/* The line that begins with the step *from, which becomes the first that is not in it. False: there
 * is no such step. */
bool summary_line(const struct init *in, unsigned *from, char *buf, size_t cap);

/* All of it, on the console. */
void summary_say(struct init *in);

#endif
