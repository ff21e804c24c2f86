/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "debugkernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"

int debugkernel_find(struct debugkernel *d, const char *root, const char *dump, bool here,
		     struct err *e)
{
	_cleanup_free_ struct vmlinux_found *found = calloc(1, sizeof(*found));
	struct vmlinux_places places;
	struct vmlinux_id id;
	int rc = found ? 0 : err_sys(e, -ENOMEM, "search for a vmlinux");

	memset(d, 0, sizeof(*d));
	d->state = VMLINUX_UNUSABLE;
	if (!rc)
		rc = vmlinux_id_of(&id, dump, e);
	if (rc)
		return rc;
	memcpy(d->release, id.release, sizeof(d->release));
	vmlinux_places_init(&places, root);
	if (!here)
		places.here = NULL;
	vmlinux_find(found, &places, &id);
	if (found->n) {
		const struct vmlinux_file *best = &found->files[found->best_at];

		memcpy(d->path, best->path, sizeof(d->path));
		memcpy(d->why, best->why, sizeof(d->why));
		d->state = best->state;
	}
	return 0;
}
