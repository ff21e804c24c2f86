/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hold.h - the frame of a guest program that plants classes of pages and holds them.
 *
 * Usage: PROGRAM SEED MANIFEST CLASS...
 *
 * The bytes are pattern.h's; the manifest has plant.c's lines. What a kernel cannot have is said
 * on standard output ("CLASS: why") and has no lines; whether it may be so is for
 * oracle/census.py to say. A child holds everything (locks and pins are a process's own, so it is
 * the child that plants) and the parent exits when all is planted: 0, or 1 after a message. */
#ifndef HOLD_H
#define HOLD_H

#include "pattern.h"

#include <errno.h>
#include <sys/wait.h>

struct planter {
	FILE *out; /* the manifest */
	int pagemap;
	uint64_t seed;
};

struct class
{
	struct kind kind;
	void (*plant)(const struct planter *, const struct kind *);
};

static inline void absent(const struct kind *c, const char *call)
{
	printf("%s: %s: %s\n", c->name, call, strerror(errno));
}

static inline void fill_all(const struct planter *p, const struct kind *c, char *at)
{
	for (unsigned int i = 0; i < c->pages; i++)
		page_fill(at + (size_t)i * PAGE, p->seed, c, i);
}

static inline void class_plant(const struct planter *p, const struct class *table, size_t n,
			       const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].kind.name, name) == 0)
			return table[i].plant(p, &table[i].kind);
	fprintf(stderr, "unknown class %s\n", name);
	exit(2);
}

static inline void classes_plant(char **argv, const struct class *table, size_t n, int done)
{
	struct planter p = { .seed = strtoull(argv[1], NULL, 0) };

	p.out = fopen(argv[2], "w");
	if (!p.out)
		die(argv[2]);
	p.pagemap = pagemap_open();
	/* A child that the kernel kills has said how far it came. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (char **name = argv + 3; *name; name++)
		class_plant(&p, table, n, *name);
	fprintf(p.out, "end\n");
	if (fflush(stdout) || fflush(p.out) || fsync(fileno(p.out)) || fclose(p.out))
		die(argv[2]);
	if (write(done, "", 1) != 1)
		die("done");
	for (;;)
		pause();
}

static inline int classes_hold(int argc, char **argv, const struct class *table, size_t n)
{
	int fds[2], status;
	char byte;

	if (argc < 4) {
		fprintf(stderr, "usage: %s SEED MANIFEST CLASS...\n", argv[0]);
		return 2;
	}
	if (pipe2(fds, O_CLOEXEC))
		die("pipe");
	switch (fork()) {
	case -1:
		die("fork");
		break;
	case 0:
		close(fds[0]);
		classes_plant(argv, table, n, fds[1]);
	}
	close(fds[1]);
	if (read(fds[0], &byte, 1) == 1)
		return 0;
	/* The child has said why, or was killed. */
	return wait(&status) > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

#endif
