/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core.h"

#include <errno.h>
#include <stdlib.h>

#include "notes.h"

#define KMEM_WINDOW PAGE_SIZE /* small reads far apart */
#define IMAGE_BYTES_USUAL ((u64)512 << 20)
#define IMAGE_BYTES_MAX ((u64)2 << 30)
#define DIRECT_ALIGN ((u64)1 << 30) /* KASLR moves the direct mapping by so much */

/* How far the kernel's image mapping reaches at most, where phys_base says where it begins. */
static void image_init(struct core *c)
{
	s64 phys_base, size;

	if (vmcoreinfo_number(c->vi, "phys_base", &phys_base))
		return;
	c->image_pa = (u64)phys_base;
	c->image_bytes = IMAGE_BYTES_USUAL;
	if (vmcoreinfo_number(c->vi, "KERNEL_IMAGE_SIZE", &size) == 0 && size > 0 &&
	    (u64)size <= IMAGE_BYTES_MAX)
		c->image_bytes = (u64)size;
}

/* The page tables of a kernel that is alive map the page that they begin with. Others would lead
 * anywhere: in a loop every address has a translation. */
static void xlat_check(struct core *c, struct err *why)
{
	u64 root_pa = c->xlat.root_pa, va = root_pa - c->xlat.phys_base + XLAT_KERNEL_TEXT;
	u64 pa = 0, contig;
	struct kmem *km = malloc(sizeof(*km));
	int rc = km ? kmem_open(km, c, why) : err_sys(why, -ENOMEM, "page tables");

	if (rc == 0) {
		rc = xlat_va(&c->xlat, &km->cache, &km->win, va, &pa, &contig, why);
		kmem_close(km);
		if (rc == 0 && pa != root_pa)
			rc = err_set(why, -EINVAL, "%#llx leads to %#llx", (unsigned long long)va,
				     (unsigned long long)pa);
	}
	free(km);
	if (rc == 0)
		return;
	err_ctx(why, "page tables at %#llx do not map themselves", (unsigned long long)root_pa);
	c->xlat.root_pa = 0;
}

/* VMCOREINFO does not say where the direct mapping begins, but the kernel's early allocator takes
 * the section table from it: an address of the table less where that leads. */
static void direct_init(struct core *c)
{
	struct kmem *km = malloc(sizeof(*km));
	u64 va = 0, pa = 0, contig;

	if (!km || kmem_open(km, c, NULL)) {
		free(km);
		return;
	}
	if (kmem_read(km, c->ki.mem_section, &va, sizeof(va), NULL) == 0 &&
	    va >= XLAT_KERNEL_HALF && va < XLAT_KERNEL_TEXT &&
	    xlat_va(&c->xlat, &km->cache, &km->win, va, &pa, &contig, NULL) == 0 && pa < va &&
	    (va - pa) % DIRECT_ALIGN == 0)
		c->direct_va = va - pa;
	kmem_close(km);
	free(km);
}

/* Learns what the notes tell of the kernel; the reason why not goes to c->why. */
static void understand(struct core *c)
{
	struct err *why = &c->why;
	struct note n;
	int rc = notes_find(c->src->notes, c->src->notes_len, "VMCOREINFO", &n, why);

	if (rc == 0)
		err_set(why, -ENOENT, "no VMCOREINFO note");
	if (rc <= 0)
		return;
	if (vmcoreinfo_open(&c->vi, n.desc, n.desc_len, why))
		return;
	rc = kinfo_init(&c->ki, c->vi, why);
	image_init(c);
	if (xlat_init(&c->xlat, c->vi, rc ? NULL : why) == 0)
		xlat_check(c, rc ? NULL : why);
	if (rc == 0 && c->xlat.root_pa)
		direct_init(c);
}

int core_open(struct core **out, const char *path, unsigned flags, struct err *e)
{
	struct core *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return err_sys(e, -ENOMEM, "%s", path);
	rc = source_open(&c->src, path, flags, e);
	if (rc) {
		free(c);
		return rc;
	}
	understand(c);
	*out = c;
	return 0;
}

void core_close(struct core *c)
{
	if (!c)
		return;
	vmcoreinfo_free(c->vi);
	source_close(c->src);
	free(c);
}

int kmem_open(struct kmem *km, const struct core *c, struct err *e)
{
	km->core = c;
	xlat_cache_init(&km->cache);
	return window_open(&km->win, c->src, KMEM_WINDOW, e);
}

void kmem_close(struct kmem *km)
{
	window_close(&km->win);
}

/* Where the source's headers, or phys_base, have va; -ENOENT: nowhere. */
static int linear_va(const struct core *c, u64 va, u64 *pa, u64 *contig)
{
	const struct source *s = c->src;

	for (size_t i = 0; i < s->nmaps; i++) {
		u64 at = va - s->maps[i].va;

		if (s->maps[i].va >= XLAT_KERNEL_HALF && at < s->maps[i].size) {
			*pa = s->maps[i].pa + at;
			*contig = s->maps[i].size - at;
			return 0;
		}
	}
	if (va < XLAT_KERNEL_TEXT || va - XLAT_KERNEL_TEXT >= c->image_bytes)
		return -ENOENT;
	*pa = va - XLAT_KERNEL_TEXT + c->image_pa;
	*contig = PAGE_SIZE - va % PAGE_SIZE;
	return 0;
}

int kmem_read(struct kmem *km, u64 va, void *buf, size_t len, struct err *e)
{
	u8 *to = buf;

	while (len) {
		u64 pa, contig;
		size_t n;
		int rc = xlat_va(&km->core->xlat, &km->cache, &km->win, va, &pa, &contig, e);

		if (rc && linear_va(km->core, va, &pa, &contig))
			return rc;
		n = contig < len ? (size_t)contig : len;
		rc = window_read(&km->win, pa, to, n, e);
		if (rc) {
			err_ctx(e, "read %#llx", (unsigned long long)va);
			return rc;
		}
		to += n;
		va += n;
		len -= n;
	}
	return 0;
}
