/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup_grub.c - crashkernel= in a file of its own among grub's settings, as Debian has them. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "prog.h"
#include "setup.h"
#include "tree.h"

#define OURS SETUP_GRUB_DIR "/crashpod.cfg"

bool setup_grub_update(struct setup *s)
{
	static const char *const makers[] = { "grub-mkconfig", "grub2-mkconfig" };
	static const char *const places[] = { "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg" };

	if (prog_has(s->root, "update-grub")) {
		changes_run(&s->changes, "update-grub", NULL);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		char out[PATH_MAX];

		if (!prog_has(s->root, makers[i]) || tree_path(out, s->root, "%s", places[i]))
			continue;
		changes_run(&s->changes, makers[i], "-o", out, NULL);
		return true;
	}
	return false;
}

/* The last crashkernel= of grub's settings in the order in which they are read. */
struct grub_last {
	char file[PATH_MAX], word[CRASHKERNEL_WORD];
	u64 bytes;
};

static void grub_look(const struct setup *s, const char *path, struct grub_last *last)
{
	_cleanup_free_ char *text = NULL;
	char word[CRASHKERNEL_WORD];
	u64 bytes;

	if (tree_text(s->root, path, &text))
		return;
	bytes = crashkernel_read(text, s->ram, word);
	if (!word[0])
		return;
	last->bytes = bytes;
	snprintf(last->word, sizeof(last->word), "%s", word);
	snprintf(last->file, sizeof(last->file), "%s", path);
}

/* kdump: also kdump-tools' own, which goes with its package. after: only files behind that one. */
static void grub_find(const struct setup *s, bool kdump, const char *after, struct grub_last *last)
{
	char dir[PATH_MAX], path[PATH_MAX];
	struct dirent **names = NULL;
	int n;

	memset(last, 0, sizeof(*last));
	if (!after)
		grub_look(s, SETUP_GRUB_FILE, last);
	n = tree_path(dir, s->root, SETUP_GRUB_DIR) ? 0 : scandir(dir, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		size_t len = strlen(name);

		if (len > 4 && !strcmp(name + len - 4, ".cfg") &&
		    (kdump || strcmp(name, "kdump-tools.cfg")) &&
		    !tree_path(path, "", SETUP_GRUB_DIR "/%s", name) &&
		    (!after || strcmp(path, after) > 0))
			grub_look(s, path, last);
		free(names[i]);
	}
	free(names);
}

void setup_grub_dir(struct setup *s)
{
	struct grub_last last;
	char text[512];

	grub_find(s, true, OURS, &last);
	if (last.word[0] && !setup_is_enough(s, last.bytes))
		setup_line(&s->todos,
			   "%s is read after " OURS ", and its %s counts, which is too "
			   "little: take it out (or apt purge kdump-tools, if it is of that), "
			   "then update-grub",
			   last.file, last.word);
	grub_find(s, !s->from_kdump, NULL, &last);
	if (setup_is_enough(s, last.bytes))
		return;
	snprintf(text, sizeof(text),
		 "# Memory for the capture kernel, made by crashpod setup.\n"
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT %s\"\n",
		 s->word);
	if (changes_file(&s->changes, OURS, text, 0644, MADE_FILE))
		setup_grub_update(s);
}
