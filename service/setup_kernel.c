/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup_kernel.c - what the kernel was built with, by its configuration, where that can be had. */
#include <string.h>
#include <unistd.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "base/guard.h"
#include "setup.h"
#include "tree.h"

#define CONFIG_MAX ((size_t)4 << 20)

/* One of both symbols must be y. */
static const struct {
	const char *symbol, *other;
	const char *why;
} needed[] = {
	{ "CONFIG_KEXEC_FILE", "CONFIG_KEXEC", "to load a capture kernel" },
	{ "CONFIG_CRASH_DUMP", NULL, "to be captured, and to capture" },
	{ "CONFIG_PROC_VMCORE", NULL, "to read the dead kernel's memory" },
	{ "CONFIG_BLK_DEV_INITRD", NULL, "to boot from an initramfs" },
	{ "CONFIG_RELOCATABLE", NULL, "to run in reserved memory" },
};

static char *read_gz(const char *root)
{
	char path[PATH_MAX], *text = NULL;
	gzFile f;
	int n = -1;

	if (tree_path(path, root, "/proc/config.gz"))
		return NULL;
	f = gzopen(path, "re");
	if (!f)
		return NULL;
	text = malloc(CONFIG_MAX);
	if (text)
		n = gzread(f, text, CONFIG_MAX - 1);
	gzclose(f);
	if (n <= 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

static char *read_config(const struct setup *s)
{
	static const char *const places[] = { "/boot/config-%s", "/lib/modules/%s/config",
					      "/usr/lib/modules/%s/config" };
	struct utsname u;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *rest = strstr(places[i], "%s");
		char path[PATH_MAX];

		if (!tree_path(path, "", "%.*s%s%s", (int)(rest - places[i]), places[i], s->kver,
			       rest + 2) &&
		    !tree_text(s->root, path, &text))
			return text;
	}
	/* that one is the running kernel's */
	return !uname(&u) && !strcmp(u.release, s->kver) ? read_gz(s->root) : NULL;
}

static bool has_symbol(const char *config, const char *symbol)
{
	size_t len = symbol ? strlen(symbol) : 0;

	for (const char *p = config; len && (p = strstr(p, symbol)); p += len)
		if ((p == config || p[-1] == '\n') && p[len] == '=' && p[len + 1] == 'y')
			return true;
	return false;
}

void setup_kernel(struct setup *s)
{
	_cleanup_free_ char *config = read_config(s);

	if (!config) {
		if (s->reserved < 0)
			setup_line(&s->problems,
				   "kernel %s has no kexec for crashes (there is no "
				   "/sys/kernel/kexec_crash_size): boot one with CONFIG_KEXEC_FILE "
				   "and CONFIG_CRASH_DUMP",
				   s->kver);
		else
			setup_line(&s->notes,
				   "the configuration of kernel %s is not to be found: whether it "
				   "can capture is not known before crashpod test",
				   s->kver);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!has_symbol(config, needed[i].symbol) && !has_symbol(config, needed[i].other))
			setup_line(&s->problems,
				   "kernel %s was built without %s, which it needs %s", s->kver,
				   needed[i].symbol, needed[i].why);
}
