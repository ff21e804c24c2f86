/* SPDX-License-Identifier: GPL-2.0-or-later */
/* estimate_all.h - the whole answer of `crashpod estimate`.
 * In:     root: "" or another root directory; release: of the running kernel.
 * Errors: none; what is lacking is a note. */
#ifndef CRASHPOD_ESTIMATE_ALL_H
#define CRASHPOD_ESTIMATE_ALL_H

#include <limits.h>

#include "estimate.h"

#define ESTIMATE_LEVELS 7

extern const unsigned estimate_levels[ESTIMATE_LEVELS];

struct estimate_opts {
	const char *kver, *kernel, *initrd; /* NULL: as `crashpod load` */
	unsigned cpus;			    /* of the capture kernel */
	unsigned disk_mb_s;		    /* 0: not known */
	bool only_reserve;		    /* no memory is looked at */
};

struct estimate_target {
	char name[CONF_NAME_MAX + 20];
	u64 free_bytes;
	bool known, enough; /* enough: at the level of the configuration */
	char text[200];
};

struct estimate_all {
	char kernel[PATH_MAX], initrd[PATH_MAX];
	struct estimate_image image;
	struct estimate_initrd ird;
	bool same, have_initrd, have_map;
	struct estimate_map map;
	struct estimate_reserve reserve; /* n 0: not known */
	struct conf conf;
	struct estimate_pages pages; /* source NULL: not known */
	struct estimate_sample sample;
	struct estimate_dump dumps[ESTIMATE_LEVELS],
		asked; /* asked: at the configuration's level */
	unsigned threads, disk_mb_s;
	bool disk_assumed;
	struct estimate_target targets[CONF_TARGETS_MAX];
	unsigned ntargets;
	struct estimate_notes notes;
};

void estimate_all(struct estimate_all *a, const char *root, const char *release,
		  const struct estimate_opts *o);

/* Whether the dump has room on t, of which free_bytes are known, in a file of at most file_max
 * bytes.
 */
void estimate_target_judge(const struct estimate_all *a, struct estimate_target *t, u64 file_max);

/* For the command: writes it to stdout as JSON. 0 or -errno. */
int estimate_print_json(const struct estimate_all *a);

#endif
