/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/conf.h"
#include "base/guard.h"
#include "lines.h"
#include "prog.h"
#include "run.h"
#include "sha256.h"
#include "tree.h"

static int inputs_read(char **text, const char *root, const char *kver)
{
	char path[PATH_MAX];
	int rc = tree_path(path, "", INPUTS_FILE, kver);

	return rc ? rc : tree_text(root, path, text);
}

/* --- the call --- */

static void add(struct inputs_call *c, const char *word)
{
	if (c->n < INPUTS_ARGS)
		c->argv[c->n++] = word;
}

/* The options of the text, which stays where it is. */
static int add_options(struct inputs_call *c, struct err *e)
{
	char *at = c->record, *line;
	unsigned n = 0;

	while ((line = strsep(&at, "\n"))) {
		if (strncmp(line, "option ", 7))
			continue;
		if (n == INPUTS_OPTIONS_MAX)
			return err_set(e, -E2BIG, "too many options of mkinitrd are recorded");
		n++;
		add(c, line + 7);
	}
	return 0;
}

static int add_roots(struct inputs_call *c, const char *root, const char *kver)
{
	if (asprintf(&c->text[1], "%s%s", root, CONF_FILE) < 0 ||
	    asprintf(&c->text[2], "%s" TREE_INITRD, root, kver) < 0)
		return -ENOMEM;
	add(c, "-c");
	add(c, c->text[1]);
	add(c, "-o");
	add(c, c->text[2]);
	add(c, "--modules-root");
	add(c, root);
	return 0;
}

int inputs_call(struct inputs_call *c, const char *root, const char *kver, const char *mode,
		struct err *e)
{
	struct utsname u;
	int rc;

	memset(c, 0, sizeof(*c));
	c->text[0] = malloc(PATH_MAX);
	if (!c->text[0])
		return err_sys(e, -ENOMEM, "mkinitrd");
	rc = prog_mkinitrd(c->text[0], root);
	if (rc)
		return err_set(e, rc, "crashpod-mkinitrd is not installed");
	add(c, c->text[0]);
	add(c, "-k");
	add(c, kver);
	if (mode)
		add(c, mode);
	if (inputs_read(&c->record, root, kver) &&
	    (uname(&u) || inputs_read(&c->record, root, u.release)))
		c->record = NULL;
	rc = c->record ? add_options(c, e) : 0;
	if (!rc && root[0])
		rc = add_roots(c, root, kver);
	if (rc && !e->msg[0])
		err_sys(e, rc, "mkinitrd");
	return rc;
}

void inputs_call_free(struct inputs_call *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->text); i++)
		free(c->text[i]);
	free(c->record);
	memset(c, 0, sizeof(*c));
}

/* --- the comparison --- */

/* What a line of each kind is called; modules are called by their names. */
static const struct {
	const char *word, *shown;
} kinds[] = {
	{ "conf ", "the configuration" },
	{ "init ", "PID 1" },
	{ "module ", NULL },
	{ "layers ", "the layers below the target" },
	{ "kernel ", "the kernel" },
	{ "option ", "the options" },
	{ "compression ", "the compression" },
	{ "builder ", "mkinitrd" },
};

static void name_add(char *how, size_t cap, const char *name)
{
	size_t n = strlen(how);

	/* a list that is too long is cut between names */
	if (!strstr(how, name) && n + strlen(name) + 3 < cap)
		snprintf(how + n, cap - n, "%s%s", n ? ", " : "", name);
}

static void line_name(char *how, size_t cap, const char *line, size_t len)
{
	char name[96];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].word);

		if (len < n || strncmp(line, kinds[i].word, n))
			continue;
		if (kinds[i].shown)
			snprintf(name, sizeof(name), "%s", kinds[i].shown);
		else
			snprintf(name, sizeof(name), "module %.*s",
				 (int)MIN(strcspn(line + n, " \n"), (size_t)64), line + n);
		name_add(how, cap, name);
		return;
	}
}

void inputs_differ(char *how, size_t cap, const char *before, const char *now)
{
	const char *const texts[] = { before, now, before };

	how[0] = '\0';
	for (unsigned i = 0; i < 2; i++) {
		for (const char *p = texts[i]; *p;) {
			size_t n = strcspn(p, "\n");

			if (strncmp(p, "image ", 6) && !lines_have(texts[i + 1], p, n))
				line_name(how, cap, p, n);
			p += n + (p[n] == '\n');
		}
	}
}

/* Whether the text's last line is of the image that lies there. */
static bool is_of_image(const char *text, const char *root, const char *kver)
{
	char path[PATH_MAX], sum[SHA256_TEXT], line[SHA256_TEXT + 8];

	if (tree_path(path, root, TREE_INITRD, kver) || sha256_file(sum, path))
		return false;
	snprintf(line, sizeof(line), "image %s", sum);
	return lines_have(text, line, strlen(line));
}

int inputs_compare(char *how, size_t cap, const char *root, const char *kver, struct err *e)
{
	_cleanup_free_ char *before = NULL;
	_cleanup_free_ char *now = NULL;
	struct inputs_call c;
	int rc = inputs_call(&c, root, kver, "--inputs", e);

	how[0] = '\0';
	if (!rc)
		rc = run_read(c.argv, &now, e);
	inputs_call_free(&c);
	if (rc == -ENOENT || rc == -ENODATA)
		rc = err_set(e, -ENOENT, "crashpod-mkinitrd is not installed");
	if (rc)
		return rc;
	if (inputs_read(&before, root, kver) || !is_of_image(before, root, kver))
		return err_set(e, -ENODATA, "what it was made from is not recorded");
	inputs_differ(how, cap, before, now);
	return 0;
}

bool inputs_has_module(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = text; p && *p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (!strncmp(p, "module ", 7) && !strncmp(p + 7, name, len) && p[7 + len] == ' ')
			return true;
	}
	return false;
}
