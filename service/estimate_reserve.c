/* SPDX-License-Identifier: GPL-2.0-or-later */
/* estimate_reserve.c - the reservation as a sum of parts. Two moments decide it: the kernel unpacks
 * its initramfs, with its own beginnings still there; and the dump runs. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "estimate.h"

#define MIB ((u64)1 << 20)
#define SECTION (128 * MIB)    /* SECTION_SIZE_BITS of x86_64 is 27 */
#define SECTION_MAP (2 * MIB)  /* its struct pages, which are mapped in pages of 2 MiB */
#define PLACE_ALIGN (16 * MIB) /* CRASH_ALIGN of x86_64 */
#define ELF_PHDR 56
#define CPU_NOTES 512 /* a PRSTATUS note is 356 bytes */

/* By calibration, see docs/estimate.md. */
#define MARGIN_PERCENT 5
/* What the kernel allocates until it has started: a part of the image without bss, and the same for
 * all. */
#define BOOT_PERCENT 30
#define BOOT_BYTES (4 * MIB)
/* Where the image's span can only be had from the setup header's init_size. */
#define RESIDENT_PERCENT 86
#define BOOT_HEADER_PERCENT 20
#define BOOT_HEADER_BYTES (5 * MIB / 2)
#define INIT_PERCENT 5 /* of the image: freed before PID 1 runs */
#define PROTECTION_BYTES (4 * MIB)
#define PROCESS_BYTES (5 * MIB / 2)
#define CPU_BYTES (3 * MIB / 2)

void estimate_note(struct estimate_notes *notes, const char *fmt, ...)
{
	va_list ap;

	if (notes->n == ESTIMATE_NOTES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(notes->text[notes->n++], sizeof(notes->text[0]), fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 4, 5))) static void part(struct estimate_reserve *r, const char *name,
						       u64 bytes, const char *fmt, ...)
{
	struct estimate_part *p = &r->parts[r->n++];
	va_list ap;

	p->name = name;
	p->bytes = bytes;
	va_start(ap, fmt);
	vsnprintf(p->why, sizeof(p->why), fmt, ap);
	va_end(ap);
	r->bytes += bytes;
}

static bool ends_with(const char *line, const char *name)
{
	size_t n = strlen(name), len = strcspn(line, "\n");

	return len >= n && !strncmp(line + len - n, name, n);
}

static void take_line(struct estimate_map *map, const char *line, u64 start, u64 end)
{
	bool top = line[0] != ' ';

	if (top && ends_with(line, " : System RAM") && map->n < ESTIMATE_RANGES_MAX) {
		map->ram[map->n++] = (struct estimate_range){ start, end };
		map->ram_bytes += end - start;
	} else if (ends_with(line, " : Kernel code")) {
		map->image_start = start;
	} else if (ends_with(line, " : Kernel bss")) {
		map->bss_start = start;
		map->image_end = end;
	} else if (ends_with(line, " : Crash kernel")) {
		if (map->crash_end) {
			map->crash_high_start = start;
			map->crash_high_end = end;
		} else {
			map->crash_start = start;
			map->crash_end = end;
		}
	}
}

int estimate_map_parse(struct estimate_map *map, const char *text, struct err *e)
{
	memset(map, 0, sizeof(*map));
	for (const char *line = text; line && *line;
	     line = strchr(line, '\n'), line += line != NULL) {
		char *p;
		u64 start = strtoull(line, &p, 16), end;

		if (*p != '-')
			continue;
		end = strtoull(p + 1, &p, 16);
		/* all are 0-0 for who may not see them */
		if (end > start && end < UINT64_MAX)
			take_line(map, line, start, end + 1);
	}
	if (!map->n)
		return err_set(e, -EACCES, "no addresses of System RAM: needs root");
	if (map->image_end <= map->image_start || map->bss_start < map->image_start)
		map->image_start = map->bss_start = map->image_end = 0;
	return 0;
}

/* Sections that it covers: it ends where the present one does, or memory below 4 GiB. */
static u64 sections_of(const struct estimate_map *map, u64 bytes)
{
	u64 end = 0, start;

	for (unsigned i = 0; map && i < map->n; i++)
		if (map->ram[i].end <= (u64)4 << 30 && map->ram[i].end > end)
			end = map->ram[i].end;
	if (map && map->crash_end)
		end = map->crash_end;
	if (end <= bytes)
		return align_up(bytes, SECTION) / SECTION;
	start = (end - bytes) / PLACE_ALIGN * PLACE_ALIGN;
	return (start + bytes - 1) / SECTION - start / SECTION + 1;
}

static void add_memmap(struct estimate_reserve *r, const struct estimate_map *map)
{
	u64 sections = sections_of(map, r->bytes + r->bytes / 16) + 1;

	part(r, "memory map", sections * SECTION_MAP,
	     "2 MiB for each of %llu sections of 128 MiB: where it will lie, and the lowest 640 "
	     "KiB",
	     (unsigned long long)sections);
}

/* Image and start; gives the image's bytes. */
static u64 add_kernel(struct estimate_reserve *r, const struct estimate_in *in)
{
	const struct estimate_map *map = in->same ? in->map : NULL;
	u64 image, filled;

	if (map && map->image_end) {
		image = map->image_end - map->image_start;
		filled = map->bss_start - map->image_start;
		part(r, "kernel image", image, "text to bss, as it runs now (/proc/iomem)");
		part(r, "kernel's start", filled * BOOT_PERCENT / 100 + BOOT_BYTES,
		     "by calibration %u%% of it without bss and %u MiB: slab, stacks, page tables, "
		     "buffers",
		     BOOT_PERCENT, (unsigned)(BOOT_BYTES / MIB));
		return image;
	}
	image = (u64)in->image->init_size * RESIDENT_PERCENT / 100;
	part(r, "kernel image", image, "by calibration %u%% of the %u KiB in its header",
	     RESIDENT_PERCENT, in->image->init_size >> 10);
	part(r, "kernel's start", image * BOOT_HEADER_PERCENT / 100 + BOOT_HEADER_BYTES,
	     "by calibration %u%% of it and %u KiB: slab, stacks, page tables, buffers",
	     BOOT_HEADER_PERCENT, (unsigned)(BOOT_HEADER_BYTES >> 10));
	return image;
}

/* The buffers that `crashpod load` leaves out elsewhere. */
static void add_protection(struct estimate_reserve *r, const struct estimate_in *in)
{
	char *rest;
	unsigned long major = strtoul(in->image->release, &rest, 10), minor = 0;

	if (*rest == '.')
		minor = strtoul(rest + 1, NULL, 10);
	if (in->protection && (major > 6 || (major == 6 && minor >= 19)))
		part(r, "protection", PROTECTION_BYTES,
		     "buffers for disks with protection information, since 6.19");
}

/* What the kernel gives back before PID 1 runs is there for the dump. */
static void add_dump(struct estimate_reserve *r, const struct estimate_initrd *ird, u64 image)
{
	static const struct estimate_initrd none = { .packed = MIB, .unpacked = 2 * MIB };
	u64 freed, want;

	if (ird)
		part(r, "initramfs", ird->packed + ird->unpacked + ird->window,
		     "%llu KiB as it is loaded, %llu KiB of files%s, %llu KiB to unpack it",
		     (unsigned long long)ird->packed >> 10, (unsigned long long)ird->unpacked >> 10,
		     ird->guessed ? " (assumed)" : "", (unsigned long long)ird->window >> 10);
	else
		part(r, "initramfs", none.packed + none.unpacked, "assumed: there is none yet");
	ird = ird ? ird : &none;
	freed = ird->packed + ird->window + image * INIT_PERCENT / 100;
	want = PROCESS_BYTES + ird->modules;
	part(r, "PID 1 and the dump", want > freed ? want - freed : 0,
	     "%llu KiB, with loaded modules, less what the kernel has given back by then",
	     (unsigned long long)want >> 10);
}

static void add_ram(struct estimate_reserve *r, const struct estimate_in *in)
{
	u64 blocks = in->ram_bytes / (4 * MIB) * 8;
	u64 headers = (in->map ? in->map->n + 4 : 16) * ELF_PHDR +
		      in->possible_cpus * (u64)(ELF_PHDR + CPU_NOTES);

	if (headers < in->headers_bytes)
		headers = in->headers_bytes;
	part(r, "for RAM", blocks + headers,
	     "8 bytes for each 4 MiB of %llu MiB, and headers with the notes of %u CPUs",
	     (unsigned long long)(in->ram_bytes >> 20), in->possible_cpus);
}

void estimate_reserve(struct estimate_reserve *r, const struct estimate_in *in)
{
	u64 image, load;

	memset(r, 0, sizeof(*r));
	image = add_kernel(r, in);
	add_protection(r, in);
	add_dump(r, in->initrd, image);
	part(r, "CPUs", (in->cpus - 1) * CPU_BYTES,
	     "%llu KiB for each but the first: per-CPU memory, stacks, a thread of the dump",
	     (unsigned long long)(CPU_BYTES >> 10));
	add_ram(r, in);
	add_memmap(r, in->map);
	/* kexec puts all of it there, with room to unpack, before the kernel has run */
	load = in->image->init_size + (in->initrd ? in->initrd->packed : MIB) + 2 * MIB;
	if (load > r->bytes)
		part(r, "loading", load - r->bytes, "the image takes %u KiB to unpack itself",
		     in->image->init_size >> 10);
	part(r, "margin", r->bytes * MARGIN_PERCENT / 100, "%u%%", MARGIN_PERCENT);
	r->mib = align_up(r->bytes, MIB) / MIB;
}
