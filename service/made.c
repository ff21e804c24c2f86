/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "made.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "put.h"
#include "sha256.h"
#include "tree.h"

static const char *const kind_names[] = {
	[MADE_NONE] = "",	 [MADE_FILE] = "file",	       [MADE_WORD] = "word",
	[MADE_UNIT] = "enabled", [MADE_DISABLED] = "disabled", [MADE_GRUBBY] = "grubby",
	[MADE_RC] = "rc",	 [MADE_RC_OFF] = "rc-off",
};

void made_free(struct made *m)
{
	free(m->lines);
	*m = (struct made){ 0 };
}

static struct made_line *line_new(struct made *m)
{
	struct made_line *more = realloc(m->lines, (m->n + 1) * sizeof(*more));

	if (!more) {
		m->failed = true;
		return NULL;
	}
	m->lines = more;
	memset(&more[m->n], 0, sizeof(*more));
	return &more[m->n++];
}

/* Copies a field; false: it does not fit. */
static bool field_take(char **line, char *out, size_t cap)
{
	char *field = strsep(line, "\t");
	int n = snprintf(out, cap, "%s", field ? field : "");

	return n >= 0 && (size_t)n < cap;
}

static int line_read(struct made *m, char *line, struct err *e)
{
	char kind[16];
	struct made_line *l;
	size_t k = 1;

	if (!*line || *line == '#')
		return 0;
	l = line_new(m);
	if (!l)
		return err_sys(e, -ENOMEM, CHANGES_MADE);
	if (!field_take(&line, kind, sizeof(kind)))
		return err_set(e, -EINVAL, CHANGES_MADE ": a line that is not understood");
	while (k < ARRAY_SIZE(kind_names) && strcmp(kind, kind_names[k]))
		k++;
	if (k == ARRAY_SIZE(kind_names) || !field_take(&line, l->path, sizeof(l->path)) ||
	    !field_take(&line, l->what, sizeof(l->what)) ||
	    !field_take(&line, l->before, sizeof(l->before)))
		return err_set(e, -EINVAL, CHANGES_MADE ": a line that is not understood: %s",
			       kind);
	l->kind = (enum made_kind)k;
	return 0;
}

int made_read(struct made *m, const char *root, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	char *at, *line;
	int rc = tree_text(root, CHANGES_MADE, &text);

	*m = (struct made){ 0 };
	if (rc)
		return rc == -ENOENT ? 0 : err_sys(e, rc, CHANGES_MADE);
	for (at = text; !rc && (line = strsep(&at, "\n"));)
		rc = line_read(m, line, e);
	if (rc)
		made_free(m);
	return rc;
}

int made_write(const struct made *m, const char *root, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len;
	FILE *f;
	int rc = tree_path(path, root, CHANGES_MADE);

	if (rc || m->failed)
		return err_sys(e, rc ? rc : -ENOMEM, CHANGES_MADE);
	if (!m->n)
		return put_remove(path, e);
	f = open_memstream(&text, &len);
	if (!f)
		return err_sys(e, -ENOMEM, CHANGES_MADE);
	fprintf(f, "# what crashpod setup has made; crashpod setup --remove undoes it\n");
	for (size_t i = 0; i < m->n; i++)
		fprintf(f, "%s\t%s\t%s\t%s\n", kind_names[m->lines[i].kind], m->lines[i].path,
			m->lines[i].what, m->lines[i].before);
	if (fclose(f))
		return err_sys(e, -ENOMEM, CHANGES_MADE);
	return put_file(path, text, len, 0600, e);
}

static struct made_line *line_find(struct made *m, const struct change *a)
{
	for (size_t i = 0; i < m->n; i++) {
		struct made_line *l = &m->lines[i];

		if (l->kind == a->made && !strcmp(l->path, a->path) &&
		    (a->path[0] || a->made == MADE_GRUBBY || !strcmp(l->what, a->what)))
			return l;
	}
	return NULL;
}

void made_add(struct made *m, const struct change *a)
{
	struct made_line *l;

	if (a->made == MADE_NONE)
		return;
	l = line_find(m, a);
	if (!l) {
		l = line_new(m);
		if (!l)
			return;
		l->kind = a->made;
		snprintf(l->path, sizeof(l->path), "%s", a->path);
		snprintf(l->before, sizeof(l->before), "%s", a->before);
	}
	if (a->made == MADE_FILE)
		sha256_text(l->what, a->text, strlen(a->text));
	else
		snprintf(l->what, sizeof(l->what), "%s", a->what);
}

bool made_has_file(const struct made *m, const char *root, const char *path)
{
	char full[PATH_MAX], sum[SHA256_TEXT];

	for (size_t i = 0; i < m->n; i++)
		if (m->lines[i].kind == MADE_FILE && !strcmp(m->lines[i].path, path))
			return !tree_path(full, root, "%s", path) && !sha256_file(sum, full) &&
			       !strcmp(sum, m->lines[i].what);
	return false;
}
