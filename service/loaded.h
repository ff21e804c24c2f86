/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loaded.h - the record of what `crashpod load` has loaded, LOADED_FILE: gone with the boot, as
 * what is loaded is. Lines of a word and its value; unknown words are passed over.
 * In:     root: "" or another root directory, as in tree.h.
 * Errors: 0 or -errno; -ENOENT: there is none. */
#ifndef CRASHPOD_LOADED_H
#define CRASHPOD_LOADED_H

#include <limits.h>
#include <time.h>

#include "base/err.h"
#include "base/types.h"
#include "sha256.h"

#define LOADED_FILE "/run/crashpod/loaded"
#define LOADED_OPTIONS_MAX 16

struct loaded {
	char release[128]; /* of the kernel that was loaded */
	char kernel[PATH_MAX], initrd[PATH_MAX];
	char kernel_sum[SHA256_TEXT], initrd_sum[SHA256_TEXT];
	/* NULL, or what was read in the place of these; not recorded */
	const char *kernel_from, *initrd_from;
	time_t when;
	u64 began; /* the load, in nanoseconds since the boot */
	/* as `crashpod load` got them, in text; NULL at the end */
	char *options[LOADED_OPTIONS_MAX + 1];
	char *text; /* the caller's to free */
};

/* Fills in the sums and writes it. Names and options with a line end are refused (-EINVAL). */
int loaded_write(struct loaded *l, const char *root, struct err *e);
int loaded_read(struct loaded *l, const char *root);
int loaded_remove(const char *root, struct err *e);
void loaded_free(struct loaded *l);

/* Whether a file that was loaded is no longer the one at its place. -ENOENT: it is gone. */
int loaded_changed(const char *root, const char *path, const char *sum);

#endif
