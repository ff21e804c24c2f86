/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib_kernel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PTE_PRESENT 1u
#define PTE_LEAF 0x80u

static int fake_window_open(struct window *w, struct err *e)
{
	(void)w;
	(void)e;
	return 0;
}

static int fake_window_get(struct window *w, u64 pa, size_t want, const u8 **p, size_t *got,
			   struct err *e)
{
	struct fake_kernel *fk = w->src->priv;

	if (pa >= FAKE_SIZE)
		return err_set(e, -ENXIO, "no memory at %#llx", (unsigned long long)pa);
	if (pa >> PAGE_SHIFT == fk->bad_pfn)
		return err_set(e, -EIO, "bad page %#llx", (unsigned long long)fk->bad_pfn);
	*p = fk->mem + pa;
	*got = MIN(want, PAGE_SIZE - pa % PAGE_SIZE);
	return 0;
}

static void fake_window_close(struct window *w)
{
	(void)w;
}

static const struct source_ops fake_ops = {
	.name = "fake",
	.window_open = fake_window_open,
	.window_get = fake_window_get,
	.window_close = fake_window_close,
};

struct fake_kernel *fake_kernel_new(const char *vmcoreinfo)
{
	static const u64 tables[] = { 0x1000, 0x2000, 0x3000 };
	struct fake_kernel *fk = calloc(1, sizeof(*fk));

	assert(fk);
	fk->bad_pfn = ~0ull;
	fk->src = (struct source){ .ops = &fake_ops, .path = "fake", .fd = -1, .priv = fk };
	fk->core.src = &fk->src;
	fk->core.xlat.root_pa = tables[0];
	fk->core.xlat.levels = 4;
	/* 2 MiB at FAKE_VA are the 2 MiB at 0. */
	fake_put64(fk, FAKE_VA + tables[0] + 511 * 8, tables[1] | PTE_PRESENT);
	fake_put64(fk, FAKE_VA + tables[1] + 510 * 8, tables[2] | PTE_PRESENT);
	fake_put64(fk, FAKE_VA + tables[2], PTE_PRESENT | PTE_LEAF);
	if (vmcoreinfo) {
		int rc = vmcoreinfo_open(&fk->core.vi, vmcoreinfo, strlen(vmcoreinfo), NULL);

		assert(rc == 0);
		(void)rc;
	}
	return fk;
}

void fake_kernel_free(struct fake_kernel *fk)
{
	vmcoreinfo_free(fk->core.vi);
	free(fk);
}

void fake_put(struct fake_kernel *fk, u64 va, const void *data, size_t len)
{
	assert(va >= FAKE_VA && va - FAKE_VA <= FAKE_SIZE - len);
	memcpy(fk->mem + (va - FAKE_VA), data, len);
}

void fake_put64(struct fake_kernel *fk, u64 va, u64 value)
{
	fake_put(fk, va, &value, sizeof(value));
}

void fake_put32(struct fake_kernel *fk, u64 va, u32 value)
{
	fake_put(fk, va, &value, sizeof(value));
}

void fake_put16(struct fake_kernel *fk, u64 va, u16 value)
{
	fake_put(fk, va, &value, sizeof(value));
}
