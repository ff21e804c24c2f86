/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf_file.h - the headers of an ELF core, read by libelf (which honours e_phoff and PN_XNUM),
 * whether the file is stored as it is or flattened.
 * In:     hostile. libelf lowers the number of program headers to what it finds.
 * Memory: the headers; of a flattened file all that comes before their end, ELF_HEADERS_MAX at
 *         most.
 * Errors: -EINVAL malformed, -ENOMEM, -E2BIG too many headers, -errno of reads.
 * Owner:  the view stays the caller's; elf_file_close() frees the rest. */
#ifndef CRASHPOD_ELF_FILE_H
#define CRASHPOD_ELF_FILE_H

#include <gelf.h>

#include "fileview.h"

#define ELF_HEADERS_MAX ((u64)64 << 20) /* a million program headers */

struct elf_file {
	Elf *elf;
	u8 *image; /* of the headers, where libelf cannot read the file itself */
};

int elf_file_open(struct elf_file *f, const struct fileview *view, struct err *e);
void elf_file_close(struct elf_file *f);
/* One program header; libelf converts them all with the first. */
int elf_file_phdr(const struct elf_file *f, size_t i, GElf_Phdr *ph, struct err *e);

#endif
