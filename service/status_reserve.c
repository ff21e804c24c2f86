/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_reserve.c - whether what is reserved is enough for what is loaded: a capture kernel that
 * runs out of memory saves nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "cpus.h"
#include "estimate_all.h"
#include "kexec.h"
#include "status.h"
#include "tree.h"

#define SETUP "crashpod setup reserves enough for the next boot"
#define MIB ((u64)1 << 20)
/* The estimate was up to 10% above the least that captured (docs/estimate.md): what is further
 * below it will not do. */
#define SURE_PERCENT 90

/* CPUs of the capture kernel, as they were asked for. */
static unsigned cpus_of(const struct loaded *l)
{
	unsigned n = 1;

	for (unsigned i = 0; l->options[i] && l->options[i + 1]; i++)
		if (!strcmp(l->options[i], "--cpus") && cpus_parse(l->options[i + 1], &n, NULL))
			n = 1;
	return n;
}

void status_reserve(struct status *s, const char *root, const char *kver)
{
	_cleanup_free_ struct estimate_all *a = calloc(1, sizeof(*a));
	char kernel[PATH_MAX], initrd[PATH_MAX];
	struct estimate_opts o = { .cpus = cpus_of(&s->loaded), .only_reserve = true };
	s64 bytes = 0;
	u64 need;

	if (!a || kexec_reserved(root, &bytes) || bytes <= 0)
		return;
	if (s->loaded.kernel[0] && !tree_path(kernel, root, "%s", s->loaded.kernel) &&
	    !tree_path(initrd, root, "%s", s->loaded.initrd)) {
		o.kernel = kernel;
		o.initrd = initrd;
	}
	estimate_all(a, root, kver, &o);
	need = a->reserve.mib * MIB;
	/* what could not be computed is 0 */
	if ((u64)bytes < need / 100 * SURE_PERCENT)
		status_add(s, status_is_blind(root) ? STATUS_NOTE : STATUS_MISSING, "reserved",
			   SETUP, "%lld MiB are not enough for the capture kernel: %s takes %llu",
			   (long long)(bytes >> 20), a->kernel + strlen(root),
			   (unsigned long long)a->reserve.mib);
	else if ((u64)bytes < need)
		status_add(s, STATUS_NOTE, "reserved", SETUP,
			   "%lld MiB may not be enough for the capture kernel: %s may take %llu",
			   (long long)(bytes >> 20), a->kernel + strlen(root),
			   (unsigned long long)a->reserve.mib);
}
