/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup_entries.c - crashkernel= where the boot loader has a file for each kernel (systemd-boot,
 * and grub with the Boot Loader Specification), and in SETUP_CMDLINE, from which kernel-install
 * makes those of later kernels; unified kernel images have theirs inside, and are made anew. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "kernels.h"
#include "made.h"
#include "prog.h"
#include "setup.h"
#include "tree.h"

#define LOADER_INFO "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define MACHINE_ID_LEN 32

/* where the EFI system partition or /boot is */
static const char *const boots[] = { "/boot", "/efi", "/boot/efi" };

/* The variable is UTF-16 behind four bytes of attributes: "systemd-boot 252". */
bool setup_is_systemd_boot(const struct setup *s)
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

/* Calls one with each file of a kind; how many there are. */
static unsigned each_file(struct setup *s, const char *below, const char *ending,
			  void (*one)(struct setup *s, const char *path, void *arg), void *arg)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
		struct dirent **names = NULL;
		char dir[PATH_MAX], path[PATH_MAX];
		int found = tree_path(dir, s->root, "%s/%s", boots[i], below)
				    ? 0
				    : scandir(dir, &names, NULL, alphasort);

		for (int k = 0; k < found; k++) {
			size_t len = strlen(names[k]->d_name), tail = strlen(ending);

			if (len > tail && !strcmp(names[k]->d_name + len - tail, ending) &&
			    !tree_path(path, "", "%s/%s/%s", boots[i], below, names[k]->d_name)) {
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

unsigned setup_each_entry(struct setup *s,
			  void (*one)(struct setup *s, const char *path, void *arg), void *arg)
{
	return each_file(s, "loader/entries", ".conf", one, arg);
}

bool setup_has_entries(struct setup *s)
{
	return setup_each_entry(s, NULL, NULL) > 0;
}

/* The value of an entry's first line of a key, in text; NULL: there is none. */
static const char *entry_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		const char *line = text + strspn(text, " \t");

		if (!strncmp(line, key, len) && strchr(" \t", line[len]) && line[len])
			return line + len + strspn(line + len, " \t");
	}
	return NULL;
}

/* Several systems may share an EFI system partition: the entries of the others are theirs. */
static bool is_others(const struct setup *s, const char *path)
{
	_cleanup_free_ char *text = NULL;
	char own[MACHINE_ID_LEN + 2];
	const char *id;

	if (tree_line(s->root, "/etc/machine-id", own, sizeof(own)) ||
	    strlen(own) != MACHINE_ID_LEN || tree_text(s->root, path, &text))
		return false;
	id = entry_value(text, "machine-id");
	return id && strncmp(id, own, MACHINE_ID_LEN) != 0;
}

static void edit_entry(struct setup *s, const char *path, void *arg)
{
	if (is_others(s, path)) {
		setup_line(&s->notes, "%s is another system's: it stays as it is", path);
		return;
	}
	*(unsigned *)arg += 1;
	if (!setup_edit_file(s, path, "options"))
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
		changes_file(&s->changes, SETUP_CMDLINE, out, 0644, MADE_FILE);
}

/* --- unified kernel images --- */

struct unified {
	const char *kver;
	bool found;
};

/* TOKEN-KVER.efi, or TOKEN-KVER+TRIES.efi */
static void is_of(struct setup *s, const char *path, void *arg)
{
	struct unified *u = arg;
	const char *at = strstr(strrchr(path, '/'), u->kver);

	(void)s;
	if (!at || at[-1] != '-')
		return;
	at += strlen(u->kver);
	/* a release may have a '+' of its own */
	if (*at == '+')
		at += 1 + strspn(at + 1, "0123456789-");
	u->found |= !strcmp(at, ".efi");
}

unsigned setup_unified(struct setup *s, bool anew)
{
	_cleanup_free_ struct kernels *k = calloc(1, sizeof(*k));
	unsigned n = 0;

	if (!k)
		s->changes.failed = true;
	if (!k || !prog_has(s->root, "kernel-install"))
		return 0;
	/* of too many those that it names */
	kernels_find(k, s->root, NULL);
	for (unsigned i = 0; i < k->n; i++) {
		struct unified u = { k->release[i], false };
		char image[PATH_MAX];

		each_file(s, "EFI/Linux", ".efi", is_of, &u);
		if (!u.found || tree_kernel(image, s->root, u.kver, NULL))
			continue;
		if (anew)
			changes_run(&s->changes, "kernel-install", "add", u.kver, image, NULL);
		n++;
	}
	return n;
}

/* --- */

void setup_by_entries(struct setup *s)
{
	unsigned own = 0, images;
	size_t before;

	setup_each_entry(s, edit_entry, &own);
	before = s->changes.steps[s->changes.n - 1].n;
	if (setup_is_there(s, SETUP_CMDLINE))
		setup_edit_file(s, SETUP_CMDLINE, "");
	else
		make_kernel_cmdline(s);
	images = setup_unified(s, s->changes.steps[s->changes.n - 1].n > before);
	if (!setup_is_systemd_boot(s) && setup_is_there(s, SETUP_GRUB_FILE))
		setup_edit_file(s, SETUP_GRUB_FILE, "GRUB_CMDLINE_LINUX=");
	if (!own && !images && s->reboot)
		setup_line(&s->todos,
			   "there are no entries of the boot loader: make the unified kernel image "
			   "anew (kernel-install add %s), it takes %s from " SETUP_CMDLINE,
			   s->kver, s->word);
}

void setup_entries_original(struct setup *s, struct change *a)
{
	_cleanup_free_ char *text = NULL;
	char word[CRASHKERNEL_WORD];
	struct made m;

	if (made_read(&m, s->root, NULL))
		return;
	for (size_t i = 0; i < m.n; i++) {
		const struct made_line *l = &m.lines[i];

		if (strcmp(l->path, SETUP_CMDLINE))
			continue;
		if (l->kind == MADE_WORD && !strcmp(l->what, a->before))
			snprintf(a->before, sizeof(a->before), "%s", l->before);
		if (l->kind != MADE_FILE || tree_text(s->root, SETUP_CMDLINE, &text))
			continue;
		crashkernel_read(text, s->ram, word);
		if (!strcmp(word, a->before))
			a->before[0] = '\0';
		/* setup's own file, and as it was left: it will be again */
		if (!strcmp(a->path, SETUP_CMDLINE) && made_has_file(&m, s->root, SETUP_CMDLINE))
			a->made = MADE_FILE;
	}
	made_free(&m);
}
