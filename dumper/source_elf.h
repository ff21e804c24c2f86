/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source_elf.h - an ELF vmcore in whatever it is stored; see source_kdump.h. */
#ifndef CRASHPOD_SOURCE_ELF_H
#define CRASHPOD_SOURCE_ELF_H

#include "fileview.h"
#include "source.h"

/* The file behind an ELF source, or NULL for another kind. */
const struct fileview *source_elf_view(const struct source *s);

/* Makes s an ELF source over *view, which it takes over, also after an error. */
int source_elf_open_view(struct source *s, const struct fileview *view, unsigned flags,
			 struct err *e);

#endif
