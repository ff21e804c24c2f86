/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.h - finds a device as resolve.h does, in a child of its own: a device that answers nothing
 * holds who reads it for ever, and is passed over from then on. */
#ifndef CRASHPOD_INIT_PROBE_H
#define CRASHPOD_INIT_PROBE_H

#include "../dumper/base/resolve.h"
#include "init.h"

/* Runs look in that child, again without the device where one was silent; what it leaves must be in
 * shared memory. what: what is sought, for the message. */
int probe_run(struct init *in, const struct resolve_roots *r, const char *what,
	      int (*look)(const struct resolve_roots *r, void *arg, struct err *e), void *arg,
	      struct err *e);

/* Runs in the target step's child; results are resolve_device()'s. */
int probe_device(struct init *in, const struct resolve_roots *r, const char *spec, char *out,
		 size_t cap, struct err *e);

#endif
