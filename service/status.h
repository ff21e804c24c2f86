/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status.h - whether a crash now would be captured: a list of checks, each ok, to be noted, or
 * missing with the way to mend it.
 * In:     root: "" or another root directory; kver: release of the running kernel.
 * Errors: none; what cannot be looked at is an item of its own.
 * Owner:  status_free(). */
#ifndef CRASHPOD_STATUS_H
#define CRASHPOD_STATUS_H

#include "base/conf.h"
#include "base/types.h"
#include "loaded.h"

#define STATUS_ITEMS_MAX 48

enum status_state { STATUS_OK, STATUS_NOTE, STATUS_MISSING };

struct status_item {
	enum status_state state;
	const char *name; /* of the check: one word */
	char text[400];
	char mend[200]; /* empty where the state is ok */
};

struct status_dump {
	char path[PATH_MAX + 128]; /* empty: there is none */
	bool complete;
	s64 age_s;
};

struct status {
	struct status_item items[STATUS_ITEMS_MAX];
	unsigned n;
	struct loaded loaded;	 /* kernel empty: nothing, or not by crashpod load */
	struct status_dump dump; /* the last one */
};

/* s: zeroed, or of an earlier check. */
void status_check(struct status *s, const char *root, const char *kver);
void status_free(struct status *s);

/* Nothing is missing. */
bool status_ready(const struct status *s);

/* "ok", "note", "missing" */
const char *status_state_name(enum status_state state);

/* Adds an item; fmt is its text, mend may be NULL. For the checks. */
void status_add(struct status *s, enum status_state state, const char *name, const char *mend,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Whoever asks is not root: that something cannot be looked at tells nothing. */
bool status_is_blind(const char *root);

/* The checks of the targets: devices, and room on them. */
void status_targets(struct status *s, const char *root, const struct conf *conf);

/* Whether a dump taken now has room on t, which has free_bytes. rc: why that is not known, or 0. */
void status_room(struct status *s, const char *root, const struct conf *conf,
		 const struct conf_target *t, int rc, u64 free_bytes);

/* What is loaded; fills in s->loaded. And the initramfs: whether it is of what is there now. */
void status_loaded(struct status *s, const char *root);
void status_boot(struct status *s, const char *root); /* and whether the next boot does it */
void status_initramfs(struct status *s, const char *root, const char *kver);

/* Whether what is reserved is enough for what is loaded, or would be. After status_loaded(). */
void status_reserve(struct status *s, const char *root, const char *kver);

/* The distribution's kdump: whose the loaded one is where it is not crashpod's, and what of it may
 * load another. */
void status_not_ours(struct status *s, const char *root);
void status_kdump(struct status *s, const char *root);

/* The way from each target to its controller, by mkinitrd --check, where it says so in lines. */
void status_chain(struct status *s, const char *root, const char *kver);

/* Watchdogs that run, and whether their drivers are in the initramfs. */
void status_watchdogs(struct status *s, const char *root, const char *kver);

/* The last dump; fills in s->dump. */
void status_last_dump(struct status *s, const char *root, const struct conf *conf);

#endif
