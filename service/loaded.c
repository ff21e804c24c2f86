/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loaded.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "put.h"
#include "tree.h"

static bool has_line_end(const struct loaded *l)
{
	if (strchr(l->kernel, '\n') || strchr(l->initrd, '\n') || strchr(l->release, '\n'))
		return true;
	for (unsigned i = 0; l->options[i]; i++)
		if (strchr(l->options[i], '\n'))
			return true;
	return false;
}

static int sum_file(char sum[static SHA256_TEXT], const char *root, const char *path)
{
	char full[PATH_MAX];
	int rc = tree_path(full, root, "%s", path);

	return rc ? rc : sha256_file(sum, full);
}

int loaded_write(struct loaded *l, const char *root, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len;
	FILE *f;
	int rc = tree_path(path, root, LOADED_FILE);

	if (!rc && has_line_end(l))
		rc = -EINVAL;
	if (!rc)
		rc = l->kernel_from ? sha256_file(l->kernel_sum, l->kernel_from)
				    : sum_file(l->kernel_sum, root, l->kernel);
	if (!rc)
		rc = l->initrd_from ? sha256_file(l->initrd_sum, l->initrd_from)
				    : sum_file(l->initrd_sum, root, l->initrd);
	if (rc)
		return err_sys(e, rc, LOADED_FILE);
	f = open_memstream(&text, &len);
	if (!f)
		return err_sys(e, -ENOMEM, LOADED_FILE);
	fprintf(f, "release %s\nkernel %s %s\ninitrd %s %s\ntime %lld\nbegan %llu\n", l->release,
		l->kernel_sum, l->kernel, l->initrd_sum, l->initrd, (long long)l->when,
		(unsigned long long)l->began);
	for (unsigned i = 0; l->options[i]; i++)
		fprintf(f, "option %s\n", l->options[i]);
	if (fclose(f))
		return err_sys(e, -ENOMEM, LOADED_FILE);
	return put_file(path, text, len, 0644, e);
}

/* "SUM PATH" */
static void file_read(const char *value, char sum[static SHA256_TEXT], char path[static PATH_MAX])
{
	size_t n = strcspn(value, " ");

	if (n != SHA256_TEXT - 1 || !value[n])
		return;
	snprintf(sum, SHA256_TEXT, "%.*s", (int)n, value);
	snprintf(path, PATH_MAX, "%s", value + n + 1);
}

static void line_read(struct loaded *l, char *line, unsigned *options)
{
	char *value = strchr(line, ' ');

	if (!value)
		return;
	*value++ = '\0';
	if (!strcmp(line, "release"))
		snprintf(l->release, sizeof(l->release), "%s", value);
	else if (!strcmp(line, "kernel"))
		file_read(value, l->kernel_sum, l->kernel);
	else if (!strcmp(line, "initrd"))
		file_read(value, l->initrd_sum, l->initrd);
	else if (!strcmp(line, "time"))
		l->when = (time_t)strtoll(value, NULL, 10);
	else if (!strcmp(line, "began"))
		l->began = strtoull(value, NULL, 10);
	else if (!strcmp(line, "option") && *options < LOADED_OPTIONS_MAX)
		l->options[(*options)++] = value;
}

int loaded_read(struct loaded *l, const char *root)
{
	unsigned options = 0;
	char *at, *line;
	int rc;

	memset(l, 0, sizeof(*l));
	rc = tree_text(root, LOADED_FILE, &l->text);
	if (rc) {
		l->text = NULL;
		return rc;
	}
	for (at = l->text; (line = strsep(&at, "\n"));)
		line_read(l, line, &options);
	if (l->kernel[0] && l->initrd[0])
		return 0;
	loaded_free(l);
	return -EINVAL;
}

int loaded_remove(const char *root, struct err *e)
{
	char path[PATH_MAX];
	int rc = tree_path(path, root, LOADED_FILE);

	return rc ? err_sys(e, rc, LOADED_FILE) : put_remove(path, e);
}

void loaded_free(struct loaded *l)
{
	free(l->text);
	memset(l, 0, sizeof(*l));
}

int loaded_changed(const char *root, const char *path, const char *sum)
{
	char now[SHA256_TEXT];
	int rc = sum_file(now, root, path);

	return rc ? rc : strcmp(now, sum) != 0;
}
