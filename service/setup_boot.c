/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup_boot.c - crashkernel= on the command line of the next boots, by the boot loader there is:
 *   grub, Debian    a file in /etc/default/grub.d, update-grub
 *   grubby          RHEL and its kin
 *   entries         files of the Boot Loader Specification (systemd-boot, grub): setup_entries.c
 *   grub            GRUB_CMDLINE_LINUX_DEFAULT of /etc/default/grub, grub-mkconfig */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "prog.h"
#include "setup.h"
#include "tree.h"

#define MIB ((u64)1 << 20)

bool setup_is_there(const struct setup *s, const char *path)
{
	char full[PATH_MAX];

	return !tree_path(full, s->root, "%s", path) && !access(full, F_OK);
}

bool setup_is_enough(const struct setup *s, u64 bytes)
{
	return bytes >= s->need_mib * MIB;
}

/* --- files of command lines --- */

/* Whether all of a shell variable's value is in one pair of quotes: only there a word can be added
 * that belongs to it. */
static bool is_quoted(const char *value)
{
	size_t len = strlen(value);
	char quote = value[0];

	while (len && strchr(" \t\r", value[len - 1]))
		len--;
	if (len < 2 || !strchr("\"'", quote) || value[len - 1] != quote)
		return false;
	for (const char *p = value + 1; p < value + len - 1; p++) {
		if (*p == '\\' && quote == '"')
			p++;
		else if (*p == quote)
			return false;
	}
	return true;
}

/* How a line of a kind of file carries a command line: what stands before it. */
static bool carries(const char *line, const char *before)
{
	size_t n = strlen(before);

	if (strncmp(line, before, n))
		return false;
	if (n && before[n - 1] == '=')
		return is_quoted(line + n);
	return !n || line[n] == ' ' || line[n] == '\t';
}

/* The file's text with crashkernel= of each such line replaced; NULL: no memory. *old is the word
 * that was there, *least the smallest reservation, *lines how many lines there are. */
static char *edit_text(const struct setup *s, const char *text, const char *before,
		       char old[static CRASHKERNEL_WORD], u64 *least, unsigned *lines)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	*least = UINT64_MAX;
	*lines = 0;
	while (f && *text) {
		size_t n = strcspn(text, "\n");
		_cleanup_free_ char *line = strndup(text, n);
		_cleanup_free_ char *made = NULL;

		if (line && carries(line, before)) {
			u64 bytes = crashkernel_read(line, s->ram, old);

			*least = MIN(*least, bytes);
			*lines += 1;
			made = crashkernel_replace(line, s->word);
		}
		fprintf(f, "%s", made ? made : line ? line : "");
		text += n;
		if (*text == '\n') {
			fputc('\n', f);
			text++;
		}
	}
	if (f && fclose(f))
		out = NULL;
	return out;
}

bool setup_edit_file(struct setup *s, const char *path, const char *before)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *out = NULL;
	char old[CRASHKERNEL_WORD] = "";
	struct change *a;
	unsigned lines;
	u64 least;

	if (tree_text(s->root, path, &text))
		return false;
	out = edit_text(s, text, before, old, &least, &lines);
	if (!out)
		s->changes.failed = true;
	if (!out || !lines)
		return false;
	if (setup_is_enough(s, least))
		return true;
	a = changes_file(&s->changes, path, out, 0644, MADE_WORD);
	if (a) {
		snprintf(a->what, sizeof(a->what), "%s", s->word);
		snprintf(a->before, sizeof(a->before), "%s", old);
		setup_entries_original(s, a);
	}
	return true;
}

/* --- grub --- */

static void by_grub_file(struct setup *s)
{
	size_t before = s->changes.steps[s->changes.n - 1].n;

	if (!setup_edit_file(s, SETUP_GRUB_FILE, "GRUB_CMDLINE_LINUX_DEFAULT=") &&
	    !setup_edit_file(s, SETUP_GRUB_FILE, "GRUB_CMDLINE_LINUX="))
		setup_line(&s->problems,
			   SETUP_GRUB_FILE " has no line GRUB_CMDLINE_LINUX_DEFAULT=\"...\": add "
					   "one with %s",
			   s->word);
	if (s->changes.steps[s->changes.n - 1].n > before)
		setup_grub_update(s);
}

/* --- grubby --- */

static void count_short(struct setup *s, const char *path, void *arg)
{
	_cleanup_free_ char *text = NULL;
	char word[CRASHKERNEL_WORD];

	if (tree_text(s->root, path, &text) ||
	    !setup_is_enough(s, crashkernel_read(text, s->ram, word)))
		*(unsigned *)arg += 1;
}

/* What the next boot has, by the entries, or where there are none by what runs now. */
static bool grubby_has(struct setup *s, const char *running)
{
	char word[CRASHKERNEL_WORD];
	unsigned lacking = 0;

	if (setup_each_entry(s, count_short, &lacking))
		return !lacking;
	return setup_is_enough(s, crashkernel_read(running, s->ram, word));
}

static void by_grubby(struct setup *s)
{
	_cleanup_free_ char *running = NULL;
	char old[CRASHKERNEL_WORD] = "", arg[CRASHKERNEL_WORD + 16];
	struct change *a;

	if (tree_text(s->root, "/proc/cmdline", &running) || grubby_has(s, running))
		return;
	crashkernel_read(running, s->ram, old);
	snprintf(arg, sizeof(arg), "--args=%s", s->word);
	a = changes_run(&s->changes, "grubby", "--update-kernel=ALL", arg, NULL);
	if (!a)
		return;
	a->made = MADE_GRUBBY;
	snprintf(a->what, sizeof(a->what), "%s", s->word);
	snprintf(a->before, sizeof(a->before), "%s", old);
}

static void by_hand(struct setup *s)
{
	if (!setup_is_enough(s, (u64)MAX(s->reserved, 0)))
		setup_line(&s->todos,
			   "no boot loader that is known here (grub, grubby, entries in "
			   "/boot/loader): add %s to the kernel's command line",
			   s->word);
}

void setup_boot(struct setup *s)
{
	bool systemd_boot = setup_is_systemd_boot(s);

	changes_step(&s->changes, "boot loader");
	s->reboot = !setup_is_enough(s, (u64)MAX(s->reserved, 0));
	if (!systemd_boot && prog_has(s->root, "grubby"))
		by_grubby(s);
	else if (!systemd_boot && setup_is_there(s, SETUP_GRUB_DIR) &&
		 prog_has(s->root, "update-grub"))
		setup_grub_dir(s);
	else if (systemd_boot || setup_has_entries(s))
		setup_by_entries(s);
	else if (setup_is_there(s, SETUP_GRUB_FILE) &&
		 (prog_has(s->root, "grub-mkconfig") || prog_has(s->root, "grub2-mkconfig") ||
		  prog_has(s->root, "update-grub")))
		by_grub_file(s);
	else
		by_hand(s);
}
