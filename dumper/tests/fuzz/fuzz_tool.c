/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_tool - what goes into a fuzzer, and what came out.
 * usage: fuzz_tool seeds TARGET DIR   write the target's seeds and kept inputs into DIR
 *        fuzz_tool text TARGET FILE   print an input as the text that is kept of it */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/io.h"
#include "../lib_scratch.h"
#include "fuzz.h"

#define TOOL_INPUT_MAX ((size_t)4 << 20)

static void write_input(const char *dir, const char *name, const u8 *data, size_t size)
{
	char path[1024];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || io_write_all(fd, data, size) || close(fd)) {
		perror(path);
		exit(1);
	}
}

static void write_seed(void *arg, const char *name, const u8 *data, size_t size)
{
	char file[128];

	snprintf(file, sizeof(file), "seed-%s", name);
	write_input(arg, file, data, size);
}

static void write_kept(const char *target, const char *to)
{
	char dir[512], path[1024];
	struct dirent *d;
	DIR *in;

	snprintf(path, sizeof(path), "inputs/%s", target);
	scratch_beside(__FILE__, path, dir, sizeof(dir));
	in = opendir(dir);
	while (in && (d = readdir(in))) {
		size_t size;
		u8 *data;

		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
		data = fuzz_text_read(target, path, &size);
		if (data)
			write_input(to, d->d_name, data, size);
		free(data);
	}
	if (in)
		closedir(in);
}

int main(int argc, char **argv)
{
	const struct fuzz_seeds *s = argc == 4 ? fuzz_seeds_find(argv[2]) : NULL;
	struct err e = { 0 };
	size_t size;
	char *data;

	if (!s || (strcmp(argv[1], "seeds") != 0 && strcmp(argv[1], "text") != 0)) {
		fprintf(stderr, "usage: fuzz_tool seeds TARGET DIR | text TARGET FILE\n");
		return 2;
	}
	if (strcmp(argv[1], "seeds") == 0) {
		s->make(write_seed, argv[3]);
		write_kept(argv[2], argv[3]);
		return 0;
	}
	if (io_read_file(argv[3], TOOL_INPUT_MAX, &data, &size, &e)) {
		fprintf(stderr, "fuzz_tool: %s\n", e.msg);
		return 1;
	}
	fuzz_text_print(argv[2], (u8 *)data, size);
	free(data);
	return 0;
}
