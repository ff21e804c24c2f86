/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdump.h - the distribution's own kdump beside crashpod: the kernel has room for one capture
 * kernel, and the one that is loaded last counts. In:     root: "" or another root directory, as in
 * tree.h. Files are read as text, never run. Errors: none; what cannot be read is not there. */
#ifndef CRASHPOD_KDUMP_H
#define CRASHPOD_KDUMP_H

#include <stddef.h>

#include "base/types.h"

#define KDUMP_DEBIAN_FILE "/etc/default/kdump-tools"
/* Debian's rules load kdump-tools' capture kernel again in place of any that is loaded, whether its
 * service is enabled or not; a file of this name takes their place. */
#define KDUMP_RULES "50-kdump-tools.rules"
#define KDUMP_RULES_OVER "/etc/udev/rules.d/" KDUMP_RULES

/* NAME=value, NAME="value" of a shell script: the last one counts; false: not there, empty, or more
 * than a value. out: cap bytes, always terminated. */
bool kdump_value(const char *text, const char *name, char *out, size_t cap);

/* Whether kdump-config says that it has loaded its capture kernel after `crashpod load` has. */
bool kdump_has_loaded(const char *root);

/* Whether kdump-tools is told to load nothing (USE_KDUMP=0), be its service enabled or not. */
bool kdump_is_off(const char *root);

/* Whether Debian's rules are there, and nothing is in their place. */
bool kdump_has_rules(const char *root);

#endif
