/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dumps.h - the dumps that are there, and what is known of each: by its record (docs/record.md),
 * and where that is missing, damaged or does not say it, by the dump's own header and log. In:
 * directories that anyone may have written to. A dump is a plain file of a name that naming.h
 * makes, in a directory of such a name, that begins as a dump does, or has crashpod's record beside
 * it. No symbolic link is followed. Texts are printable ASCII. Units:  bytes; pages of 4 KiB; when:
 * seconds since 1970, UTC. Errors: 0 or -errno. Owner:  dumps_free(). */
#ifndef CRASHPOD_DUMPS_H
#define CRASHPOD_DUMPS_H

#include <limits.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/types.h"

enum dump_state {
	DUMPS_COMPLETE,
	DUMPS_INCOMPLETE, /* it says itself that pages are missing */
	DUMPS_CUT,	  /* nobody lived to say how it ended, or its end is gone */
	DUMPS_RAW,	  /* on a raw area, not collected yet */
	DUMPS_NONE,	  /* log and record only */
};

struct dump_entry {
	char dir[PATH_MAX]; /* of a raw area: its device */
	char file[128];	    /* in dir; of a raw area "slot N"; "": there is no dump */
	char dmesg[64];	    /* in dir; "": there is none */
	bool record;	    /* there is one, and it could be read */
	bool foreign;	    /* the directory is neither root's nor the caller's: anyone may have
			     * made it, where /var/crash is for all to write */
	enum dump_state state;
	u64 bytes;
	s64 when; /* the crash, or what is nearest to it of what is known */
	char kernel[72], panic[256];
	char reason[300]; /* why it is not complete; may be empty */
	bool has_level, has_pages;
	unsigned level;
	u64 ram, dumped;
	char verified[16]; /* "structure", "full", "failed", "no"; "": not known */
};

struct dumps {
	struct dump_entry *v;
	size_t n, cap;
};

const char *dump_state_name(enum dump_state state);

/* Adds the dumps in a directory of dumps. */
int dumps_scan(struct dumps *d, const char *path, struct err *e);
/* Adds what waits in the raw targets of a configuration. What cannot be looked at is passed over.
 */
int dumps_raw(struct dumps *d, const char *root, const struct conf *c);
void dumps_sort(struct dumps *d); /* newest first */
void dumps_free(struct dumps *d);

/* One dump: a file, or a directory with one in it. -ENOENT: there is none. doc, where not NULL,
 * gets the record, which is the caller's. */
int dump_find(struct dump_entry *entry, const char *path, struct json_doc *doc, struct err *e);

/* For the modules of dumps: a new entry of zeros, or NULL; what a record, and a dump itself, say.
 */
struct dump_entry *dumps_add(struct dumps *d);
void dump_from_record(struct dump_entry *entry, const struct json_doc *doc);
void dump_from_header(struct dump_entry *entry);

#endif
