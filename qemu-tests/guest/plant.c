/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plant.c - put known bytes into the memory of a guest that is about to crash, and stay.
 *
 * Usage: plant SEED MANIFEST TMPFS_FILE DISK_FILE
 *        plant SEED MANIFEST        notes free pages; to be run as late as can be
 *
 * The bytes are pattern.h's. The manifest has a line "CLASS INDEX PHYSICAL_ADDRESS" for each page
 * whose frame /proc/self/pagemap tells, and "CLASS INDEX -" for the pages of a pipe, which only the
 * kernel maps; its last line is "end". Exits when all is planted; a child keeps the memory and
 * waits to be crashed.
 */
#include "pattern.h"

#define FREE_STRIDE 61 /* prime, so that frames of all alignments are met */
#define KPF_BUDDY (1ULL << 10)

static const struct kind user = { "user", 1, 512 };
static const struct kind zero = { "zero", 2, 64 };
static const struct kind same = { "same", 3, 64 };
static const struct kind thp = { "thp", 4, HUGE_BYTES / PAGE };
static const struct kind tmpfs = { "tmpfs", 5, 256 };
static const struct kind cache = { "cache", 6, 256 };
static const struct kind pipe_page = { "pipe", 7, 8 };
static const struct kind poison = { "poison", 8, 4 };

/* A file's pages, mapped so that they have entries in pagemap and stay in use. */
static const char *file_plant(const char *path, uint64_t seed, const struct kind *c)
{
	size_t len = (size_t)c->pages * PAGE;
	char page[PAGE];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	const volatile char *at;

	if (fd < 0)
		die(path);
	for (unsigned int i = 0; i < c->pages; i++) {
		page_fill(page, seed, c, i);
		if (write(fd, page, PAGE) != PAGE)
			die(path);
	}
	if (fsync(fd))
		die(path);
	at = mmap(NULL, len, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED)
		die(path);
	for (unsigned int i = 0; i < c->pages; i++)
		(void)at[(size_t)i * PAGE];
	return (const char *)at;
}

static void anon_plant(FILE *out, int pagemap, uint64_t seed, const struct kind *c, int advice)
{
	char *at = region_map(c, advice);

	for (unsigned int i = 0; i < c->pages; i++) {
		char *page = at + (size_t)i * PAGE;

		if (c == &zero)
			memset(page, 0, PAGE);
		else
			page_fill(page, seed, c, c == &same ? 0 : i);
	}
	region_record(out, pagemap, c, at);
}

/* A sample of the pages that the buddy allocator has free, whatever is in them. */
static void free_record(FILE *out)
{
	int kpageflags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	uint64_t flags;
	unsigned int found = 0;

	if (kpageflags < 0)
		die("/proc/kpageflags");
	for (off_t pfn = 0;
	     pread(kpageflags, &flags, sizeof(flags), pfn * (off_t)sizeof(flags)) == sizeof(flags);
	     pfn += FREE_STRIDE)
		if (flags & KPF_BUDDY)
			fprintf(out, "free %u %#" PRIx64 "\n", found++, (uint64_t)pfn * PAGE);
	close(kpageflags);
}

/* Frames that the kernel takes out of use as if they were failing: it moves their contents away.
 * Not every kernel is built to do that. */
static void poison_plant(FILE *out, int pagemap, uint64_t seed, const struct kind *c)
{
	char *at = region_map(c, MADV_NOHUGEPAGE);

	for (unsigned int i = 0; i < c->pages; i++) {
		char *page = at + (size_t)i * PAGE;
		uint64_t address;

		page_fill(page, seed, c, i);
		address = page_address(pagemap, page);
		if (madvise(page, PAGE, MADV_SOFT_OFFLINE)) {
			perror("madvise(MADV_SOFT_OFFLINE)");
			return;
		}
		if (page_address(pagemap, page) == address) {
			fprintf(stderr, "plant: a poisoned page has not moved\n");
			exit(1);
		}
		fprintf(out, "%s %u %#" PRIx64 "\n", c->name, i, address);
	}
}

/* What is written to a pipe lies in pages of the kernel, which no dump level leaves out. */
static void pipe_plant(FILE *out, uint64_t seed, const struct kind *c)
{
	char page[PAGE];
	int fds[2];

	if (pipe(fds))
		die("pipe");
	for (unsigned int i = 0; i < c->pages; i++) {
		page_fill(page, seed, c, i);
		if (write(fds[1], page, PAGE) != PAGE)
			die("pipe");
		fprintf(out, "%s %u -\n", c->name, i);
	}
}

static void used_plant(FILE *out, int pagemap, uint64_t seed, const char *shared, const char *disk)
{
	anon_plant(out, pagemap, seed, &user, MADV_NOHUGEPAGE);
	anon_plant(out, pagemap, seed, &zero, MADV_NOHUGEPAGE);
	anon_plant(out, pagemap, seed, &same, MADV_NOHUGEPAGE);
	anon_plant(out, pagemap, seed, &thp, MADV_HUGEPAGE);
	region_record(out, pagemap, &tmpfs, file_plant(shared, seed, &tmpfs));
	region_record(out, pagemap, &cache, file_plant(disk, seed, &cache));
	pipe_plant(out, seed, &pipe_page);
	poison_plant(out, pagemap, seed, &poison);
}

static void stay(void)
{
	switch (fork()) {
	case -1:
		die("fork");
		break;
	case 0:
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		for (;;)
			pause();
	}
}

int main(int argc, char **argv)
{
	uint64_t seed;
	FILE *out;
	int pagemap;

	if (argc != 3 && argc != 5) {
		fprintf(stderr, "usage: plant SEED MANIFEST [TMPFS_FILE DISK_FILE]\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0);
	out = fopen(argv[2], "w");
	if (!out)
		die(argv[2]);
	pagemap = pagemap_open();
	if (argc == 5)
		used_plant(out, pagemap, seed, argv[3], argv[4]);
	else
		free_record(out);
	fprintf(out, "end\n");
	if (fflush(out) || fsync(fileno(out)) || fclose(out))
		die(argv[2]);
	if (argc == 5)
		stay();
	return 0;
}
