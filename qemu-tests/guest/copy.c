/* SPDX-License-Identifier: GPL-2.0-or-later */
/* copy.c - /proc/vmcore whole onto a blank disk, zero pages left as they are there.
 *
 * Usage: copy VMCORE DISK        prints the vmcore's length in bytes
 *
 * The vmcore is mapped in windows, as reading it page by page is many times slower; where it
 * cannot be mapped it is read. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WINDOW (4u << 20)
#define PAGE 4096u

static char buffer[WINDOW] __attribute__((aligned(PAGE)));

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Most of a guest's memory is zero, and the C library's memcmp goes byte by byte. */
static int is_zero(const char *page)
{
	const uint64_t *word = (const uint64_t *)(const void *)page;

	for (size_t i = 0; i < PAGE / sizeof(*word); i += 4)
		if (word[i] | word[i + 1] | word[i + 2] | word[i + 3])
			return 0;
	return 1;
}

static void window_fill(int in, off_t at, size_t len)
{
	char *map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, in, at);

	if (map != MAP_FAILED) {
		memcpy(buffer, map, len);
		munmap(map, len);
	} else {
		for (size_t have = 0; have < len;) {
			ssize_t n = pread(in, buffer + have, len - have, at + (off_t)have);

			if (n <= 0)
				die("read of the vmcore");
			have += (size_t)n;
		}
	}
	memset(buffer + len, 0, sizeof(buffer) - len);
}

/* Runs of pages with something in them. */
static void window_put(int out, off_t at)
{
	for (size_t from = 0; from < WINDOW;) {
		size_t to = from;

		while (to < WINDOW && !is_zero(buffer + to))
			to += PAGE;
		if (to == from) {
			from += PAGE;
			continue;
		}
		if (pwrite(out, buffer + from, to - from, at + (off_t)from) != (ssize_t)(to - from))
			die("write");
		from = to;
	}
}

int main(int argc, char **argv)
{
	off_t len;
	int in, out;

	if (argc != 3) {
		fprintf(stderr, "usage: copy VMCORE DISK\n");
		return 2;
	}
	in = open(argv[1], O_RDONLY | O_CLOEXEC);
	out = open(argv[2], O_WRONLY | O_DIRECT | O_CLOEXEC);
	if (in < 0 || out < 0)
		die(in < 0 ? argv[1] : argv[2]);
	len = lseek(in, 0, SEEK_END);
	if (len <= 0)
		die("length of the vmcore");
	for (off_t at = 0; at < len; at += WINDOW) {
		size_t left = (size_t)(len - at);

		window_fill(in, at, left < WINDOW ? left : WINDOW);
		window_put(out, at);
	}
	if (fsync(out))
		die(argv[2]);
	printf("%jd\n", (intmax_t)len);
	return 0;
}
