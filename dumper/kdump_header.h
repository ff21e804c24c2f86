/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdump_header.h - fills in the two headers of a kdump-compressed file from what is known of the
 * dead kernel. */
#ifndef CRASHPOD_KDUMP_HEADER_H
#define CRASHPOD_KDUMP_HEADER_H

#include "core.h"
#include "kdump_fmt.h"

/* Where the parts of the file lie, in bytes; follows from max_pfn, notes and the number of pages.
 */
struct kdump_layout {
	u64 bitmap_bytes; /* of one bitmap, a multiple of the block size */
	u64 bitmap1, bitmap2, descs;
	u32 sub_hdr_blocks;
};

void kdump_layout_make(struct kdump_layout *l, u64 max_pfn, size_t notes_len);

/* status: KDUMP_* flags. Reads utsname from the dead kernel's memory where it can be. */
void kdump_header_make(struct kdump_header *h, struct kdump_sub_header *sh, const struct core *core,
		       const struct kdump_layout *l, unsigned level, u32 status);

/* utsname as it is in the dead kernel's memory, each field ended; uts stays as it is where that
 * cannot be read. */
void kdump_header_uts(char uts[KDUMP_UTS_FIELDS][KDUMP_UTS_LEN], const struct core *core);

#endif
