/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_table.h - the table of directives behind conf.h; used by conf*.c only.
 * In:     values are NUL-terminated, printable ASCII, without blanks at either end.
 * Errors: 0 or -EINVAL, with what is wrong in e; the state may then be half changed, so callers
 *         work on a copy and throw it away. */
#ifndef CRASHPOD_CONF_TABLE_H
#define CRASHPOD_CONF_TABLE_H

#include "conf.h"
#include "err.h"

#define CONF_DIRECTIVES_MAX 24
#define CONF_CMDLINE_LINE (~0u) /* the "line number" of words of the kernel command line */

struct conf_state {
	struct conf c;
	unsigned seen[CONF_DIRECTIVES_MAX]; /* by place in the table: the line that set it, or 0 */
	unsigned line;
	bool replace_targets; /* the next target takes the place of all there are */
	char note[160];	      /* something to say that is not a problem; may be empty */
};

/* Where conf_print() puts its text: len counts what would have been written. */
struct conf_out {
	char *buf;
	size_t cap, len;
};

struct conf_directive {
	const char *name;
	bool many; /* may be repeated */
	int (*parse)(struct conf_state *st, const char *name, const char *value, struct err *e);
	/* NULL where another directive's function prints it too */
	void (*print)(const struct conf *c, struct conf_out *o);
};

extern const struct conf_directive conf_directives[]; /* ends with a NULL name */

/* Applies one directive. */
int conf_set(struct conf_state *st, const char *name, const char *value, struct err *e);

void conf_out_line(struct conf_out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A decimal number, nothing after it, between min and max; what names it in the message. */
int conf_number(const char *value, long min, long max, long *out, const char *what, struct err *e);

/* core_collector: makedumpfile's options, given on to the directives that mean the same. */
int conf_collector(struct conf_state *st, const char *name, const char *value, struct err *e);

#endif
