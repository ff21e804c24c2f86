/* SPDX-License-Identifier: GPL-2.0-or-later */
/* readback.h - a dump that has been written is read and judged (verify.h) before it gets its name.
 * Sees:   what verify.h calls unsound, and that the file holds as many pages as were written. Not:
 * a page that decompresses to another page's bytes; an ELF file says nothing of its pages' contents
 * at all. Errors: the check itself never costs a dump: without memory, or asked to stop, it ends
 * without a verdict. */
#ifndef CRASHPOD_READBACK_H
#define CRASHPOD_READBACK_H

#include "engine.h"

/* Reads sink back as deep as o->verify says. 0: sound. -EBADMSG: it is not, e has what and where.
 * -ENOTSUP: it cannot be read, or is not to be. -ENOMEM, -ECANCELED and what open(2) may lack: not
 * judged. Others: a stream's end mark could not be written. */
int readback_run(const struct engine *en, const struct dump_opts *o, struct err *e);

/* Whether the file opens, as an incomplete dump at least. */
bool readback_opens(struct sink *sink);

#endif
