/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status.h - whether a crash now would be captured: a list of checks, each ok, to be noted, or
 * missing with the way to mend it.
 * In:     root: "" or another root directory; kver: release of the running kernel.
 * Errors: none; what cannot be looked at is an item of its own. */
#ifndef CRASHPOD_STATUS_H
#define CRASHPOD_STATUS_H

#include "base/conf.h"
#include "base/types.h"

#define STATUS_ITEMS_MAX 48

enum status_state { STATUS_OK, STATUS_NOTE, STATUS_MISSING };

struct status_item {
	enum status_state state;
	const char *name; /* of the check: one word */
	char text[400];
	char mend[200]; /* empty where the state is ok */
};

struct status {
	struct status_item items[STATUS_ITEMS_MAX];
	unsigned n;
};

void status_check(struct status *s, const char *root, const char *kver);

/* Nothing is missing. */
bool status_ready(const struct status *s);

/* "ok", "note", "missing" */
const char *status_state_name(enum status_state state);

/* Adds an item; fmt is its text, mend may be NULL. For the checks. */
void status_add(struct status *s, enum status_state state, const char *name, const char *mend,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The checks of the targets: devices, and room on them. */
void status_targets(struct status *s, const char *root, const struct conf *conf);

#endif
