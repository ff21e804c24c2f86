/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_seeds.h - what makes the seeds of each target; for the table in fuzz_seeds_mem.c. */
#ifndef CRASHPOD_TESTS_FUZZ_SEEDS_H
#define CRASHPOD_TESTS_FUZZ_SEEDS_H

#include "fuzz.h"

void fuzz_seeds_conf(fuzz_seed_fn give, void *arg);
void fuzz_seeds_elf(fuzz_seed_fn give, void *arg);
void fuzz_seeds_flat(fuzz_seed_fn give, void *arg);
void fuzz_seeds_kdump(fuzz_seed_fn give, void *arg);
void fuzz_seeds_record(fuzz_seed_fn give, void *arg);
void fuzz_seeds_vmcoreinfo(fuzz_seed_fn give, void *arg);
void fuzz_seeds_whole(fuzz_seed_fn give, void *arg);

#endif
