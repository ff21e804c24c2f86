/* SPDX-License-Identifier: GPL-2.0-or-later */
/* changes.h - changes to the system: made up first, shown, then carried out step by step, each step
 * wholly or not at all. What was made is recorded in CHANGES_MADE, so that it can be undone.
 * In:     root: "" or another root directory, as in tree.h; paths are below it.
 * Errors: 0 or -errno; the message begins with the step's name.
 * Owner:  changes_deinit() frees. */
#ifndef CRASHPOD_CHANGES_H
#define CRASHPOD_CHANGES_H

#include <limits.h>
#include <stdio.h>

#include "base/err.h"
#include "base/types.h"

#define CHANGES_MADE "/var/lib/crashpod/setup.made"
#define CHANGES_ARGS_MAX 14

/* How an action is undone; the kinds of CHANGES_MADE's lines. */
enum made_kind {
	MADE_NONE,     /* nothing to undo */
	MADE_FILE,     /* a file that was not there: removed, if nobody has changed it */
	MADE_WORD,     /* crashkernel= of a file's lines: what was there before */
	MADE_UNIT,     /* enabled: disabled */
	MADE_DISABLED, /* disabled: enabled */
	MADE_GRUBBY,   /* crashkernel= by grubby: what was there before */
	MADE_RC,       /* a script that runs at boot: that no more */
	MADE_RC_OFF,   /* one that did not: that again */
};

struct change {
	char path[PATH_MAX]; /* of a file; empty: a program is run */
	char *old, *text;    /* NULL: no such file; of text: it is removed */
	mode_t mode;	     /* of a new file */
	char *argv[CHANGES_ARGS_MAX + 1];
	bool may_fail; /* of a program: that is said, and no more */
	enum made_kind made;
	char what[256];	  /* MADE_WORD, MADE_GRUBBY: the word; the unit; MADE_RC*: the script */
	char before[256]; /* MADE_WORD, MADE_GRUBBY: the word that was there; empty: none */
};

struct change_step {
	const char *name;
	struct change *acts;
	size_t n;
};

#define CHANGES_STEPS_MAX 8

struct changes {
	const char *root;
	struct change_step steps[CHANGES_STEPS_MAX];
	size_t n;
	bool undo;   /* what it does is not recorded */
	bool failed; /* no memory while it was made up */
};

void changes_deinit(struct changes *p);

/* Begins a step; what is added goes into the last one. One without actions does nothing. */
void changes_step(struct changes *p, const char *name);

/* The file gets text, or is removed where that is NULL; no action where it has it already. made:
 * MADE_NONE, MADE_FILE or (with what and before) MADE_WORD. */
struct change *changes_file(struct changes *p, const char *path, const char *text, mode_t mode,
			    enum made_kind made);
/* Removes a file without looking into it: it cannot be put back. */
void changes_remove(struct changes *p, const char *dir, const char *name);
/* Runs a program; the arguments end with NULL. */
struct change *changes_run(struct changes *p, ...) __attribute__((sentinel));

bool changes_empty(const struct changes *p);

/* A list of what would change: files with their lines, programs. */
void changes_show(const struct changes *p, FILE *to);

/* Carries it out. Of a step that fails the files are put back as they were; later ones are not
 * begun. said: told of each thing done. */
int changes_apply(const struct changes *p, void (*said)(void *arg, const char *line), void *arg,
		  struct err *e);

#endif
