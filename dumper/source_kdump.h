/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source_kdump.h - what the commands that judge a dump want to know beyond struct source. */
#ifndef CRASHPOD_SOURCE_KDUMP_H
#define CRASHPOD_SOURCE_KDUMP_H

#include "kdump_file.h"
#include "source.h"

/* The kdump file behind a source, or NULL for another kind. */
const struct kdump_file *source_kdump_file(const struct source *s);

/* Makes s a kdump source over *view, which it takes over, also after an error. */
int source_kdump_open_view(struct source *s, const struct fileview *view, unsigned flags,
			   struct err *e);

#endif
