/* SPDX-License-Identifier: GPL-2.0-or-later */
/* testcrash.h - a crash on purpose: what comes before it, and what is made of the dump afterwards.
 * In:     root: "" or another root directory, as in tree.h: there nothing is crashed.
 * Errors: 0 or -errno. */
#ifndef CRASHPOD_TESTCRASH_H
#define CRASHPOD_TESTCRASH_H

#include <limits.h>

#include "marker.h"
#include "status.h"

/* Whether a capture kernel is loaded, whoever loaded it. */
bool testcrash_loaded(const char *root);
/* Leaves the marker, syncs, and crashes the machine; comes back only where that failed. */
int testcrash_crash(const char *root, struct err *e);

struct testcrash {
	struct marker marker;
	struct status checks; /* STATUS_MISSING: it is not as it should be */
	char dump[PATH_MAX];  /* that the crash has left; "": none was found */
};

/* After the reboot: whether there is a dump of the crash, whole, sound, and one that opens. */
void testcrash_judge(struct testcrash *t, const char *root);

#endif
