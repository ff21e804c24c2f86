/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layers.h - the table of what lies between a target's file system and its disks: mkinitrd has the
 * running system's written down by `crashpod layers`, PID 1 builds it up again.
 * The text, a line each, blanks between words; a section for each target, what is built on
 * something after it:
 *
 *     crashpod-layers 1
 *     for SPEC                     the target, as the configuration names it; the rest of the line
 *     leaf TYPE UUID               a device as libblkid sees it: LVM2_member, ...; or PARTUUID UUID
 *     md NAME UUID LEVEL MEMBERS   an array, its superblocks' UUID, and how many members it had
 *     dm NAME UUID                 a mapped device; "-": it has no UUID
 *     lvm CHECK                    of the dm before it: what lvmmeta.h makes of its volume group
 *     map START LENGTH TYPE ARGS   of the same; sectors; @N is the section's Nth leaf, md or dm;
 *                                  of the type crypt: layers_crypt.h
 *
 * In:     hostile: every line is checked, also those of other sections.
 * Errors: -EINVAL with the line's number; -ENOENT: no section is for this target (normal).
 * Owner:  layers_deinit() releases; the maps' arguments point into the text. */
#ifndef CRASHPOD_LAYERS_H
#define CRASHPOD_LAYERS_H

#include "err.h"
#include "types.h"

#define LAYERS_FILE "/etc/crashpod.layers"
#define LAYERS_HEAD "crashpod-layers 1"
#define LAYERS_MAX 64	     /* of a section */
#define LAYERS_MAPS_MAX 4096 /* of a section */
#define LAYERS_BYTES_MAX ((size_t)512 << 10)

enum layer_kind { LAYER_LEAF, LAYER_MD, LAYER_DM };

struct layer {
	enum layer_kind kind;
	char name[128]; /* md, dm; of a leaf its type */
	char uuid[130]; /* "": none */
	char level[16]; /* md */
	unsigned members;
	char check[40]; /* dm; "": none */
	unsigned map, nmaps;
};

struct layer_map {
	u64 start, length;
	char type[16];
	const char *args;
	size_t args_len;
};

struct layers {
	struct layer node[LAYERS_MAX];
	unsigned n;
	struct layer_map *maps;
	unsigned nmaps;
};

int layers_parse(struct layers *l, const char *text, size_t len, const char *spec, struct err *e);
void layers_deinit(struct layers *l);

/* A map's arguments with each @N replaced by what device(arg, N) writes, "254:3": 0 or -errno. */
int layers_args(const struct layer_map *m,
		int (*device)(void *arg, unsigned n, char *out, size_t cap), void *arg, char *out,
		size_t cap);

/* The device that a map's arguments have at *off or after it: its N, or -1; *off is behind it. */
int layers_next_ref(const struct layer_map *m, size_t *off);

/* A target type of device-mapper that can be built up again from its table alone. */
bool layers_target_known(const char *type);

#endif
