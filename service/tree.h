/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree.h - files of the production system, all below a root directory: "" is the real one, tests
 * give another.
 * Errors: 0 or -errno; -ENAMETOOLONG where root and path together are too long. */
#ifndef CRASHPOD_TREE_H
#define CRASHPOD_TREE_H

#include <limits.h>

#include "base/err.h"
#include "base/types.h"

#define TREE_INITRD "/var/lib/crashpod/initramfs-%s.img" /* %s: kernel release */

/* root + the path made of fmt. */
int tree_path(char buf[static PATH_MAX], const char *root, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The beginning of a file, at most cap - 1 bytes and a NUL. */
int tree_head(const char *root, const char *path, char *buf, size_t cap);

/* The first line of a small file, without line end; -ENODATA when it is empty. */
int tree_line(const char *root, const char *path, char *buf, size_t cap);
/* A whole file, 4 MiB at most, NUL-terminated; *text is the caller's to free. */
int tree_text(const char *root, const char *path, char **text);
/* The first line as a decimal number; -EINVAL when it is none. */
int tree_number(const char *root, const char *path, s64 *value);

/* The kernel image of a release, in the places where distributions have it. -ENOENT names them. */
int tree_kernel(char buf[static PATH_MAX], const char *root, const char *kver, struct err *e);

/* The node of a target's device: /dev/..., or UUID=, LABEL=, PARTUUID=, PARTLABEL= by udev's links
 * (on the real root also by probing). -ENOENT: not there. */
int tree_device(char buf[static PATH_MAX], const char *root, const char *device);

#endif
