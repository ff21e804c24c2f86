/* SPDX-License-Identifier: GPL-2.0-or-later */
/* made.h - the record of what `crashpod setup` has changed: CHANGES_MADE, a line each, fields with
 * a tab between. In:     root's own file; lines that are not understood are an error: nothing is
 * guessed. Errors: 0 or -errno. Owner: made_free(). */
#ifndef CRASHPOD_MADE_H
#define CRASHPOD_MADE_H

#include "changes.h"

struct made_line {
	enum made_kind kind;
	char path[PATH_MAX]; /* MADE_FILE, MADE_WORD */
	char what[256];	     /* MADE_FILE: its SHA-256; else as in struct change */
	char before[256];
};

struct made {
	struct made_line *lines;
	size_t n;
	bool failed; /* no memory */
};

/* None is no error. */
int made_read(struct made *m, const char *root, struct err *e);
/* Without lines the file is removed. */
int made_write(const struct made *m, const char *root, struct err *e);
void made_free(struct made *m);

/* What was changed before keeps what was there before that. */
void made_add(struct made *m, const struct change *a);

/* Whether setup has made this file, as it stands there. */
bool made_has_file(const struct made *m, const char *root, const char *path);

#endif
