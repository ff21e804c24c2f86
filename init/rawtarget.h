/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rawtarget.h - a target without a file system: what the steps do with a slot of its raw area
 * instead of a directory. For children only: what it does may hang with the device.
 * Errors: 0 or -errno. Nothing is written to a device that is no raw area. */
#ifndef CRASHPOD_INIT_RAWTARGET_H
#define CRASHPOD_INIT_RAWTARGET_H

#include "../dumper/raw_slot.h"
#include "init.h"

/* Whether the target in use is one. */
bool rawtarget_is(const struct init *in);

/* target: looks at sh->device, and chooses sh->slot. Writes nothing. */
int rawtarget_find(struct init *in, struct err *e);
/* triage: the dead kernel's log and the record, on the disk. */
int rawtarget_triage(struct init *in, const void *text, size_t len, struct err *e);
/* dump: as dump_run(), into the slot. */
enum dump_result rawtarget_dump(struct init *in, const struct core *core, const struct dump_opts *o,
				struct err *e);
/* commit: how the dump ended, and the last record. As record_end() of record.h. */
int rawtarget_commit(struct init *in, struct err *e);

#endif
