/* SPDX-License-Identifier: GPL-2.0-or-later */
/* refresh.h - the initramfs of a kernel is made anew, or goes with its kernel; what is loaded
 * follows.
 * In:     root: "" or another root directory, as in tree.h; kver: a kernel release.
 * Errors: 0 or -errno; whatever fails, the image that was there stays, and the message says so. */
#ifndef CRASHPOD_REFRESH_H
#define CRASHPOD_REFRESH_H

#include "base/err.h"
#include "base/types.h"
#include "sha256.h"

/* One at a time on this system: a descriptor to close when all is done, or -errno. */
int refresh_lock(const char *root, struct err *e);

/* if_needed: only where the inputs, or the image, are others than recorded. */
int refresh_kernel(const char *root, const char *kver, bool if_needed, struct err *e);

/* Whether the configuration is another one than when the mark was set (sum: empty at first); sets
 * it. What is changed while an image is made of it would else be seen by nobody. */
bool refresh_conf_changed(const char *root, char sum[static SHA256_TEXT]);

/* Whether the kernel has an image, of whatever it is made. */
bool refresh_is_there(const char *root, const char *kver);

/* The image and its text go. *gone: there was one. */
int refresh_removed(const char *root, const char *kver, bool *gone, struct err *e);

/* Whether the image or the kernel that is loaded is no longer the one at its place, or what was
 * loaded was lost (load_was_lost()). False as well where nothing was loaded, or not by crashpod
 * load. */
bool refresh_wants_reload(const char *root);

#endif
