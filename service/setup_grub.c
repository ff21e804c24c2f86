/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup_grub.c - crashkernel= in a file of its own among grub's settings, as Debian has them. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "prog.h"
#include "setup.h"
#include "tree.h"

#define OURS "crashpod.cfg"
#define OURS_LAST "zz-crashpod.cfg" /* behind a file that reserves too little */
#define KDUMP "kdump-tools.cfg"

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

/* What all of grub's settings together have: the last one counts. */
struct grub_has {
	u64 bytes;	/* at the next boot */
	u64 lasting;	/* without kdump-tools' own, which goes with its package */
	char last[256]; /* the file of SETUP_GRUB_DIR that bytes are of; empty: none of it */
};

static void grub_read(const struct setup *s, const char *name, const char *path,
		      struct grub_has *has)
{
	_cleanup_free_ char *text = NULL;
	char word[CRASHKERNEL_WORD];
	u64 bytes;

	if (tree_text(s->root, path, &text))
		return;
	bytes = crashkernel_read(text, s->ram, word);
	if (!word[0])
		return;
	has->bytes = bytes;
	snprintf(has->last, sizeof(has->last), "%s", name);
	if (strcmp(name, KDUMP))
		has->lasting = bytes;
}

static struct grub_has grub_has(const struct setup *s)
{
	struct grub_has has = { 0 };
	struct dirent **names = NULL;
	char dir[PATH_MAX], path[PATH_MAX];
	int n;

	grub_read(s, "", SETUP_GRUB_FILE, &has);
	n = tree_path(dir, s->root, SETUP_GRUB_DIR) ? 0 : scandir(dir, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		size_t len = strlen(names[i]->d_name);

		if (len > 4 && !strcmp(names[i]->d_name + len - 4, ".cfg") &&
		    !tree_path(path, "", SETUP_GRUB_DIR "/%s", names[i]->d_name))
			grub_read(s, names[i]->d_name, path, &has);
		free(names[i]);
	}
	free(names);
	return has;
}

void setup_grub_dir(struct setup *s)
{
	struct grub_has has = grub_has(s);
	bool enough = setup_is_enough(s, has.bytes);
	const char *path = !enough && strcmp(has.last, OURS) > 0 ? SETUP_GRUB_DIR "/" OURS_LAST
								 : SETUP_GRUB_DIR "/" OURS;
	char text[512];

	if (enough && setup_is_enough(s, has.lasting))
		return;
	if (enough && s->from_kdump)
		setup_line(&s->notes,
			   SETUP_GRUB_DIR "/" KDUMP " reserves %llu MiB as long as kdump-tools is "
					  "there, %llu MiB are enough",
			   (unsigned long long)(has.bytes >> 20), (unsigned long long)s->want_mib);
	snprintf(text, sizeof(text),
		 "# Memory for the capture kernel, made by crashpod setup.\n"
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT %s\"\n",
		 s->word);
	if (changes_file(&s->changes, path, text, 0644, MADE_FILE))
		setup_grub_update(s);
}
