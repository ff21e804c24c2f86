/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view.h - all that `crashpod show` tells of one dump, loaded; how it is shown is for show.h.
 * In:     a dump's files, as dumps.h has them: hostile. Texts are printable ASCII.
 * Errors: 0 or -errno; a log or record that is not there is none.
 * Owner:  view_free(). */
#ifndef CRASHPOD_VIEW_H
#define CRASHPOD_VIEW_H

#include "composition.h"
#include "debugkernel.h"
#include "dumps.h"
#include "logfacts.h"

struct view {
	struct dump_entry entry;
	struct json_doc record; /* of nothing where there is none */
	char *log;		/* NUL-terminated, lines end in '\n'; NULL: none */
	bool log_from_dump;	/* it has no file of its own */
	struct log_facts facts;
	struct composition memory;
	struct debugkernel debug; /* none until view_find_debug() */
};

/* path: a dump, a dump's directory, or a directory of dumps, of which the newest is taken. */
int view_load(struct view *v, const char *path, struct err *e);
void view_free(struct view *v);
/* Looks for the dump's vmlinux, below root as in tree.h; a dump that cannot be opened has none. */
void view_find_debug(struct view *v, const char *root);

/* Whether it still has pages of its own: neither DUMPS_NONE nor on a raw area. */
bool view_has_dump(const struct view *v);
/* The dump's full path; "" where there is none. */
const char *view_path(const struct view *v, char path[static PATH_MAX]);

#endif
