/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poison.c - frames that the kernel takes for failing memory, of every class that it can be.
 *
 * Usage: poison SEED MANIFEST CLASS...     as hold.h says
 *
 * The classes name what is poisoned; the manifest's lines name them all "poison", and there is a
 * line for each frame whose flags say so afterwards, whatever the call said. A poisoned part of a
 * huge page stays a tail only where the page cannot be split or dissolved: a pipe pins it.
 * Wants: debugfs on /sys/kernel/debug and the module hwpoison_inject for "pfree", a file system on
 * /busy for "pcache", free 2 MiB pages for "phuge". */
#include "hold.h"

#include <signal.h>
#include <sys/uio.h>

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif
#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif
#define KPF_BUDDY (1ULL << 10)
#define KPF_HWPOISON (1ULL << 19)
#define INJECTOR "/sys/kernel/debug/hwpoison/corrupt-pfn"
#define TAIL 37			/* an odd page somewhere in a huge one */
#define FREE_FROM (64ull << 20) /* not the lowest memory */

static const struct kind poison = { "poison", 8, 0 };

static uint64_t frame_flags(uint64_t address)
{
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	uint64_t flags = 0;

	if (fd < 0 || pread(fd, &flags, sizeof(flags), (off_t)(address / PAGE * sizeof(flags))) < 0)
		die("/proc/kpageflags");
	close(fd);
	return flags;
}

static void frame_record(const struct planter *p, const struct kind *c, unsigned int index,
			 uint64_t address, int rc)
{
	int error = errno;
	uint64_t flags = frame_flags(address);

	printf("%s: %#" PRIx64 ": %s, flags %#" PRIx64 "\n", c->name, address,
	       rc ? strerror(error) : "done", flags);
	if (flags & KPF_HWPOISON)
		fprintf(p->out, "%s %u %#" PRIx64 "\n", poison.name, c->id << 8 | index, address);
}

static void page_poison(const struct planter *p, const struct kind *c, unsigned int index,
			char *page, int advice)
{
	uint64_t address = page_address(p->pagemap, page);

	frame_record(p, c, index, address, madvise(page, PAGE, advice));
}

static void panon_plant(const struct planter *p, const struct kind *c)
{
	char *at = region_map(c, MADV_NOHUGEPAGE);

	fill_all(p, c, at);
	for (unsigned int i = 0; i < c->pages; i++)
		page_poison(p, c, i, at + (size_t)i * PAGE, MADV_HWPOISON);
}

static void psoft_plant(const struct planter *p, const struct kind *c)
{
	char *at = region_map(c, MADV_NOHUGEPAGE);

	fill_all(p, c, at);
	for (unsigned int i = 0; i < c->pages; i++)
		page_poison(p, c, i, at + (size_t)i * PAGE, MADV_SOFT_OFFLINE);
}

static void pcache_plant(const struct planter *p, const struct kind *c)
{
	size_t len = (size_t)c->pages * PAGE;
	int fd = open("/busy/pcache", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char page[PAGE], *at;

	if (fd < 0)
		die("/busy/pcache");
	for (unsigned int i = 0; i < c->pages; i++) {
		page_fill(page, p->seed, c, i);
		if (write(fd, page, PAGE) != PAGE)
			die("/busy/pcache");
	}
	if (fsync(fd))
		die("/busy/pcache");
	at = mmap(NULL, len, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED)
		die("mmap of a file");
	for (unsigned int i = 0; i < c->pages; i++)
		page_poison(p, c, i, at + (size_t)i * PAGE, MADV_HWPOISON);
}

/* A reference that nothing but the end of this process takes away. */
static void pin(char *page)
{
	struct iovec one = { page, PAGE };
	int fds[2];

	if (pipe(fds) || vmsplice(fds[1], &one, 1, 0) != (ssize_t)PAGE)
		die("vmsplice");
}

static void ptail_plant(const struct planter *p, const struct kind *c)
{
	char *at = region_map(c, MADV_HUGEPAGE);

	fill_all(p, c, at);
	pin(at);
	page_poison(p, c, 0, at + (size_t)TAIL * PAGE, MADV_HWPOISON);
}

static void phuge_plant(const struct planter *p, const struct kind *c)
{
	char *at = mmap(NULL, HUGE_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 21 << 26, -1, 0);

	if (at == MAP_FAILED)
		return absent(c, "mmap");
	fill_all(p, c, at);
	pin(at);
	page_poison(p, c, 0, at + (size_t)TAIL * PAGE, MADV_HWPOISON);
}

static uint64_t free_frame(uint64_t from)
{
	uint64_t address = from;

	while (!(frame_flags(address) & KPF_BUDDY))
		address += PAGE;
	return address;
}

static void pfree_plant(const struct planter *p, const struct kind *c)
{
	int fd = open(INJECTOR, O_WRONLY | O_CLOEXEC);
	uint64_t address = FREE_FROM;
	char text[32];

	if (fd < 0)
		return absent(c, INJECTOR);
	for (unsigned int i = 0; i < c->pages; i++) {
		int len;

		address = free_frame(address + (uint64_t)TAIL * PAGE);
		len = snprintf(text, sizeof(text), "%" PRIu64, address / PAGE);
		frame_record(p, c, i, address, write(fd, text, (size_t)len) != len);
	}
	close(fd);
}

static const struct class classes[] = {
	{ { "psoft", 32, 8 }, psoft_plant },
	{ { "panon", 33, 8 }, panon_plant },
	{ { "pcache", 34, 8 }, pcache_plant },
	{ { "ptail", 35, HUGE_BYTES / PAGE }, ptail_plant },
	{ { "phuge", 36, HUGE_BYTES / PAGE }, phuge_plant },
	{ { "pfree", 37, 8 }, pfree_plant },
};

static void carry_on(int number)
{
	(void)number;
}

int main(int argc, char **argv)
{
	/* The kernel sends it for a page that is mapped, touched or not; ignored, it would kill. */
	signal(SIGBUS, carry_on);
	return classes_hold(argc, argv, classes, sizeof(classes) / sizeof(classes[0]));
}
