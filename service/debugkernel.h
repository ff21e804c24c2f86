/* SPDX-License-Identifier: GPL-2.0-or-later */
/* debugkernel.h - the vmlinux that a dump is opened with, by the search and the compare of
 * `crashpod vmlinux` (vmlinux.h): one of the same release but another build is named, not used.
 * In:     root: "" or another root directory, as in tree.h; the dump and the files are hostile.
 * Errors: 0 or -errno: the dump does not say what it is of. */
#ifndef CRASHPOD_DEBUGKERNEL_H
#define CRASHPOD_DEBUGKERNEL_H

#include <limits.h>

#include "base/err.h"
#include "vmlinux.h"

struct debugkernel {
	char release[VMLINUX_TEXT];
	char path[PATH_MAX];	  /* the best that is here; "": there is none */
	enum vmlinux_state state; /* of it */
	char why[200];		  /* of all but a match */
};

/* here: the working directory is looked at too, which is not for what root starts by itself. */
int debugkernel_find(struct debugkernel *d, const char *root, const char *dump, bool here,
		     struct err *e);

/* The only one that may be used. */
static inline bool debugkernel_fits(const struct debugkernel *d)
{
	return d->path[0] && d->state == VMLINUX_MATCH;
}

#endif
