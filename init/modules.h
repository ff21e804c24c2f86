/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modules.h - the list of kernel modules in the ramdisk: one a line in the order to load them,
 * a path, then the module's parameters. '#' begins a comment line.
 * In:     a file of the builder's; lines of any length are survived.
 * Errors: modules_next() 1 a module, 0 the end, -EINVAL a line that is too long (go on). */
#ifndef CRASHPOD_INIT_MODULES_H
#define CRASHPOD_INIT_MODULES_H

#include "../dumper/base/types.h"

#define MODULES_LIST "/etc/crashpod.modules"

struct module_line {
	char path[256]; /* absolute */
	char params[512];
};

/* Takes the next line off *text, which has *len bytes left. */
int modules_next(const char **text, size_t *len, struct module_line *m);

#endif
