/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notes.h - walks ELF notes in memory.
 * In:     hostile bytes; every length is checked before it is used.
 * Errors: 1 a note was found, 0 the end, -EINVAL the note at n->off runs past the end.
 * Source: the ELF specification, "Note Section"; names and data are padded to 4 bytes. */
#ifndef CRASHPOD_NOTES_H
#define CRASHPOD_NOTES_H

#include "base/err.h"
#include "base/types.h"

#define NOTE_NT_PRSTATUS 1

struct note {
	u32 type;
	const char *name; /* name_len bytes, usually with a NUL as the last */
	size_t name_len;
	const u8 *desc;
	size_t desc_len;
	size_t desc_off; /* offset of desc in the notes */
};

struct notes_iter {
	const u8 *buf;
	size_t len, off;
};

void notes_begin(struct notes_iter *it, const u8 *buf, size_t len);
int notes_next(struct notes_iter *it, struct note *n, struct err *e);
bool note_is(const struct note *n, const char *name);

/* Finds the first note with this name: 1, 0 or -EINVAL. */
int notes_find(const u8 *buf, size_t len, const char *name, struct note *n, struct err *e);

/* Number of NT_PRSTATUS notes named CORE: CPUs that saved their registers. */
unsigned notes_count_prstatus(const u8 *buf, size_t len);

#endif
