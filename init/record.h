/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.h - crashpod.json: what was asked, what happened at each step and when, what was written.
 * Written before the dump (status "writing") and again at its end; the steps after the last write
 * (commit, release, sync, finish) cannot be in it. docs/record.md tells what each key means,
 * docs/crashpod.schema.json which there are: both change with what is written here.
 * Owner:  j is the caller's, before and after. */
#ifndef CRASHPOD_INIT_RECORD_H
#define CRASHPOD_INIT_RECORD_H

#include "../dumper/base/json.h"
#include "init.h"

/* 0, or -ENOMEM. */
int record_text(const struct init *in, struct json *j);

/* Tells and keeps that an old dump of the target in use is gone; for_room: or else for keep N. */
void record_removed(struct init *in, const char *dir, bool for_room);

/* Writes the record into the dump's directory. */
int record_write(const struct init *in, int dir, struct err *e);

/* The same at the end. A child that was killed while it made the dump's final name last has
 * left a whole dump: the file itself was on the disk before. Then the outcome becomes
 * complete, and the fsync of the record's name in that directory makes the dump's last too. */
int record_end(struct init *in, int dir, struct err *e);

/* Sets room aside for the record at the end, which a dump that fills the disk would leave none for,
 * and for the log and the record of the next crash. */
int record_reserve(const struct init *in, int dir, struct err *e);

#endif
