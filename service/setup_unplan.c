/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup_unplan.c - the way back: what CHANGES_MADE says, undone by a plan of its own. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "made.h"
#include "setup.h"
#include "tree.h"

#define IMAGES_DIR "/var/lib/crashpod"

static void undo_units(struct setup *s, const struct made *m)
{
	changes_step(&s->changes, "services");
	for (size_t i = 0; i < m->n; i++) {
		const struct made_line *l = &m->lines[i];

		if (l->kind == MADE_UNIT && setup_is_enabled(s->root, l->what)) {
			changes_run(&s->changes, "systemctl", "disable", l->what, NULL);
			changes_run(&s->changes, "systemctl", "stop", l->what, NULL);
		}
		if (l->kind == MADE_RC || l->kind == MADE_RC_OFF)
			setup_rc_undo(s, l->kind, l->what, !strcmp(l->before, SETUP_RC_UNKNOWN));
		if (l->kind != MADE_DISABLED || setup_is_enabled(s->root, l->what))
			continue;
		if (setup_has_unit(s->root, l->what))
			changes_run(&s->changes, "systemctl", "enable", l->what, NULL);
		else
			setup_line(&s->notes, "%s is not there any more: it stays as it is",
				   l->what);
	}
}

/* The line's word as it was before; NULL: it is not there any more, or no memory. */
static char *word_back(const char *text, const struct made_line *l)
{
	size_t len = strlen(l->what), n;
	const char *at = text;
	char *out;

	do {
		at = strstr(at, l->what);
		if (!at)
			return NULL;
		at += len;
	} while (*at && !strchr(" \t\n\"'", *at));
	at -= len;
	n = (size_t)(at - text);
	/* with a blank before it where nothing takes its place */
	if (!l->before[0] && n && text[n - 1] == ' ')
		n--;
	if (asprintf(&out, "%.*s%s%s", (int)n, text, l->before, at + len) < 0)
		return NULL;
	return out;
}

/* A file may carry the word in several lines. */
static bool undo_word(struct setup *s, const struct made_line *l)
{
	_cleanup_free_ char *text = NULL;
	char *back;
	bool found = false;

	if (tree_text(s->root, l->path, &text))
		return true;
	while (strcmp(l->what, l->before) && (back = word_back(text, l))) {
		free(text);
		text = back;
		found = true;
	}
	if (found)
		changes_file(&s->changes, l->path, text, 0644, MADE_NONE);
	return found;
}

static void undo_known(struct setup *s, const struct made_line *l)
{
	if (!undo_word(s, l))
		setup_line(&s->notes, "%s has no %s any more: it stays as it is", l->path, l->what);
}

/* What is known of an entry that is not in the record. */
struct later {
	const struct made *m;
	struct made_line word;
};

static void undo_later(struct setup *s, const char *path, void *arg)
{
	struct later *l = arg;

	for (size_t i = 0; i < l->m->n; i++)
		if (l->m->lines[i].kind == MADE_WORD && !strcmp(l->m->lines[i].path, path))
			return;
	snprintf(l->word.path, sizeof(l->word.path), "%s", path);
	undo_word(s, &l->word);
}

/* Entries of kernels that came later have the word by way of SETUP_CMDLINE. */
static void undo_entries(struct setup *s, const struct made *m)
{
	_cleanup_free_ struct later *l = calloc(1, sizeof(*l));
	_cleanup_free_ char *text = NULL;

	if (!l) {
		s->changes.failed = true;
		return;
	}
	l->m = m;
	for (size_t i = 0; i < m->n; i++) {
		if (strcmp(m->lines[i].path, SETUP_CMDLINE))
			continue;
		if (m->lines[i].kind == MADE_WORD)
			l->word = m->lines[i];
		else if (!text && !tree_text(s->root, SETUP_CMDLINE, &text))
			crashkernel_read(text, 0, l->word.what);
	}
	if (l->word.what[0])
		setup_each_entry(s, undo_later, l);
}

static void undo_grubby(struct setup *s, const struct made_line *l)
{
	char arg[300];

	if (l->before[0])
		snprintf(arg, sizeof(arg), "--args=%s", l->before);
	else
		snprintf(arg, sizeof(arg), "--remove-args=crashkernel");
	changes_run(&s->changes, "grubby", "--update-kernel=ALL", arg, NULL);
}

/* Takes the word out of a file that setup has made; false: it has none. */
static bool undo_made_word(struct setup *s, const char *path)
{
	_cleanup_free_ struct made_line *word = calloc(1, sizeof(*word));
	_cleanup_free_ char *text = NULL;

	if (!word || tree_text(s->root, path, &text))
		return false;
	snprintf(word->path, sizeof(word->path), "%s", path);
	crashkernel_read(text, 0, word->what);
	return word->what[0] && undo_word(s, word);
}

static void undo_file(struct setup *s, const struct made *m, const struct made_line *l)
{
	if (made_has_file(m, s->root, l->path))
		changes_file(&s->changes, l->path, NULL, 0644, MADE_NONE);
	else if (!strcmp(l->path, SETUP_CMDLINE) && undo_made_word(s, l->path))
		setup_line(&s->notes, "%s was changed since: only crashkernel= is taken out",
			   l->path);
	else
		setup_line(&s->notes, "%s was changed or removed since: it stays as it is",
			   l->path);
}

/* Without SETUP_CMDLINE kernel-install takes the running kernel's command line, which has the word.
 */
static void undo_made_cmdline(struct setup *s, const struct made *m, const struct made_line *l)
{
	_cleanup_free_ char *running = NULL;
	char word[CRASHKERNEL_WORD];

	if (made_has_file(m, s->root, SETUP_CMDLINE) && setup_unified(s, false)) {
		undo_made_word(s, SETUP_CMDLINE);
		setup_unified(s, true);
	}
	undo_file(s, m, l);
	if (!made_has_file(m, s->root, SETUP_CMDLINE) ||
	    tree_text(s->root, "/proc/cmdline", &running))
		return;
	crashkernel_read(running, s->ram, word);
	if (word[0])
		setup_line(&s->notes,
			   "a kernel that is installed before the next boot gets %s from the "
			   "running one",
			   word);
}

static bool is_boot(const struct made_line *l)
{
	return l->kind == MADE_WORD ||
	       (strcmp(l->path, CONF_FILE) && strncmp(l->path, "/etc/udev/", 10) &&
		strncmp(l->path, "/etc/sysctl.d/", 14));
}

/* Where entries are files of their own, grub.cfg has no command lines. */
static bool is_in_grub_cfg(struct setup *s, const char *path)
{
	return !strncmp(path, "/etc/default/grub.d/", 20) ||
	       (!strcmp(path, "/etc/default/grub") && !setup_has_entries(s));
}

static void undo_files(struct setup *s, const struct made *m)
{
	bool grub = false, cmdline = false;

	changes_step(&s->changes, "boot loader");
	for (size_t i = 0; i < m->n; i++) {
		const struct made_line *l = &m->lines[i];
		size_t before = s->changes.steps[s->changes.n - 1].n;

		if (l->kind == MADE_WORD)
			undo_known(s, l);
		else if (l->kind == MADE_GRUBBY)
			undo_grubby(s, l);
		else if (l->kind == MADE_FILE && !strcmp(l->path, SETUP_CMDLINE))
			undo_made_cmdline(s, m, l);
		else if (l->kind == MADE_FILE && is_boot(l))
			undo_file(s, m, l);
		if (s->changes.steps[s->changes.n - 1].n == before || !l->path[0])
			continue;
		grub |= is_in_grub_cfg(s, l->path);
		cmdline |= l->kind == MADE_WORD && !strcmp(l->path, SETUP_CMDLINE);
	}
	undo_entries(s, m);
	if (cmdline)
		setup_unified(s, true);
	if (grub && !setup_grub_update(s))
		setup_line(&s->todos, "make grub's configuration anew: its program was not found");
	changes_step(&s->changes, "configuration");
	for (size_t i = 0; i < m->n; i++)
		if (m->lines[i].kind == MADE_FILE && !is_boot(&m->lines[i]))
			undo_file(s, m, &m->lines[i]);
}

/* The last of all: whether it can load its capture kernel now is not crashpod's to mend. */
static void start_again(struct setup *s, const struct made *m)
{
	changes_step(&s->changes, "kdump's service");
	for (size_t i = 0; i < m->n; i++)
		if (m->lines[i].kind == MADE_DISABLED && setup_has_unit(s->root, m->lines[i].what))
			changes_run(&s->changes, "systemctl", "start", m->lines[i].what, NULL);
}

/* Images are made for each kernel that comes: all there are. */
static void undo_images(struct setup *s)
{
	char dir[PATH_MAX];
	struct dirent *d;
	DIR *top = tree_path(dir, s->root, IMAGES_DIR) ? NULL : opendir(dir);

	changes_step(&s->changes, "initramfs");
	while (top && (d = readdir(top)))
		if ((!fnmatch("initramfs-*.img", d->d_name, 0) ||
		     !fnmatch("initramfs-*.inputs", d->d_name, 0)) &&
		    strlen(d->d_name) < 200)
			changes_remove(&s->changes, IMAGES_DIR, d->d_name);
	if (top)
		closedir(top);
}

int setup_unplan(struct setup *s, struct err *e)
{
	struct made m;
	int rc = made_read(&m, s->root, e);

	if (rc)
		return rc;
	if (!m.n) {
		made_free(&m);
		return err_set(e, -ENOENT,
			       "crashpod setup has made nothing here (" CHANGES_MADE
			       " says nothing)");
	}
	s->changes.root = s->root;
	s->changes.undo = true;
	undo_units(s, &m);
	undo_files(s, &m);
	undo_images(s);
	changes_step(&s->changes, "record");
	changes_file(&s->changes, CHANGES_MADE, NULL, 0600, MADE_NONE);
	start_again(s, &m);
	made_free(&m);
	return s->changes.failed ? err_sys(e, -ENOMEM, "plan") : 0;
}
