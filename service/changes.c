/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "changes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "made.h"
#include "prog.h"
#include "put.h"
#include "tree.h"

static void act_deinit(struct change *a)
{
	free(a->old);
	free(a->text);
	for (unsigned i = 0; a->argv[i]; i++)
		free(a->argv[i]);
}

void changes_deinit(struct changes *p)
{
	for (size_t i = 0; i < p->n; i++) {
		for (size_t k = 0; k < p->steps[i].n; k++)
			act_deinit(&p->steps[i].acts[k]);
		free(p->steps[i].acts);
	}
	p->n = 0;
}

void changes_step(struct changes *p, const char *name)
{
	if (p->n == CHANGES_STEPS_MAX) {
		p->failed = true;
		return;
	}
	p->steps[p->n++] = (struct change_step){ .name = name };
}

/* NULL only after p->failed is set. */
static struct change *act_new(struct changes *p)
{
	struct change_step *s = &p->steps[p->n - 1];
	struct change *more = realloc(s->acts, (s->n + 1) * sizeof(*more));

	if (!more) {
		p->failed = true;
		return NULL;
	}
	s->acts = more;
	memset(&more[s->n], 0, sizeof(*more));
	return &more[s->n++];
}

struct change *changes_file(struct changes *p, const char *path, const char *text, mode_t mode,
			    enum made_kind made)
{
	char *old = NULL;
	struct change *a;

	if (tree_text(p->root, path, &old))
		old = NULL;
	if (old ? text && !strcmp(old, text) : !text) {
		free(old);
		return NULL;
	}
	a = act_new(p);
	if (!a) {
		free(old);
		return NULL;
	}
	snprintf(a->path, sizeof(a->path), "%s", path);
	a->old = old;
	a->text = text ? strdup(text) : NULL;
	p->failed |= text && !a->text;
	a->mode = mode;
	a->made = made;
	return a;
}

void changes_remove(struct changes *p, const char *dir, const char *name)
{
	struct change *a = act_new(p);

	if (a)
		snprintf(a->path, sizeof(a->path), "%s/%s", dir, name);
}

struct change *changes_run(struct changes *p, ...)
{
	struct change *a = act_new(p);
	unsigned n = 0;
	const char *arg;
	va_list ap;

	if (!a)
		return NULL;
	va_start(ap, p);
	while (n < CHANGES_ARGS_MAX && (arg = va_arg(ap, const char *))) {
		a->argv[n] = strdup(arg);
		p->failed |= !a->argv[n];
		if (!a->argv[n++])
			break;
	}
	va_end(ap);
	return a;
}

bool changes_empty(const struct changes *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->steps[i].n)
			return false;
	return true;
}

/* --- shown --- */

static void show_line(FILE *to, char sign, const char *line, size_t len)
{
	fprintf(to, "      %c ", sign);
	for (size_t i = 0; i < len; i++)
		fputc((unsigned char)line[i] < ' ' || line[i] == 0x7f ? ' ' : line[i], to);
	fputc('\n', to);
}

/* The lines of text that other has not. */
static void show_lines(FILE *to, char sign, const char *text, const char *other)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");

		if (!lines_have(other, text, n))
			show_line(to, sign, text, n);
		text += n + (text[n] == '\n');
	}
}

static void show_act(const struct change *a, FILE *to)
{
	if (!a->path[0]) {
		fprintf(to, "  run");
		for (unsigned i = 0; a->argv[i]; i++)
			fprintf(to, " %s", a->argv[i]);
		fputc('\n', to);
		return;
	}
	fprintf(to, "  %s %s\n", !a->text ? "remove" : a->old ? "change" : "new", a->path);
	show_lines(to, '-', a->old, a->text);
	show_lines(to, '+', a->text, a->old);
}

void changes_show(const struct changes *p, FILE *to)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!p->steps[i].n)
			continue;
		fprintf(to, "%s:\n", p->steps[i].name);
		for (size_t k = 0; k < p->steps[i].n; k++)
			show_act(&p->steps[i].acts[k], to);
	}
}

/* --- carried out --- */

static int file_set(const struct changes *p, const struct change *a, const char *text,
		    struct err *e)
{
	char path[PATH_MAX];
	int rc = tree_path(path, p->root, "%s", a->path);

	if (rc)
		return err_sys(e, rc, "%s", a->path);
	return text ? put_file(path, text, strlen(text), a->mode, e) : put_remove(path, e);
}

static int act_do(const struct changes *p, const struct change *a, struct err *e)
{
	if (a->path[0])
		return file_set(p, a, a->text, e);
	return prog_run(p->root, (const char *const *)a->argv, e);
}

/* Files back as they were, the last one first. That this fails as well is told, too. */
static int step_back(const struct changes *p, const struct change_step *s, size_t done,
		     struct err *e)
{
	while (done--) {
		struct err back = { 0 };
		char before[ERR_MSG_MAX];

		if (!s->acts[done].path[0] ||
		    !file_set(p, &s->acts[done], s->acts[done].old, &back))
			continue;
		snprintf(before, sizeof(before), "%s", e->msg);
		err_set(e, e->code, "%s; and it could not be put back: %s", before, back.msg);
	}
	return err_ctx(e, "%s", s->name);
}

static void act_say(const struct change *a, bool failed, void (*said)(void *arg, const char *line),
		    void *arg)
{
	char line[PATH_MAX + 64];
	size_t n;

	if (a->path[0]) {
		snprintf(line, sizeof(line), "%s %s", a->text ? "wrote" : "removed", a->path);
	} else {
		n = (size_t)snprintf(line, sizeof(line), "ran");
		for (unsigned i = 0; a->argv[i] && n < sizeof(line); i++)
			n += (size_t)snprintf(line + n, sizeof(line) - n, " %s", a->argv[i]);
		if (failed && n < sizeof(line))
			snprintf(line + n, sizeof(line) - n, ", which failed");
	}
	said(arg, line);
}

static int step_apply(const struct changes *p, const struct change_step *s, struct made *made,
		      void (*said)(void *arg, const char *line), void *arg, struct err *e)
{
	struct err failed = { 0 };

	for (size_t k = 0; k < s->n; k++)
		if (act_do(p, &s->acts[k], s->acts[k].may_fail ? &failed : e) &&
		    !s->acts[k].may_fail)
			return step_back(p, s, k, e);
	for (size_t k = 0; k < s->n; k++) {
		act_say(&s->acts[k], s->acts[k].may_fail && failed.code, said, arg);
		made_add(made, &s->acts[k]);
	}
	/* after each step: what is on the disk can be undone wherever this ends */
	if (s->n && !p->undo && made_write(made, p->root, e))
		return err_ctx(e, "%s: done, but not recorded", s->name);
	return 0;
}

int changes_apply(const struct changes *p, void (*said)(void *arg, const char *line), void *arg,
		  struct err *e)
{
	struct made made = { 0 };
	int rc = made_read(&made, p->root, e);

	if (!rc && p->failed)
		rc = err_sys(e, -ENOMEM, "plan");
	for (size_t i = 0; !rc && i < p->n; i++)
		rc = step_apply(p, &p->steps[i], &made, said, arg, e);
	made_free(&made);
	return rc;
}
