/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source_backends.h - the constructors behind source_open(). In: s->fd, s->path and s->proc are
 * set. Each sets s->ops first thing, so that source_close() works after an error. */
#ifndef CRASHPOD_SOURCE_BACKENDS_H
#define CRASHPOD_SOURCE_BACKENDS_H

#include "fileview.h"
#include "source.h"

/* What s->fd, or the part of it that is the source, holds. */
int source_view(const struct source *s, struct fileview *view, struct err *e);

int source_elf_open(struct source *s, unsigned flags, struct err *e);
int source_kdump_open(struct source *s, unsigned flags, struct err *e);
int source_flat_open(struct source *s, unsigned flags, struct err *e);

#endif
