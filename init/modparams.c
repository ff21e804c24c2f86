/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "modparams.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The end of the word that begins at p. */
static const char *word_end(const char *p)
{
	bool quoted = false;

	for (; *p && (quoted || !is_blank(*p)); p++)
		if (*p == '"')
			quoted = !quoted;
	return p;
}

static char same(char c)
{
	return c == '-' ? '_' : c;
}

/* The length of the module's name in its file's path: up to the first '.'. */
static size_t name_of(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');

	*name = slash ? slash + 1 : path;
	return strcspn(*name, ".");
}

/* Where the parameter begins in a word MODULE.PARAM..., or NULL. */
static const char *param_of(const char *word, const char *end, const char *name, size_t len)
{
	if (!len || (size_t)(end - word) < len + 2 || word[len] != '.')
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (same(word[i]) != same(name[i]))
			return NULL;
	return word + len + 1;
}

static bool has_word(const char *params, const char *word, size_t len)
{
	for (const char *p = params; *p;) {
		const char *end = word_end(p);

		if ((size_t)(end - p) == len && memcmp(p, word, len) == 0)
			return true;
		p = end + (*end != '\0');
	}
	return false;
}

static int append(char *params, size_t cap, const char *word, size_t len)
{
	size_t used = strlen(params), gap = used ? 1 : 0;

	if (len >= cap || used + gap >= cap - len)
		return -ENAMETOOLONG;
	if (gap)
		params[used] = ' ';
	memcpy(params + used + gap, word, len);
	params[used + gap + len] = '\0';
	return 0;
}

int modparams_add(char *params, size_t cap, const char *path, const char *cmdline)
{
	const char *name;
	size_t len = name_of(path, &name);
	int rc = 0;

	for (const char *p = cmdline; *p;) {
		const char *end = word_end(p), *param = param_of(p, end, name, len);

		if (end - p == 2 && memcmp(p, "--", 2) == 0)
			break;
		if (param && !has_word(params, param, (size_t)(end - param)) &&
		    append(params, cap, param, (size_t)(end - param)))
			rc = -ENAMETOOLONG;
		p = end + (*end != '\0');
	}
	return rc;
}
