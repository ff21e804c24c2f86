/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "layers_target.h"

#include <errno.h>
#include <string.h>

#include "base/cryptkeys.h"
#include "base/layers.h"
#include "base/layers_crypt.h"

static int refuse(const char *dm, const char *type, struct err *e)
{
	static const struct {
		const char *type, *why;
	} table[] = {
		{ "cache", "a cache holds data that are not on the disk yet" },
		{ "writecache", "a cache holds data that are not on the disk yet" },
		{ "snapshot", "snapshots have to be kept up with what is written" },
		{ "snapshot-origin", "snapshots have to be kept up with what is written" },
		{ "raid", "LVM's own RAID" },
		{ "mirror", "LVM's own mirrors" },
		{ "integrity", "its checksums" },
		{ "vdo", "deduplicated" },
	};
	const char *why = "";

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(type, table[i].type) == 0)
			why = table[i].why;
	return err_set(e, -ENOTSUP,
		       "%s: device-mapper target '%s' is not supported%s%s; " LAYERS_INSTEAD, dm,
		       type, *why ? ": " : "", why);
}

/* Which key it has, in the place of where the running system has it. The arguments as they are may
 * have the key in them. */
static int take_crypt(struct dm_line *m, const char *sys, const char *dm, const char *uuid,
		      char args[static LAYERS_TARGET_ARGS], struct err *e)
{
	char desc[LAYERS_CRYPT_DESC_CAP];
	const char *why;

	if (!cryptkeys_offered(sys))
		return err_set(
			e, -ENOTSUP,
			"%s: it is encrypted, this kernel cannot hand its key to the capture "
			"kernel (CONFIG_CRASH_DM_CRYPT, since 6.16), and no key is put into "
			"the image; " LAYERS_INSTEAD,
			dm);
	if (!layers_crypt_desc(uuid, desc))
		return err_set(e, -ENOTSUP,
			       "%s: it is encrypted, and not as LUKS2, whose key alone can be "
			       "handed to the capture kernel; " LAYERS_INSTEAD,
			       dm);
	why = layers_crypt_args(m->args, desc, args, LAYERS_TARGET_ARGS);
	if (why)
		return err_set(e, -ENOTSUP, "%s: it is encrypted: %s; " LAYERS_INSTEAD, dm, why);
	m->args = args;
	return 0;
}

int layers_target_take(struct dm_line *m, const char *sys, const char *dm, const char *uuid,
		       char args[static LAYERS_TARGET_ARGS], struct err *e)
{
	if (!layers_target_known(m->type))
		return refuse(dm, m->type, e);
	return strcmp(m->type, LAYERS_CRYPT) == 0 ? take_crypt(m, sys, dm, uuid, args, e) : 0;
}
