/* SPDX-License-Identifier: GPL-2.0-or-later */
/* estimate_pages.c - the pages of this machine by class, and a few of each for the sample.
 * Source: Documentation/admin-guide/mm/pagemap.rst; include/linux/kernel-page-flags.h */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/io.h"
#include "estimate.h"
#include "tree.h"

#define KPF(n) ((u64)1 << (n))
#define KPF_LRU KPF(5)
#define KPF_SLAB KPF(7)
#define KPF_BUDDY KPF(10)
#define KPF_ANON KPF(12)
#define KPF_SWAPCACHE KPF(13)
#define KPF_SWAPBACKED KPF(14)
#define KPF_TAIL KPF(16)
#define KPF_HUGE KPF(17)
#define KPF_HWPOISON KPF(19)
#define KPF_NOPAGE KPF(20)
#define KPF_OFFLINE KPF(23)
#define KPF_RESERVED KPF(32)
#define KPF_PRIVATE KPF(35)

#define READ_PAGES 16384

static enum page_class class_of(u64 flags)
{
	bool anon = flags & KPF_ANON;

	if (flags & KPF_HWPOISON)
		return PC_HWPOISON;
	if (flags & KPF_OFFLINE)
		return PC_OFFLINE;
	if (flags & KPF_NOPAGE)
		return PC_NO_MEMMAP;
	if (flags & KPF_BUDDY)
		return PC_FREE;
	if (flags & KPF_SLAB)
		return PC_SLAB;
	if (!anon && ((flags & KPF_LRU) || (flags & (KPF_SWAPCACHE | KPF_SWAPBACKED)) ==
						   (KPF_SWAPCACHE | KPF_SWAPBACKED)))
		return flags & KPF_PRIVATE ? PC_CACHE_PRIVATE : PC_CACHE;
	if (anon || (flags & KPF_HUGE))
		return PC_USER;
	return flags & KPF_RESERVED ? ESTIMATE_EARLY : PC_KERNEL;
}

enum page_class estimate_class(u64 flags, enum page_class *head)
{
	enum page_class pc = class_of(flags);

	/* what the flags of a tail do not say is what its head's do */
	if (flags & KPF_TAIL)
		return pc == PC_KERNEL ? *head : pc;
	*head = pc;
	return pc;
}

static size_t wanted(enum page_class pc)
{
	return pc == PC_FREE ? ESTIMATE_SAMPLE_FREE : ESTIMATE_SAMPLE;
}

/* Each page of a class gets the same chance: Vitter's algorithm R. */
static void pick(struct estimate_pages *p, enum page_class pc, u64 pfn, u64 *random)
{
	u64 at;

	if (p->npicked[pc] < wanted(pc)) {
		p->picked[pc][p->npicked[pc]++] = pfn;
		return;
	}
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	at = *random % p->class[pc];
	if (at < wanted(pc))
		p->picked[pc][at] = pfn;
}

static bool has_sample(enum page_class pc)
{
	return !page_class_table[pc].never && pc != PC_NO_MEMMAP;
}

static bool within(u64 pa, u64 start, u64 end)
{
	return pa >= start && pa < end;
}

static void count(struct estimate_pages *p, const struct estimate_map *map, u64 pfn,
		  const u64 *flags, size_t n, enum page_class *head, u64 *random)
{
	for (size_t i = 0; i < n; i++) {
		u64 pa = (pfn + i) << PAGE_SHIFT;
		enum page_class pc = estimate_class(flags[i], head);

		/* what is reserved is no part of a dump */
		if (within(pa, map->crash_start, map->crash_end) ||
		    within(pa, map->crash_high_start, map->crash_high_end))
			continue;
		if (pc == ESTIMATE_EARLY && within(pa, map->image_start, map->image_end))
			pc = PC_IMAGE;
		p->class[pc]++;
		p->ram++;
		if (!has_sample(pc))
			continue;
		pick(p, pc, pfn + i, random);
		if (p->nscan < ESTIMATE_SCAN && pc != ESTIMATE_EARLY)
			p->scan[p->nscan++] = (pfn + i) << 8 | pc;
	}
}

static int count_range(struct estimate_pages *p, const struct estimate_map *map, int fd,
		       const struct estimate_range *r, u64 *flags, u64 *random)
{
	u64 pfn = align_up(r->start, PAGE_SIZE) >> PAGE_SHIFT, end = r->end >> PAGE_SHIFT;
	enum page_class head = PC_KERNEL;

	while (pfn < end) {
		size_t n = (size_t)MIN(end - pfn, (u64)READ_PAGES);
		ssize_t got = io_pread_full(fd, flags, n * 8, pfn * 8);

		if (got < 0)
			return (int)got;
		n = (size_t)got / 8;
		if (!n)
			return 0; /* memory that was added and never had pages */
		count(p, map, pfn, flags, n, &head, random);
		pfn += n;
	}
	return 0;
}

int estimate_pages_count(struct estimate_pages *p, const char *root, const struct estimate_map *map,
			 struct err *e)
{
	static const char name[] = "/proc/kpageflags";
	_cleanup_free_ u64 *flags = malloc(READ_PAGES * sizeof(*flags));
	_cleanup_close_ int fd = -1;
	u64 random = 0x9e3779b97f4a7c15ull;
	char path[PATH_MAX];
	int rc = tree_path(path, root, "%s", name);

	memset(p, 0, sizeof(*p));
	for (unsigned pc = 0; pc < PC_COUNT && !rc; pc++) {
		if (has_sample(pc))
			p->picked[pc] = calloc(wanted(pc), sizeof(*p->picked[pc]));
		rc = has_sample(pc) && !p->picked[pc] ? -ENOMEM : 0;
	}
	p->scan = malloc(ESTIMATE_SCAN * sizeof(*p->scan));
	if (!rc && (!flags || !p->scan))
		rc = -ENOMEM;
	if (!rc) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		rc = fd < 0 ? -errno : 0;
	}
	for (unsigned i = 0; i < map->n && rc == 0; i++)
		rc = count_range(p, map, fd, &map->ram[i], flags, &random);
	if (rc == 0 && !p->ram)
		rc = -ENODATA;
	if (rc)
		return err_sys(e, rc, "%s", name);
	p->source = name;
	return 0;
}

/* "NAME:  123 kB" in pages. */
static u64 meminfo(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = text; p && *p; p = strchr(p, '\n'), p += p != NULL)
		if (!strncmp(p, name, len) && p[len] == ':')
			return strtoull(p + len + 1, NULL, 10) / 4;
	return 0;
}

/* The sum of a field of all zones. */
static u64 zones(const char *text, const char *name)
{
	size_t len = strlen(name);
	u64 sum = 0;

	for (const char *p = text; p && *p; p = strchr(p, '\n'), p += p != NULL) {
		const char *q = p + strspn(p, " ");

		if (!strncmp(q, name, len) && q[len] == ' ')
			sum += strtoull(q + len, NULL, 10);
	}
	return sum;
}

static u64 take(u64 *left, u64 pages)
{
	u64 n = MIN(*left, pages);

	*left -= n;
	return n;
}

int estimate_pages_guess(struct estimate_pages *p, const char *text, const char *zoneinfo,
			 struct err *e)
{
	u64 total = meminfo(text, "MemTotal"), left;

	memset(p, 0, sizeof(*p));
	if (!total)
		return err_set(e, -EINVAL, "/proc/meminfo has no MemTotal");
	p->ram = zoneinfo ? zones(zoneinfo, "present") : 0;
	if (p->ram < total)
		p->ram = total;
	left = p->ram;
	p->class[PC_FREE] = take(&left, meminfo(text, "MemFree"));
	p->class[PC_USER] = take(&left, meminfo(text, "AnonPages") + meminfo(text, "Hugetlb"));
	p->class[PC_CACHE] = take(&left, meminfo(text, "Cached") + meminfo(text, "SwapCached"));
	p->class[PC_CACHE_PRIVATE] = take(&left, meminfo(text, "Buffers"));
	p->class[PC_SLAB] = take(&left, meminfo(text, "Slab"));
	p->class[ESTIMATE_EARLY] = take(&left, p->ram - total);
	p->class[PC_KERNEL] = left;
	p->source = zoneinfo ? "/proc/meminfo and /proc/zoneinfo" : "/proc/meminfo";
	return 0;
}

void estimate_pages_free(struct estimate_pages *p)
{
	for (unsigned pc = 0; pc < PC_COUNT; pc++) {
		free(p->picked[pc]);
		p->picked[pc] = NULL;
	}
	free(p->scan);
	p->scan = NULL;
}
