/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "estimate_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/io.h"
#include "room.h"
#include "spare.h"
#include "tree.h"

#define HEAD_BYTES 65536
#define DISK_MB_S 100 /* a disk that turns, or a small virtual one */
#define MIB ((u64)1 << 20)

const unsigned estimate_levels[ESTIMATE_LEVELS] = { 0, 1, 2, 4, 8, 16, 31 };

struct scene {
	const char *root, *release;
	const struct estimate_opts *o;
};

static void look_at_kernel(struct estimate_all *a, const struct scene *sc, const char *kver)
{
	_cleanup_free_ u8 *head = malloc(HEAD_BYTES);
	struct err e = { 0 };
	ssize_t got;
	int rc;

	if (sc->o->kernel)
		rc = tree_path(a->kernel, "", "%s", sc->o->kernel) ? -ENAMETOOLONG : 0;
	else
		rc = tree_kernel(a->kernel, sc->root, kver, &e);
	if (!rc && head) {
		_cleanup_close_ int fd = open(a->kernel, O_RDONLY | O_CLOEXEC);

		got = fd < 0 ? -errno : io_pread_full(fd, head, HEAD_BYTES, 0);
		rc = got < 0 ? err_sys(&e, (int)got, "open")
			     : estimate_image_read(&a->image, head, (size_t)got, &e);
		if (rc)
			err_ctx(&e, "%s", a->kernel);
	}
	if (rc || !head)
		estimate_note(&a->notes, "crashkernel= is not known: %s", e.msg);
	a->same = !strcmp(a->image.release, sc->release);
}

static void look_at_initrd(struct estimate_all *a, const struct scene *sc, const char *kver)
{
	struct err e = { 0 };
	int rc;

	if (sc->o->initrd)
		rc = tree_path(a->initrd, "", "%s", sc->o->initrd);
	else
		rc = tree_path(a->initrd, sc->root, TREE_INITRD, kver);
	if (!rc)
		rc = estimate_initrd_read(&a->ird, a->initrd, &e);
	a->have_initrd = rc == 0;
	if (rc)
		estimate_note(&a->notes,
			      "no initramfs %s: 3 MiB assumed; make it with crashpod-mkinitrd",
			      a->initrd);
	else if (a->ird.guessed)
		estimate_note(&a->notes,
			      "%s: neither cpio, zstd nor gzip: what is in it is assumed",
			      a->initrd);
}

static void look_at_map(struct estimate_all *a, const struct scene *sc)
{
	_cleanup_free_ char *text = NULL;
	struct err e = { 0 };
	int rc = tree_text(sc->root, "/proc/iomem", &text);

	if (rc)
		err_sys(&e, rc, "/proc/iomem");
	else
		rc = estimate_map_parse(&a->map, text, &e);
	a->have_map = rc == 0;
	if (rc)
		estimate_note(&a->notes, "/proc/iomem: %s", e.msg);
}

static void conf_problem(void *arg, const char *line)
{
	estimate_note(arg, "%s", line);
}

static void look_at_conf(struct estimate_all *a, const struct scene *sc)
{
	_cleanup_free_ char *text = NULL;

	conf_defaults(&a->conf);
	if (tree_text(sc->root, CONF_FILE, &text))
		estimate_note(&a->notes, "no %s: its defaults are assumed, and no target",
			      CONF_FILE);
	else
		conf_parse(&a->conf, text, strlen(text), CONF_FILE, conf_problem, &a->notes);
}

/* By kpageflags, and where that cannot be by meminfo. */
static void count_pages(struct estimate_all *a, const struct scene *sc)
{
	_cleanup_free_ char *meminfo = NULL, *zoneinfo = NULL;
	struct err e = { 0 };
	int rc = -EACCES;

	if (a->have_map)
		rc = estimate_pages_count(&a->pages, sc->root, &a->map, &e);
	if (!rc)
		return;
	if (e.code)
		estimate_note(&a->notes, "%s", e.msg);
	estimate_pages_free(&a->pages);
	rc = tree_text(sc->root, "/proc/meminfo", &meminfo);
	if (!rc && tree_text(sc->root, "/proc/zoneinfo", &zoneinfo))
		zoneinfo = NULL;
	if (!rc)
		rc = estimate_pages_guess(&a->pages, meminfo, zoneinfo, &e);
	if (rc)
		estimate_note(&a->notes, "the dump's size is not known: /proc/meminfo: %s",
			      strerror(-rc));
	else
		estimate_note(&a->notes, "without /proc/kpageflags (root) pages are counted by %s",
			      a->pages.source);
}

static void size_dumps(struct estimate_all *a, const struct scene *sc)
{
	struct err e = { 0 };

	a->disk_assumed = sc->o->disk_mb_s == 0;
	a->disk_mb_s = a->disk_assumed ? DISK_MB_S : sc->o->disk_mb_s;
	a->threads = a->conf.threads ? MIN(a->conf.threads, sc->o->cpus) : sc->o->cpus;
	estimate_sample_assume(&a->sample);
	count_pages(a, sc);
	if (!a->pages.source)
		return;
	if (a->pages.picked[PC_KERNEL] &&
	    estimate_sample_read(&a->sample, sc->root, &a->pages, &a->conf, &e)) {
		estimate_sample_assume(&a->sample);
		estimate_note(&a->notes, "no sample of memory: %s", e.msg);
	}
	for (unsigned i = 0; i < ESTIMATE_LEVELS; i++)
		estimate_dump(&a->dumps[i], &a->pages, &a->sample, &a->conf, estimate_levels[i],
			      a->threads, a->disk_mb_s);
	estimate_dump(&a->asked, &a->pages, &a->sample, &a->conf, a->conf.dump_level, a->threads,
		      a->disk_mb_s);
}

static unsigned possible_cpus(const char *root)
{
	char line[128], *last;

	if (tree_line(root, "/sys/devices/system/cpu/possible", line, sizeof(line)))
		return 1;
	last = line + strlen(line);
	while (last > line && last[-1] >= '0' && last[-1] <= '9')
		last--;
	return (unsigned)MIN(strtoul(last, NULL, 10), 65535ul) + 1;
}

/* Kernels that follow hot-plugged memory in them make room for 8192 ranges and CPUs each. */
static u64 headers_bytes(const char *root)
{
	s64 bytes;

	if (tree_number(root, "/sys/kernel/crash_elfcorehdr_size", &bytes))
		return 0;
	return bytes > 0 && bytes < (s64)1 << 30 ? (u64)bytes : 0;
}

static void size_reserve(struct estimate_all *a, const struct scene *sc)
{
	const struct estimate_in in = {
		.image = &a->image,
		.initrd = a->have_initrd ? &a->ird : NULL,
		.map = a->have_map ? &a->map : NULL,
		.same = a->same,
		.ram_bytes = a->have_map ? a->map.ram_bytes : a->pages.ram * PAGE_SIZE,
		.cpus = sc->o->cpus,
		.possible_cpus = possible_cpus(sc->root),
		.headers_bytes = headers_bytes(sc->root),
		.protection = spare_protection(sc->root),
	};

	if (a->image.init_size)
		estimate_reserve(&a->reserve, &in);
}

static void look_at_target(const struct estimate_all *a, struct estimate_target *t,
			   const struct conf_target *target, const char *root)
{
	char node[PATH_MAX];
	int rc = target->kind == CONF_TARGET_RAW ? -ENOTSUP
						 : tree_device(node, root, target->device);

	snprintf(t->name, sizeof(t->name), "%s %s",
		 target->kind == CONF_TARGET_RAW ? "raw" : target->fstype, target->device);
	if (!rc)
		rc = room_free(root, node, &t->free_bytes);
	if (rc) {
		snprintf(t->text, sizeof(t->text), "free room unknown: %s",
			 rc == -ENOENT ? "not there, or not mounted" : strerror(-rc));
		return;
	}
	estimate_target_judge(a, t, room_file_max(target->fstype));
}

void estimate_target_judge(const struct estimate_all *a, struct estimate_target *t, u64 file_max)
{
	u64 room = MIN(t->free_bytes, file_max);
	char files[48] = "";

	if (file_max < t->free_bytes)
		snprintf(files, sizeof(files), ", in files of at most %llu MiB",
			 (unsigned long long)(file_max / MIB));
	t->known = a->pages.source != NULL;
	t->enough = t->known && room >= a->asked.bytes;
	if (t->known)
		snprintf(t->text, sizeof(t->text), "%llu MiB free%s, %s for %llu MiB at level %u%s",
			 (unsigned long long)(t->free_bytes / MIB), files,
			 t->enough ? "enough" : "too little",
			 (unsigned long long)(a->asked.bytes / MIB), a->conf.dump_level,
			 t->enough ? ""
			 : room >= a->dumps[ESTIMATE_LEVELS - 1].bytes
				 ? ": it would be filtered more"
				 : ", and for level 31");
	else
		snprintf(t->text, sizeof(t->text), "%llu MiB free%s",
			 (unsigned long long)(t->free_bytes / MIB), files);
}

void estimate_all(struct estimate_all *a, const char *root, const char *release,
		  const struct estimate_opts *o)
{
	const struct scene sc = { root, release, o };
	const char *kver = o->kver ? o->kver : release;

	look_at_map(a, &sc);
	look_at_kernel(a, &sc, kver);
	look_at_initrd(a, &sc, kver);
	look_at_conf(a, &sc);
	if (!o->only_reserve)
		size_dumps(a, &sc);
	size_reserve(a, &sc);
	a->ntargets = a->conf.ntargets;
	for (unsigned i = 0; i < a->ntargets; i++)
		look_at_target(a, &a->targets[i], &a->conf.targets[i], root);
	estimate_pages_free(&a->pages);
}
