/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/guard.h"
#include "estimate_all.h"
#include "kexec.h"
#include "prog.h"
#include "tree.h"

#define WANT_STEP 16	/* MiB; values that people compare should be round */
#define WANT_PERCENT 25 /* for kernels and drivers to come */
#define ASSUMED_MIB 192 /* where nothing can be computed */

void setup_line(struct setup_lines *l, const char *fmt, ...)
{
	va_list ap;

	if (l->n == SETUP_LINES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(l->text[l->n++], sizeof(l->text[0]), fmt, ap);
	va_end(ap);
}

/* How much to reserve. What the next kernel or an image with one more driver takes is not known, so
 * the value that is asked for has room; one that is there stays as long as it is enough. */
static void size_up(struct setup *s)
{
	const struct estimate_opts o = { .kver = s->kver, .cpus = 1, .only_reserve = true };
	struct estimate_all *a = calloc(1, sizeof(*a));

	if (!a) {
		s->changes.failed = true;
		return;
	}
	estimate_all(a, s->root, s->kver, &o);
	s->ram = a->have_map ? a->map.ram_bytes : 0;
	s->need_mib = a->reserve.n ? a->reserve.mib : ASSUMED_MIB;
	s->want_mib = align_up(s->need_mib * (100 + WANT_PERCENT) / 100, WANT_STEP);
	if (!a->reserve.n)
		setup_line(&s->notes, "crashkernel= cannot be computed, %d MiB are assumed",
			   ASSUMED_MIB);
	for (unsigned i = 0; !a->reserve.n && i < a->notes.n; i++)
		setup_line(&s->notes, "%s", a->notes.text[i]);
	if (s->ram && s->want_mib << 20 > s->ram / 4)
		setup_line(&s->notes,
			   "crashkernel= takes %llu of this machine's %llu MiB: a "
			   "capture kernel of crashpod's own needs 24 (make kernel)",
			   (unsigned long long)s->want_mib, (unsigned long long)(s->ram >> 20));
	snprintf(s->word, sizeof(s->word), "crashkernel=%lluM", (unsigned long long)s->want_mib);
	free(a);
}

static bool is_newer(const char *root, const char *a, const char *b)
{
	char path[PATH_MAX];
	struct stat x, y;

	return !tree_path(path, root, "%s", a) && !stat(path, &x) &&
	       !tree_path(path, root, "%s", b) && !stat(path, &y) && x.st_mtime >= y.st_mtime;
}

/* In one step with the configuration: one that no image can be made of is not left behind. */
static void image(struct setup *s)
{
	char builder[PATH_MAX], out[PATH_MAX], conf[PATH_MAX], shown[PATH_MAX];
	bool conf_changes = s->changes.steps[s->changes.n - 1].n > 0;

	if (tree_path(shown, "", TREE_INITRD, s->kver) ||
	    tree_path(out, s->root, TREE_INITRD, s->kver) ||
	    tree_path(conf, s->root, "%s", CONF_FILE))
		return;
	if (!conf_changes && is_newer(s->root, shown, CONF_FILE))
		return;
	if (prog_mkinitrd(builder, s->root))
		setup_line(&s->problems, "mkinitrd is not there: install crashpod first");
	else if (s->root[0])
		changes_run(&s->changes, builder, "-k", s->kver, "-c", conf, "-o", out,
			    "--modules-root", s->root, NULL);
	else
		changes_run(&s->changes, builder, "-k", s->kver, NULL);
}

/* With memory reserved the capture kernel can be loaded at once. */
static void load_now(struct setup *s)
{
	struct change *a = NULL;
	s64 loaded = 0;

	changes_step(&s->changes, "load");
	if (s->reserved <= 0 || s->waits ||
	    (!tree_number(s->root, "/sys/kernel/kexec_crash_loaded", &loaded) && loaded &&
	     changes_empty(&s->changes)))
		return;
	if (s->systemd)
		a = changes_run(&s->changes, "systemctl", "restart", "crashpod.service", NULL);
	else
		a = setup_rc_start(s);
	/* what is reserved is too little, and may not take it before the next boot */
	if (a)
		a->may_fail = s->reboot;
}

void setup_plan(struct setup *s)
{
	s->changes.root = s->root;
	s->systemd = setup_has_systemd(s->root);
	if (kexec_reserved(s->root, &s->reserved))
		s->reserved = -1;
	setup_kernel(s);
	size_up(s);
	setup_conf(s);
	image(s);
	setup_boot(s);
	/* what captures now goes when what takes its place is there */
	setup_kdump_rest(s);
	setup_kdump_services(s);
	setup_units(s);
	load_now(s);
	if (s->changes.failed)
		setup_line(&s->problems, "not enough memory");
}
