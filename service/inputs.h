/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inputs.h - what an initramfs was made from, as mkinitrd has written it beside it, and what it
 * would be made from now (mkinitrd/inputs.sh has the lines).
 * In:     root: "" or another root directory, as in tree.h; kver: a kernel release.
 * Errors: 0 or -errno; -ENOENT: there is no such text. */
#ifndef CRASHPOD_INPUTS_H
#define CRASHPOD_INPUTS_H

#include "base/err.h"
#include "base/types.h"

#define INPUTS_FILE "/var/lib/crashpod/initramfs-%s.inputs" /* %s: kernel release */
#define INPUTS_OPTIONS_MAX 12
#define INPUTS_ARGS (INPUTS_OPTIONS_MAX + 12)

/* A call of mkinitrd for a kernel: NULL at the end. Freed by inputs_call_free(). */
struct inputs_call {
	const char *argv[INPUTS_ARGS + 1];
	char *text[3]; /* paths of this call */
	char *record;  /* the text that the options are in */
	unsigned n;
};

/* mkinitrd with the options that the kernel's image was made with, or else those of the running
 * kernel's; mode: one more option, or NULL. -ENOENT: mkinitrd is not installed. */
int inputs_call(struct inputs_call *c, const char *root, const char *kver, const char *mode,
		struct err *e);
void inputs_call_free(struct inputs_call *c);

/* How the image differs from one that would be made now: "the configuration, module ext4";
 * empty: it does not. -ENODATA: its text is not there, or not of this image. -ENOENT: mkinitrd is
 * not installed. Other errors: no image could be made now, with mkinitrd's own words. */
int inputs_compare(char *how, size_t cap, const char *root, const char *kver, struct err *e);

/* The same for two texts. */
void inputs_differ(char *how, size_t cap, const char *before, const char *now);

/* Whether the text has a module of this name. */
bool inputs_has_module(const char *text, const char *name);

#endif
