/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lvmmeta.h - a digest of what LVM's metadata on a physical volume say of one logical volume: where
 * its extents are. A table of the volume that was written down earlier is good as long as the
 * digest is the same; after that the extents may be another volume's. In:     the device is
 * hostile. Errors: 0 or -errno. -ENODATA: no metadata are kept on this physical volume; -ENOENT:
 * they do not know the volume. Source: lvm2, lib/format_text/layout.h and lib/label/label.h, for
 * the layout */
#ifndef CRASHPOD_LVMMETA_H
#define CRASHPOD_LVMMETA_H

#include "err.h"
#include "types.h"

#define LVMMETA_CHECK_BYTES 17
#define LVMMETA_TEXT_MAX ((size_t)4 << 20)

/* dm_uuid: "LVM-", 32 letters of the group and 32 of the volume; false: it is not LVM's. */
bool lvmmeta_is_lvm(const char *dm_uuid);

int lvmmeta_check(const char *device, const char *dm_uuid, char out[static LVMMETA_CHECK_BYTES],
		  struct err *e);

/* The same of the text alone. */
int lvmmeta_digest(const char *text, size_t len, const char *dm_uuid,
		   char out[static LVMMETA_CHECK_BYTES]);

#endif
