/* SPDX-License-Identifier: GPL-2.0-or-later */
/* census.c - what every page frame is, as the last thing before a crash.
 *
 * Usage: census DIRECTORY
 *
 * DIRECTORY/census is /proc/kpageflags: one u64, little endian, for each frame from 0; written
 * past the page cache, so that the census changes little of what it counts. Beside it copies of
 * the files in `facts`; one that this kernel has not is left out. All is on the disk at the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (1u << 20)
#define PAGE 4096u

static const char *const facts[] = {
	"/proc/buddyinfo",
	"/proc/meminfo",
	"/proc/vmstat",
	"/proc/iomem",
	"/proc/zoneinfo",
	"/proc/pagetypeinfo",
	"/proc/cmdline",
	"/proc/swaps",
	"/proc/cpuinfo",
	"/proc/slabinfo",
	"/proc/modules",
	"/sys/kernel/mm/ksm/pages_shared",
	"/proc/sys/vm/hugetlb_optimize_vmemmap",
};

static char buffer[CHUNK] __attribute__((aligned(PAGE)));

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Bytes read until the buffer is full or the file ends. */
static size_t read_full(int fd, const char *name)
{
	size_t have = 0;

	while (have < sizeof(buffer)) {
		ssize_t n = read(fd, buffer + have, sizeof(buffer) - have);

		if (n < 0)
			die(name);
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return have;
}

/* direct: whole pages are written without the page cache; the file is then cut to its length. */
static void copy(const char *from, const char *to, int direct)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out;
	off_t len = 0;
	size_t n;

	if (in < 0 && errno == ENOENT)
		return;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | direct, 0600);
	if (in < 0 || out < 0)
		die(in < 0 ? from : to);
	while ((n = read_full(in, from))) {
		size_t put = direct ? (n + PAGE - 1) / PAGE * PAGE : n;

		memset(buffer + n, 0, put - n);
		if (write(out, buffer, put) != (ssize_t)put)
			die(to);
		len += (off_t)n;
	}
	if (ftruncate(out, len) || fsync(out))
		die(to);
	close(in);
	close(out);
}

int main(int argc, char **argv)
{
	char to[256];

	if (argc != 2) {
		fprintf(stderr, "usage: census DIRECTORY\n");
		return 2;
	}
	snprintf(to, sizeof(to), "%s/census", argv[1]);
	copy("/proc/kpageflags", to, O_DIRECT);
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		snprintf(to, sizeof(to), "%s/%s", argv[1], strrchr(facts[i], '/') + 1);
		copy(facts[i], to, 0);
	}
	return 0;
}
