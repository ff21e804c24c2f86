/* SPDX-License-Identifier: GPL-2.0-or-later */
/* classes.c - make the kernel hold pages of the named classes, in quantity, until it crashes.
 *
 * Usage: classes SEED MANIFEST CLASS...     as hold.h says
 *
 * Wants: a tmpfs on /tmp, a file system that nothing syncs on /busy, swap for "swapped" and
 * "shmswap". */
#include "hold.h"

#include <sys/socket.h>
#include <sys/stat.h>

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#define MAP_HUGE_LOG2(bits) ((bits) << 26)
#define GIB (1u << 30)
#define GIB_STRIDE 256 /* of a 1 GiB page, one page in so many has known bytes */
#define PIPES 32
#define PIPE_PAGES 16 /* a pipe's default */
#define MANY_FILES 30000
#define TABLES 1024 /* page tables */
#define SOCKET_PAGES 16
#define FRAGMENTS 12288

struct frame {
	uint64_t pfn;
	char *page;
};

/* Touches each page for reading. */
static void read_all(const struct kind *c, const char *at)
{
	for (unsigned int i = 0; i < c->pages; i++)
		(void)*(const volatile char *)(at + (size_t)i * PAGE);
}

static void mlocked_plant(const struct planter *p, const struct kind *c)
{
	char *at = region_map(c, MADV_NOHUGEPAGE);

	if (mlock(at, (size_t)c->pages * PAGE))
		die("mlock");
	fill_all(p, c, at);
	region_record(p->out, p->pagemap, c, at);
}

static void constant_plant(const struct planter *p, const struct kind *c)
{
	char *at = region_map(c, MADV_NOHUGEPAGE);

	for (unsigned int i = 0; i < c->pages; i++)
		if (strcmp(c->name, "zero") == 0)
			memset(at + (size_t)i * PAGE, 0, PAGE);
		else
			page_fill(at + (size_t)i * PAGE, p->seed, c, 0);
	region_record(p->out, p->pagemap, c, at);
}

static void thp_plant(const struct planter *p, const struct kind *c)
{
	char *at = region_map(c, MADV_HUGEPAGE);

	fill_all(p, c, at);
	region_record(p->out, p->pagemap, c, at);
}

/* Written out and read again: the copy in the swap area is still good, so it stays cached. */
static void swapped_plant(const struct planter *p, const struct kind *c)
{
	char *at = region_map(c, MADV_NOHUGEPAGE);

	fill_all(p, c, at);
	if (madvise(at, (size_t)c->pages * PAGE, MADV_PAGEOUT))
		die("madvise(MADV_PAGEOUT)");
	usleep(300000);
	read_all(c, at);
	region_record(p->out, p->pagemap, c, at);
}

/* Shared memory leaves the swap cache when it is read, so it is written out and left. */
static void shmswap_plant(const struct planter *p, const struct kind *c)
{
	size_t len = (size_t)c->pages * PAGE;
	char *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap of shared memory");
	fill_all(p, c, at);
	if (madvise(at, len, MADV_PAGEOUT))
		die("madvise(MADV_PAGEOUT) of shared memory");
	for (unsigned int i = 0; i < c->pages; i++)
		fprintf(p->out, "%s %u -\n", c->name, i);
}

static void huge_plant(const struct planter *p, const struct kind *c)
{
	size_t len = (size_t)c->pages * PAGE;
	char *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_LOG2(21), -1, 0);

	if (at == MAP_FAILED)
		return absent(c, "mmap");
	fill_all(p, c, at);
	region_record(p->out, p->pagemap, c, at);
}

static void gigantic_plant(const struct planter *p, const struct kind *c)
{
	char *at = mmap(NULL, GIB, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_LOG2(30), -1, 0);

	if (at == MAP_FAILED)
		return absent(c, "mmap");
	for (unsigned int i = 0; i < c->pages; i++) {
		char *page = at + (size_t)i * GIB_STRIDE * PAGE;

		page_fill(page, p->seed, c, i);
		fprintf(p->out, "%s %u %#" PRIx64 "\n", c->name, i, page_address(p->pagemap, page));
	}
}

static int file_write(const struct planter *p, const struct kind *c)
{
	char path[64], page[PAGE];
	int fd;

	snprintf(path, sizeof(path), "/busy/%s", c->name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		die(path);
	for (unsigned int i = 0; i < c->pages; i++) {
		page_fill(page, p->seed, c, i);
		if (write(fd, page, PAGE) != PAGE)
			die(path);
	}
	return fd;
}

static void file_record(const struct planter *p, const struct kind *c, int fd)
{
	char *at = mmap(NULL, (size_t)c->pages * PAGE, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);

	if (at == MAP_FAILED)
		die("mmap of a file");
	read_all(c, at);
	region_record(p->out, p->pagemap, c, at);
}

/* Pages that were read, not written, have no buffer heads: they are not private. */
static void readin_plant(const struct planter *p, const struct kind *c)
{
	int fd = file_write(p, c);

	if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		die("a file to be read");
	file_record(p, c, fd);
}

static void dirty_plant(const struct planter *p, const struct kind *c)
{
	file_record(p, c, file_write(p, c));
}

static void pipes_plant(const struct planter *p, const struct kind *c)
{
	char page[PAGE];
	int fds[2];

	for (unsigned int i = 0; i < c->pages; i++) {
		if (i % PIPE_PAGES == 0 && pipe(fds))
			die("pipe");
		page_fill(page, p->seed, c, i);
		if (write(fds[1], page, PAGE) != PAGE)
			die("pipe");
		fprintf(p->out, "%s %u -\n", c->name, i);
	}
}

/* What waits in a socket lies in compound pages of the kernel. */
static void sockets_plant(const struct planter *p, const struct kind *c)
{
	static char text[SOCKET_PAGES * PAGE];
	int fds[2];

	for (unsigned int i = 0; i < c->pages; i++) {
		unsigned int at = i % SOCKET_PAGES;

		page_fill(text + (size_t)at * PAGE, p->seed, c, i);
		fprintf(p->out, "%s %u -\n", c->name, i);
		if (at + 1 < SOCKET_PAGES)
			continue;
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) ||
		    write(fds[1], text, sizeof(text)) != sizeof(text))
			die("a socket");
	}
}

/* Each file is a directory entry and an inode, both of a slab. */
static void slab_plant(const struct planter *p, const struct kind *c)
{
	char path[64];

	(void)p;
	(void)c;
	if (mkdir("/tmp/many", 0700))
		die("/tmp/many");
	for (unsigned int i = 0; i < MANY_FILES; i++) {
		snprintf(path, sizeof(path), "/tmp/many/%u", i);
		if (mknod(path, S_IFREG | 0600, 0))
			die(path);
	}
}

/* Reading maps the one zero page, through a page table for each 2 MiB. */
static void tables_plant(const struct planter *p, const struct kind *c)
{
	size_t len = (size_t)TABLES * HUGE_BYTES;
	char *at = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)p;
	if (at == MAP_FAILED)
		die("mmap for page tables");
	if (madvise(at, len, MADV_NOHUGEPAGE))
		absent(c, "madvise(MADV_NOHUGEPAGE)");
	for (size_t i = 0; i < TABLES; i++)
		(void)*(const volatile char *)(at + i * HUGE_BYTES);
}

static void ksm_run(const char *value)
{
	int fd = open("/sys/kernel/mm/ksm/run", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, 1) != 1)
		die("/sys/kernel/mm/ksm/run");
	close(fd);
}

/* Pages of equal bytes become one, up to 256 times; then nothing moves any more. */
static void ksm_plant(const struct planter *p, const struct kind *c)
{
	char *at = region_map(c, MADV_NOHUGEPAGE);
	unsigned int tries = 0;

	for (unsigned int i = 0; i < c->pages; i++)
		page_fill(at + (size_t)i * PAGE, p->seed, c, i % (c->pages / 2));
	if (madvise(at, (size_t)c->pages * PAGE, MADV_MERGEABLE))
		return absent(c, "madvise(MADV_MERGEABLE)");
	ksm_run("1");
	while (page_frame(p->pagemap, at + (size_t)(c->pages - 1) * PAGE) !=
	       page_frame(p->pagemap, at + (size_t)(c->pages / 2 - 1) * PAGE)) {
		if (++tries > 200) {
			printf("%s: nothing is merged after 20 s\n", c->name);
			break;
		}
		usleep(100000);
	}
	ksm_run("0");
	for (unsigned int i = 0; i < c->pages / 2; i++)
		fprintf(p->out, "%s %u %#" PRIx64 "\n", c->name, i,
			page_address(p->pagemap, at + (size_t)i * PAGE));
}

static int frame_compare(const void *a, const void *b)
{
	const struct frame *one = a, *other = b;

	return one->pfn < other->pfn ? -1 : one->pfn > other->pfn;
}

/* Give back the first half of an aligned run of frames: a free block of that order, whose other
 * half is in use and keeps it from growing. Frames given are marked by a frame number of 0. */
static int block_free(struct frame *run, size_t left, unsigned int order)
{
	size_t half = (size_t)1 << order;

	if (left < 2 * half || run[0].pfn == 0 || run[0].pfn % (2 * half) != 0)
		return 0;
	for (size_t i = 0; i < 2 * half; i++)
		if (run[i].pfn != run[0].pfn + i)
			return 0;
	for (size_t i = 0; i < 2 * half; i++) {
		if (i < half && madvise(run[i].page, PAGE, MADV_DONTNEED))
			die("madvise(MADV_DONTNEED)");
		run[i].pfn = 0;
	}
	return 1;
}

/* Free blocks of every order but the largest. What is freed waits in lists of a CPU, first come
 * first served, until the filler follows it. */
static void fragments_plant(const struct planter *p, const struct kind *c)
{
	static struct frame frames[FRAGMENTS];
	char *at = region_map(c, MADV_NOHUGEPAGE), *filler = region_map(c, MADV_NOHUGEPAGE);

	for (unsigned int i = 0; i < c->pages; i++) {
		frames[i].page = at + (size_t)i * PAGE;
		memset(frames[i].page, 1, PAGE);
		frames[i].pfn = page_address(p->pagemap, frames[i].page) / PAGE;
	}
	for (unsigned int i = 0; i < c->pages; i++)
		memset(filler + (size_t)i * PAGE, 1, PAGE);
	qsort(frames, c->pages, sizeof(frames[0]), frame_compare);
	for (int order = 9; order >= 0; order--) {
		int wanted = order > 6 ? 1 : 512 >> order;

		for (size_t i = 0; i < c->pages && wanted; i++)
			wanted -= block_free(&frames[i], c->pages - i, (unsigned int)order);
		if (wanted)
			printf("%s: %d too few of order %d\n", c->name, wanted, order);
	}
	if (madvise(filler, (size_t)c->pages * PAGE, MADV_DONTNEED))
		die("madvise(MADV_DONTNEED)");
}

static const struct class classes[] = {
	{ { "zero", 2, 4096 }, constant_plant },
	{ { "same", 3, 4096 }, constant_plant },
	{ { "thp", 4, 8 * HUGE_BYTES / PAGE }, thp_plant },
	{ { "mlocked", 16, 1024 }, mlocked_plant },
	{ { "swapped", 17, 2048 }, swapped_plant },
	{ { "shmswap", 18, 2048 }, shmswap_plant },
	{ { "huge", 19, 8 * HUGE_BYTES / PAGE }, huge_plant },
	{ { "gigantic", 20, GIB / PAGE / GIB_STRIDE }, gigantic_plant },
	{ { "readin", 21, 2048 }, readin_plant },
	{ { "dirty", 22, 2048 }, dirty_plant },
	{ { "pipes", 23, PIPES *PIPE_PAGES }, pipes_plant },
	{ { "ksm", 24, 1024 }, ksm_plant },
	{ { "sockets", 25, 512 }, sockets_plant },
	{ { "fragments", 0, FRAGMENTS }, fragments_plant },
	{ { "slab", 0, 0 }, slab_plant },
	{ { "tables", 0, 0 }, tables_plant },
};

int main(int argc, char **argv)
{
	return classes_hold(argc, argv, classes, sizeof(classes) / sizeof(classes[0]));
}
