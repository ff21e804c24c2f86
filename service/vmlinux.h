/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmlinux.h - the vmlinux with debug information that belongs to a dump: what the dump says of its
 * kernel, what distribution's package holds the vmlinux, and which of those that are here it is.
 * In:     what comes from the dump is hostile: it is printable ASCII afterwards, and becomes a path
 *         or a part of a command only where vmlinux_is_word() is true. Files that are looked at
 *         may be anything.
 * Errors: 0 or -errno. What is not known is an empty string. */
#ifndef CRASHPOD_VMLINUX_H
#define CRASHPOD_VMLINUX_H

#include <limits.h>

#include "base/err.h"
#include "base/types.h"
#include "core.h"

#define VMLINUX_TEXT 65	   /* of a utsname field, or a build-id in hex */
#define VMLINUX_BANNER 512 /* of "Linux version ..." */
#define VMLINUX_LINES_MAX 6

/* --- vmlinux_id.c: which kernel died --- */
struct vmlinux_id {
	char release[VMLINUX_TEXT];  /* uname -r */
	char version[VMLINUX_TEXT];  /* uname -v: "#1 SMP ...", with the date of the build */
	char build_id[VMLINUX_TEXT]; /* hex; none before 5.9 */
	char banner[VMLINUX_BANNER]; /* the log's first line, where it still has it */
};

void vmlinux_id_read(struct vmlinux_id *id, const struct core *core);
/* The same of a file. -ENOENT also where it has neither release nor build-id. */
int vmlinux_id_of(struct vmlinux_id *id, const char *dump, struct err *e);

/* What is left of a text when it may become a name: letters, digits and ._+~- only, no "..", and
 * neither '-' nor '.' as the first. */
bool vmlinux_is_word(const char *s);
/* A build-id in hex, of at least two bytes. */
bool vmlinux_is_build_id(const char *s);

/* --- vmlinux_dist.c: the package that holds its vmlinux --- */
struct vmlinux_plan {
	const char *distribution;   /* NULL: not one of the table */
	char package[200];	    /* empty: not known */
	char version[VMLINUX_TEXT]; /* of it, where it is no part of the name */
	char commands[VMLINUX_LINES_MAX][360], notes[VMLINUX_LINES_MAX][360];
	unsigned ncommands, nnotes;
};

void vmlinux_plan_make(struct vmlinux_plan *p, const struct vmlinux_id *id);

/* --- vmlinux_elf.c: one file --- */
enum vmlinux_state {
	VMLINUX_MATCH,
	VMLINUX_MISMATCH,
	VMLINUX_UNKNOWN,  /* the release is the same, the rest cannot be compared */
	VMLINUX_STRIPPED, /* the same kernel, without debug information */
	VMLINUX_UNUSABLE, /* not an ELF file, or one that cannot be read */
	VMLINUX_STATES
};

extern const char *const vmlinux_state_names[VMLINUX_STATES];

struct vmlinux_file {
	char path[PATH_MAX];
	enum vmlinux_state state;
	char build_id[VMLINUX_TEXT];
	char why[200];	/* of all but a match */
	u64 dev, inode; /* by which the same file under two names is known */
};

/* Compares the file at f->path. -ENOENT: there is none. */
int vmlinux_file_look(struct vmlinux_file *f, const struct vmlinux_id *id);

/* --- vmlinux_find.c: those that are here --- */
#define VMLINUX_FOUND_MAX 32

struct vmlinux_places {
	const char *root; /* "" or another root directory, as in tree.h */
	const char *here; /* a directory that is looked at too, or NULL */
	/* debuginfod's cache: the first that is not NULL counts, as in libdebuginfod */
	const char *debuginfod, *xdg_cache, *home;
};

/* Below the real root also what is this user's: the working directory and debuginfod's cache, by
 * the environment, which has to outlive p. */
void vmlinux_places_init(struct vmlinux_places *p, const char *root);

struct vmlinux_found {
	struct vmlinux_file files[VMLINUX_FOUND_MAX]; /* in the order of the places */
	unsigned n;
	enum vmlinux_state best; /* UNUSABLE where n is 0 */
	unsigned best_at;	 /* the first file of that state */
};

void vmlinux_find(struct vmlinux_found *found, const struct vmlinux_places *places,
		  const struct vmlinux_id *id);

#endif
