/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layers.h - builds up what lies below a target, as the image's table (base/layers.h) has it:
 * mapped devices and arrays, from those on the disks up. Errors: none: what cannot be built is told
 * by layers_why(). Nothing here is done twice where it has succeeded, also not by a child that
 * takes the place of one that crashed. */
#ifndef CRASHPOD_INIT_LAYERS_H
#define CRASHPOD_INIT_LAYERS_H

#include "../dumper/base/resolve.h"
#include "init.h"

struct layers_run;

/* For a target, by its name in the configuration. NULL: nothing lies below it, or the table cannot
 * be read, which is said on the console. */
struct layers_run *layers_begin(struct init *in, const char *spec);
void layers_end(struct layers_run *l);

/* Builds what can be built with the devices that are there now. waited_ms: since devices were first
 * looked for; an array that lacks members is given time. False: more may come. */
bool layers_try(struct init *in, const struct resolve_roots *r, struct layers_run *l,
		u64 waited_ms);

/* The mapped device that is the target's, "/dev/dm-N": it is the last of the table, and names of it
 * that the running system has are not here. False: it has its name here too. */
bool layers_top(const struct layers_run *l, char *out, size_t cap);

/* "; " and why the target's device is not there, or "". */
void layers_why(const struct layers_run *l, char *out, size_t cap);

/* What is worth knowing of those that were built, for the record: "" or one line. */
void layers_said(const struct layers_run *l, char *out, size_t cap);

#endif
