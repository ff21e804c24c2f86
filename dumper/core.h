/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core.h - an opened vmcore or dump with everything known of its kernel: the way in for every
 * command and for PID 1.
 * Owner:   core_open() allocates, core_close() frees all of it.
 * Threads: immutable once open; each thread makes a struct kmem (or a window) of its own. */
#ifndef CRASHPOD_CORE_H
#define CRASHPOD_CORE_H

#include "base/err.h"
#include "base/types.h"
#include "kinfo.h"
#include "source.h"
#include "vmcoreinfo.h"
#include "xlat.h"

struct core {
	struct source *src;
	struct vmcoreinfo *vi; /* NULL where the source has no VMCOREINFO that can be read */
	struct kinfo ki;       /* zeroed where vi is NULL */
	struct xlat xlat;      /* xlat.root_pa == 0 where page tables cannot be used */
	/* the kernel image, mapped linearly from XLAT_KERNEL_TEXT on; 0 bytes: not known where */
	u64 image_pa, image_bytes;
	u64 direct_va; /* of physical address 0 in the direct mapping of all memory; 0: not known */
	struct err why; /* why vi is NULL or xlat is unusable; code 0 when all is well */
};

enum core_flags {
	/* as those of source.h */
	CORE_PARTIAL = SOURCE_PARTIAL,
	CORE_NO_MAP = SOURCE_NO_MAP,
	CORE_MAP = SOURCE_MAP,
};

/* Opens path. A source that cannot be opened is an error; a kernel that cannot be understood is
 * not: it is told in core->why, and the memory can still be read by physical address. */
int core_open(struct core **out, const char *path, unsigned flags, struct err *e);
void core_close(struct core *c);

/* Reads kernel virtual memory of the dead kernel. One per thread. */
struct kmem {
	const struct core *core;
	struct window win;
	struct xlat_cache cache;
};

int kmem_open(struct kmem *km, const struct core *c, struct err *e);
void kmem_close(struct kmem *km);
/* Copies len bytes from the kernel virtual address va. Where the page tables do not lead there, by
 * what the source's headers and the VMCOREINFO say of the kernel's linear mappings. -EFAULT: not
 * mapped; others as window_get(). */
int kmem_read(struct kmem *km, u64 va, void *buf, size_t len, struct err *e);

#endif
