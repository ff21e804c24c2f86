/* SPDX-License-Identifier: GPL-2.0-or-later */
/* collect.h - what is done at boot with what a crash has left: dumps on raw areas go into the
 * directory of dumps, older ones make place as `keep` says, and a notice tells that there is one.
 * In:     root: "" or another root directory, as in tree.h.
 * Errors: 0 or -errno; every device is tried whatever becomes of the one before. */
#ifndef CRASHPOD_COLLECT_H
#define CRASHPOD_COLLECT_H

#include "base/conf.h"
#include "base/err.h"

struct collect {
	void (*say)(void *arg, const char *line); /* what was done, a line each */
	void (*failed)(void *arg, const char *line);
	void *arg;	 /* of both */
	char newest[64]; /* of the directories that were made; "": none was */
	bool newest_complete;
	unsigned complete; /* how many of them are */
};

/* From one area into dir. */
int collect_device(struct collect *c, const char *device, const char *dir, struct err *e);
/* From all raw targets of the configuration, then older dumps go. */
int collect_all(struct collect *c, const char *root, const struct conf *conf, const char *dir);

/* After what was collected: more complete ones than keep are removed, the oldest first. What has
 * just come stays, an incomplete dump removes no complete one, and the first of a series of crashes
 * stays (keep.h). */
int collect_prune(const struct collect *c, const char *dir, unsigned keep, struct err *e);

#endif
