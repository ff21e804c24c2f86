/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf_fmt.h - what an ELF dump has beyond elf.h. */
#ifndef CRASHPOD_ELF_FMT_H
#define CRASHPOD_ELF_FMT_H

/* e_flags: the dump was cut short; makedumpfile sets and crash reads the same bit. */
#define ELF_FLAG_INCOMPLETE 1u

#endif
