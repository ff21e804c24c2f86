/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "seen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "put.h"
#include "tree.h"
#include "utc.h"

void seen_read(struct seen *s, const char *root)
{
	if (tree_text(root, SEEN_FILE, &s->text))
		s->text = NULL;
}

void seen_free(struct seen *s)
{
	free(s->text);
	s->text = NULL;
}

bool seen_has(const struct seen *s, const struct dump_entry *entry)
{
	size_t len = strlen(entry->dir);

	for (const char *p = s->text; p && *p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, entry->dir, len) == 0 && (p[len] == '\n' || !p[len]))
			return true;
	}
	return false;
}

int seen_write(const char *root, const struct dumps *d, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len = 0;
	FILE *out;
	int rc = tree_path(path, root, "%s", SEEN_FILE);

	if (rc)
		return err_sys(e, rc, "%s", SEEN_FILE);
	out = open_memstream(&text, &len);
	if (!out)
		return err_sys(e, -ENOMEM, "%s", SEEN_FILE);
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].state != DUMPS_RAW)
			fprintf(out, "%s\n", d->v[i].dir);
	if (fclose(out))
		return err_sys(e, -ENOMEM, "%s", SEEN_FILE);
	return put_file(path, text, len, 0600, e);
}

static const char *what_is_there(const struct dump_entry *entry)
{
	switch (entry->state) {
	case DUMPS_COMPLETE:
		return "its dump is";
	case DUMPS_NONE:
		return "no dump could be saved, but its log:";
	default:
		return "its dump is not whole:";
	}
}

bool notice_line(char line[static NOTICE_MAX], const struct dumps *d, const struct seen *s)
{
	const struct dump_entry *first = NULL;
	char when[UTC_MAX], more[64] = "";
	unsigned others = 0;

	line[0] = '\0';
	for (size_t i = 0; i < d->n; i++) {
		const struct dump_entry *entry = &d->v[i];

		if (!entry->record || entry->foreign || entry->state == DUMPS_RAW ||
		    seen_has(s, entry))
			continue;
		others += first != NULL;
		if (!first)
			first = entry;
	}
	if (!first)
		return false;
	if (others)
		snprintf(more, sizeof(more), " (and %u more)", others);
	/* every user reads it: the cause of death is for those who may read the log */
	snprintf(
		line, NOTICE_MAX,
		"crashpod: this machine crashed on %s; %s %.600s%s. See `crashpod show`; `crashpod "
		"list --seen` ends this notice.",
		utc_text(when, first->when), what_is_there(first), first->dir, more);
	return true;
}

int notice_put(const char *root, const char *line, struct err *e)
{
	char path[PATH_MAX], text[NOTICE_MAX + 1];
	int rc = tree_path(path, root, "%s", NOTICE_FILE);

	if (rc)
		return err_sys(e, rc, "%s", NOTICE_FILE);
	if (!line[0])
		return put_remove(path, e);
	return put_file(path, text, (size_t)snprintf(text, sizeof(text), "%s\n", line), 0644, e);
}
