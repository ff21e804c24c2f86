/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core.h"

#include <errno.h>
#include <stdlib.h>

#include "notes.h"

#define KMEM_WINDOW PAGE_SIZE /* small reads far apart */

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
	if (kinfo_init(&c->ki, c->vi, why)) {
		xlat_init(&c->xlat, c->vi, NULL);
		return;
	}
	xlat_init(&c->xlat, c->vi, why);
}

int core_open(struct core **out, const char *path, unsigned flags, struct err *e)
{
	struct core *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return err_sys(e, -ENOMEM, "%s", path);
	rc = source_open(&c->src, path, flags & CORE_PARTIAL, e);
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

int kmem_read(struct kmem *km, u64 va, void *buf, size_t len, struct err *e)
{
	u8 *to = buf;

	while (len) {
		u64 pa, contig;
		size_t n;
		int rc = xlat_va(&km->core->xlat, &km->cache, &km->win, va, &pa, &contig, e);

		if (rc)
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
