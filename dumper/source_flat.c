/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source_flat.c - a flattened kdump or ELF file, read in place through an index of its records. */
#include <errno.h>
#include <string.h>

#include "source_backends.h"
#include "source_elf.h"
#include "source_kdump.h"

/* So that source_close() works when there is nothing yet to close. */
static void flat_close(struct source *s)
{
	(void)s;
}

static const struct source_ops flat_ops = { .name = "flat", .close = flat_close };

int source_flat_open(struct source *s, unsigned flags, struct err *e)
{
	struct fileview view;
	char magic[KDUMP_SIGNATURE_LEN] = { 0 };
	int rc;

	s->ops = &flat_ops;
	s->flattened = true;
	if (s->part_size)
		return err_set(e, -ENOTSUP, "a flattened stream in a part of a device");
	rc = fileview_flat(&view, s->fd, flags & SOURCE_PARTIAL, e);
	if (rc)
		return rc;
	if (fileview_pread(&view, magic, sizeof(magic), 0) < (ssize_t)sizeof(magic))
		memset(magic, 0, sizeof(magic));
	if (!memcmp(magic, KDUMP_SIGNATURE, sizeof(magic)))
		return source_kdump_open_view(s, &view, flags, e);
	if (!memcmp(magic, "\177ELF", 4))
		return source_elf_open_view(s, &view, flags, e);
	fileview_deinit(&view);
	return err_set(e, -EINVAL, "flattened: what it holds is neither kdump nor ELF");
}
