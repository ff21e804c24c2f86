/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve_super.h - devices that are a part of something larger, by their superblocks: members of
 * arrays, physical volumes.
 * In:     as resolve.h.
 * Errors: 0 or -errno; that none is there is no error. */
#ifndef CRASHPOD_RESOLVE_SUPER_H
#define CRASHPOD_RESOLVE_SUPER_H

#include <sys/types.h>

#include "resolve.h"

struct resolve_super {
	char name[64]; /* in sysfs */
	dev_t dev;
	char type[32];	  /* "": no superblock, or signs of several */
	char uuid[64];	  /* of the whole, where it is a part */
	char sub[64];	  /* its own, where that is another */
	char version[16]; /* of the superblock's form */
};

struct resolve_supers {
	struct resolve_super found[64];
	unsigned n;
	unsigned more; /* for which there was no room */
};

/* All devices with this type and UUID, shorter names first; the type PARTUUID asks partition
 * tables. */
void resolve_supers(const struct resolve_roots *r, const char *type, const char *uuid,
		    struct resolve_supers *out);

/* What is on the device of this name in sysfs: 0, or -ENODEV where it cannot be opened. */
int resolve_super_read(const struct resolve_roots *r, const char *name, struct resolve_super *out);

/* The UUID that the partition table has for a partition: 0, or -ENOENT, also where it is none. */
int resolve_partuuid(const struct resolve_roots *r, const char *name, char *out, size_t cap);

#endif
