/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.h - the capture kernel is loaded into the reserved memory, and what was loaded is recorded.
 * Errors: 0 or -errno; the message says what mends it. */
#ifndef CRASHPOD_LOAD_H
#define CRASHPOD_LOAD_H

#include "cmdline.h"
#include "loaded.h"

struct load_opts {
	const char *kver, *kernel, *initrd, *append, *cmdline;
	const char *initrd_from; /* NULL, or what is read in the place of the initramfs */
	unsigned cpus;		 /* 0: not asked for */
	bool again;		 /* as it was loaded before; nothing where nothing is loaded */
};

/* The words of a command line, argv[0] passed over. -EINVAL with what is wrong. */
int load_opts_read(struct load_opts *o, int argc, char **argv, struct err *e);

/* All that loads, unloads or judges what was lost is called with loadlock_take()'s lock held. */

/* argv: the options as given, for the record; it ends with NULL. l and line tell what was loaded.
 * A record that could not be written is told in warning (a message, or empty). */
int load_run(const struct load_opts *o, char **argv, struct loaded *l,
	     char line[static CMDLINE_CAP], struct err *warning, struct err *e);

/* What was loaded by this program, once more; initrd_from: NULL, or a file that is taken in the
 * place of the initramfs. The kernel gives up what is loaded before it reads the new one: after a
 * failure there may be none, which load_is_loaded() tells. */
int load_again(struct loaded *l, const char *initrd_from, char line[static CMDLINE_CAP],
	       struct err *warning, struct err *e);

/* Whether the kernel has a capture kernel loaded. */
bool load_is_loaded(const char *root);

/* Whether one was loaded by this program and is not any more, though nobody unloaded it by it: the
 * kernel gave it up for one that it then could not load. */
bool load_was_lost(const char *root);

int load_unload(struct err *e);

#endif
