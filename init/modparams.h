/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modparams.h - MODULE.PARAM=VALUE of the kernel's command line, for modules that are loaded: the
 * kernel itself looks at those of what is built in only, modprobe(8) reads them for the rest.
 * In:     the command line; '-' and '_' mean the same in a module's name, "..." keeps blanks
 *         together, what follows a lone "--" is not the kernel's.
 * Source: Documentation/admin-guide/kernel-parameters.rst */
#ifndef CRASHPOD_INIT_MODPARAMS_H
#define CRASHPOD_INIT_MODPARAMS_H

#include <stddef.h>

/* Appends the module's parameters to params (a string in cap bytes), each word once; a later one
 * overrules. path: of the module's file. -ENAMETOOLONG: not all of them had room; those that had
 * are there. */
int modparams_add(char *params, size_t cap, const char *path, const char *cmdline);

#endif
