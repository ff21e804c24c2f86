/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fskind.h - what a file system wants of whoever mounts it and writes a dump there.
 * Source: Documentation/filesystems/vfat.rst, fs/exfat/super.c */
#ifndef CRASHPOD_INIT_FSKIND_H
#define CRASHPOD_INIT_FSKIND_H

#include <stdbool.h>

struct fskind {
	const char *fstype;
	const char *data; /* mount(2)'s last argument; NULL: none */
	bool plain_names; /* no ':' in a name */
	const char
		*limit; /* of what a dump may be there, to be told before it is written; or NULL */
};

/* Never NULL: for a type without a row there is one that asks for nothing. */
const struct fskind *fskind_of(const char *fstype);

#endif
