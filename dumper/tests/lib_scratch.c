/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib_scratch.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void scratch_make(struct scratch *s)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(s->dir, sizeof(s->dir), "%s/crashpod-test-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(s->dir)) {
		perror(s->dir);
		abort();
	}
}

const char *scratch_path(const struct scratch *s, char *buf, size_t cap, const char *name)
{
	snprintf(buf, cap, "%s/%s", s->dir, name);
	return buf;
}

void scratch_unlink(const struct scratch *s, const char *name)
{
	char path[512];

	unlink(scratch_path(s, path, sizeof(path), name));
}

static int is_visible(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

unsigned scratch_list(const struct scratch *s, char *names, size_t cap)
{
	struct dirent **list;
	int n = scandir(s->dir, &list, is_visible, alphasort);
	size_t len = 0;

	assert(n >= 0 && cap);
	names[0] = '\0';
	for (int i = 0; i < n; i++) {
		if (len < cap)
			len += (size_t)snprintf(names + len, cap - len, "%s%s", i ? " " : "",
						list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return (unsigned)n;
}

void scratch_rm(struct scratch *s)
{
	struct dirent **list;
	int n = scandir(s->dir, &list, is_visible, alphasort);

	for (int i = 0; i < n; i++) {
		scratch_unlink(s, list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	rmdir(s->dir);
}

void scratch_beside(const char *file, const char *name, char *buf, size_t cap)
{
	const char *slash = strrchr(file, '/');

	snprintf(buf, cap, "%.*s/%s", slash ? (int)(slash - file) : 1, slash ? file : ".", name);
}
