/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup_boot.c - crashkernel= on the command line of the next boots, by the boot loader there is:
 *   grub, Debian    a file in /etc/default/grub.d, update-grub
 *   grubby          RHEL and its kin
 *   entries         files of the Boot Loader Specification (systemd-boot, grub), and
 *                   /etc/kernel/cmdline, from which kernel-install makes those of later kernels
 *   grub            GRUB_CMDLINE_LINUX_DEFAULT of /etc/default/grub, grub-mkconfig */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "prog.h"
#include "setup.h"
#include "tree.h"

#define GRUB_FILE "/etc/default/grub"
#define GRUB_DIR "/etc/default/grub.d"
#define GRUB_OURS "crashpod.cfg"
#define GRUB_OURS_LAST "zz-crashpod.cfg" /* behind a file that reserves too little */
#define GRUB_KDUMP "kdump-tools.cfg"
#define KERNEL_CMDLINE "/etc/kernel/cmdline"
#define LOADER_INFO "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define MIB ((u64)1 << 20)

static const char *const entry_dirs[] = { "/boot/loader/entries", "/efi/loader/entries",
					  "/boot/efi/loader/entries" };

static bool is_there(const struct setup *s, const char *path)
{
	char full[PATH_MAX];

	return !tree_path(full, s->root, "%s", path) && !access(full, F_OK);
}

/* The variable is UTF-16 behind four bytes of attributes: "systemd-boot 252". */
static bool is_systemd_boot(const struct setup *s)
{
	static const char name[] = "systemd-boot";
	char buf[128];
	char path[PATH_MAX];
	ssize_t n;

	if (tree_path(path, s->root, LOADER_INFO))
		return false;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	n = read(fd, buf, sizeof(buf));
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		if (n < (ssize_t)(5 + 2 * i) || buf[4 + 2 * i] != name[i])
			return false;
	return true;
}

static bool is_enough(const struct setup *s, u64 bytes)
{
	return bytes >= s->need_mib * MIB;
}

/* --- files of command lines --- */

/* How a line of a kind of file carries a command line: what stands before it. */
static bool carries(const char *line, const char *before)
{
	size_t n = strlen(before);

	return !strncmp(line, before, n) &&
	       (!n || line[n] == ' ' || line[n] == '\t' || line[n - 1] == '=');
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

/* One file: nothing where it reserves enough. False: it has no such line. */
static bool edit_file(struct setup *s, const char *path, const char *before)
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
	if (is_enough(s, least))
		return true;
	a = changes_file(&s->changes, path, out, 0644, MADE_WORD);
	if (a) {
		snprintf(a->what, sizeof(a->what), "%s", s->word);
		snprintf(a->before, sizeof(a->before), "%s", old);
	}
	return true;
}

/* Calls with each entry; how many there are. */
static unsigned each_entry(struct setup *s,
			   void (*one)(struct setup *s, const char *path, void *arg), void *arg)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(entry_dirs); i++) {
		struct dirent **names = NULL;
		char dir[PATH_MAX], path[PATH_MAX];
		int found = tree_path(dir, s->root, "%s", entry_dirs[i])
				    ? 0
				    : scandir(dir, &names, NULL, alphasort);

		for (int k = 0; k < found; k++) {
			size_t len = strlen(names[k]->d_name);

			if (len > 5 && !strcmp(names[k]->d_name + len - 5, ".conf") &&
			    !tree_path(path, "", "%s/%s", entry_dirs[i], names[k]->d_name)) {
				n++;
				if (one)
					one(s, path, arg);
			}
			free(names[k]);
		}
		free(names);
	}
	return n;
}

static void edit_entry(struct setup *s, const char *path, void *arg)
{
	(void)arg;
	if (!edit_file(s, path, "options"))
		setup_line(&s->notes, "%s has no options line: it stays as it is", path);
}

/* The running kernel's command line without what the boot loader adds to it. */
static void make_kernel_cmdline(struct setup *s)
{
	_cleanup_free_ char *running = NULL;
	_cleanup_free_ char *line = NULL;
	char out[4200], *save = NULL;
	size_t n = 0;

	if (tree_text(s->root, "/proc/cmdline", &running))
		return;
	line = crashkernel_replace(running, s->word);
	for (char *w = line ? strtok_r(line, " \n", &save) : NULL; w;
	     w = strtok_r(NULL, " \n", &save))
		if (strncmp(w, "BOOT_IMAGE=", 11) && strncmp(w, "initrd=", 7) && n < sizeof(out))
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s", n ? " " : "", w);
	if (n < sizeof(out))
		n += (size_t)snprintf(out + n, sizeof(out) - n, "\n");
	if (n < sizeof(out))
		changes_file(&s->changes, KERNEL_CMDLINE, out, 0644, MADE_FILE);
}

bool setup_has_entries(struct setup *s)
{
	return each_entry(s, NULL, NULL) > 0;
}

static void by_entries(struct setup *s)
{
	unsigned n = each_entry(s, edit_entry, NULL);

	if (is_there(s, KERNEL_CMDLINE))
		edit_file(s, KERNEL_CMDLINE, "");
	else
		make_kernel_cmdline(s);
	if (is_there(s, GRUB_FILE))
		edit_file(s, GRUB_FILE, "GRUB_CMDLINE_LINUX=");
	if (!n)
		setup_line(&s->todos,
			   "there are no entries of the boot loader: make the unified kernel image "
			   "anew (kernel-install add %s), it takes %s from " KERNEL_CMDLINE,
			   s->kver, s->word);
}

/* --- grub --- */

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
	char last[256]; /* the file of GRUB_DIR that bytes are of; empty: none of it */
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
	if (strcmp(name, GRUB_KDUMP))
		has->lasting = bytes;
}

static struct grub_has grub_has(const struct setup *s)
{
	struct grub_has has = { 0 };
	struct dirent **names = NULL;
	char dir[PATH_MAX], path[PATH_MAX];
	int n;

	grub_read(s, "", GRUB_FILE, &has);
	n = tree_path(dir, s->root, GRUB_DIR) ? 0 : scandir(dir, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		size_t len = strlen(names[i]->d_name);

		if (len > 4 && !strcmp(names[i]->d_name + len - 4, ".cfg") &&
		    !tree_path(path, "", GRUB_DIR "/%s", names[i]->d_name))
			grub_read(s, names[i]->d_name, path, &has);
		free(names[i]);
	}
	free(names);
	return has;
}

static void by_grub_dir(struct setup *s)
{
	struct grub_has has = grub_has(s);
	bool enough = is_enough(s, has.bytes);
	const char *path = !enough && strcmp(has.last, GRUB_OURS) > 0 ? GRUB_DIR "/" GRUB_OURS_LAST
								      : GRUB_DIR "/" GRUB_OURS;
	char text[512];

	if (enough && is_enough(s, has.lasting))
		return;
	if (enough && s->from_kdump)
		setup_line(&s->notes,
			   GRUB_DIR "/" GRUB_KDUMP " reserves %llu MiB as long as kdump-tools is "
				    "there, %llu MiB are enough",
			   (unsigned long long)(has.bytes / MIB), (unsigned long long)s->want_mib);
	snprintf(text, sizeof(text),
		 "# Memory for the capture kernel, made by crashpod setup.\n"
		 "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT %s\"\n",
		 s->word);
	if (changes_file(&s->changes, path, text, 0644, MADE_FILE))
		setup_grub_update(s);
}

static void by_grub_file(struct setup *s)
{
	size_t before = s->changes.steps[s->changes.n - 1].n;

	if (!edit_file(s, GRUB_FILE, "GRUB_CMDLINE_LINUX_DEFAULT=") &&
	    !edit_file(s, GRUB_FILE, "GRUB_CMDLINE_LINUX="))
		setup_line(&s->problems,
			   GRUB_FILE " has no line GRUB_CMDLINE_LINUX_DEFAULT=: add "
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

	if (tree_text(s->root, path, &text) || !is_enough(s, crashkernel_read(text, s->ram, word)))
		*(unsigned *)arg += 1;
}

/* What the next boot has, by the entries, or where there are none by what runs now. */
static bool grubby_has(struct setup *s, const char *running)
{
	char word[CRASHKERNEL_WORD];
	unsigned lacking = 0;

	if (each_entry(s, count_short, &lacking))
		return !lacking;
	return is_enough(s, crashkernel_read(running, s->ram, word));
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
	if (!is_enough(s, (u64)MAX(s->reserved, 0)))
		setup_line(&s->todos,
			   "no boot loader that is known here (grub, grubby, entries in "
			   "/boot/loader): add %s to the kernel's command line",
			   s->word);
}

void setup_boot(struct setup *s)
{
	bool systemd_boot = is_systemd_boot(s);

	changes_step(&s->changes, "boot loader");
	s->reboot = !is_enough(s, (u64)MAX(s->reserved, 0));
	if (!systemd_boot && prog_has(s->root, "grubby"))
		by_grubby(s);
	else if (!systemd_boot && is_there(s, GRUB_DIR) && prog_has(s->root, "update-grub"))
		by_grub_dir(s);
	else if (systemd_boot || setup_has_entries(s))
		by_entries(s);
	else if (is_there(s, GRUB_FILE) &&
		 (prog_has(s->root, "grub-mkconfig") || prog_has(s->root, "grub2-mkconfig") ||
		  prog_has(s->root, "update-grub")))
		by_grub_file(s);
	else
		by_hand(s);
}
