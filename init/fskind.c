/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fskind.h"

#include <string.h>

#include "../dumper/base/types.h"

static const struct fskind kinds[] = {
	/* the path is from the top of the file system, whatever its default subvolume is: so the
	 * production system has it, which may mount any part of it */
	{ "btrfs", "subvolid=5", false, NULL },
	/* neither has owners or modes of its own: what is written is to be root's only */
	{ "vfat", "umask=0077", true,
	  "vfat has files of at most 4 GiB: a larger dump is filtered more, or cut" },
	{ "exfat", "umask=0077", true, NULL },
};

static const struct fskind plain = { "", NULL, false, NULL };

const struct fskind *fskind_of(const char *fstype)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].fstype, fstype) == 0)
			return &kinds[i];
	return &plain;
}
