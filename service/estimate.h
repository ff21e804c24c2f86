/* SPDX-License-Identifier: GPL-2.0-or-later */
/* estimate.h - what a capture on this machine, as it runs now, will need: reserved memory, room
 * for the dump, time. What cannot be read is named among the notes, and the rest is still said.
 * In:     root: "" or another root directory, as in tree.h.
 * Units:  bytes, unless the name says otherwise.
 * Source: docs/estimate.md for the model and how far it was off. */
#ifndef CRASHPOD_ESTIMATE_H
#define CRASHPOD_ESTIMATE_H

#include "base/conf.h"
#include "base/err.h"
#include "base/types.h"
#include "classify.h"

#define ESTIMATE_PARTS_MAX 12
#define ESTIMATE_NOTES_MAX 16
#define ESTIMATE_RANGES_MAX 256

/* One part of the reservation, and where its size comes from. */
struct estimate_part {
	const char *name;
	u64 bytes;
	char why[200];
};

struct estimate_notes {
	char text[ESTIMATE_NOTES_MAX][240];
	unsigned n;
};

void estimate_note(struct estimate_notes *notes, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* --- the reservation ------------------------------------------------------------------------ */

/* A bzImage as its setup header describes it. */
struct estimate_image {
	u32 init_size;	   /* from the load address on, while it unpacks itself */
	char release[128]; /* its uname -r; empty where it does not say */
};

/* head: the first bytes of the file. -EINVAL: no bzImage of x86. */
int estimate_image_read(struct estimate_image *img, const u8 *head, size_t len, struct err *e);

/* An initramfs. */
struct estimate_initrd {
	u64 packed, unpacked; /* file; pages of the files in it */
	u64 window;	      /* what the kernel's decompressor takes beside both */
	u64 modules;	      /* of the kernel modules in it */
	bool guessed;	      /* in a compression that cannot be looked into */
};

int estimate_initrd_read(struct estimate_initrd *ird, const char *path, struct err *e);

/* RAM by /proc/iomem, and what lies in it. Addresses are zero where the reader is not root. */
struct estimate_map {
	struct estimate_range {
		u64 start, end; /* end: the first byte behind */
	} ram[ESTIMATE_RANGES_MAX];
	unsigned n;
	u64 ram_bytes;
	/* the running kernel's, bss and all; 0: not there */
	u64 image_start, bss_start, image_end;
	u64 crash_start, crash_end; /* the reservation below 4 GiB, or the only one */
	u64 crash_high_start, crash_high_end;
};

/* -EACCES: the addresses are hidden. */
int estimate_map_parse(struct estimate_map *map, const char *text, struct err *e);

struct estimate_reserve {
	struct estimate_part parts[ESTIMATE_PARTS_MAX];
	unsigned n;
	u64 bytes; /* with the margin */
	u64 mib;   /* the value for crashkernel= */
};

/* What the reservation is computed from. map: NULL where /proc/iomem does not say. */
struct estimate_in {
	const struct estimate_image *image;
	const struct estimate_initrd *initrd; /* NULL: there is none yet */
	const struct estimate_map *map;
	bool same;		/* the running kernel is the capture kernel */
	u64 ram_bytes;		/* 0: not known */
	unsigned cpus;		/* of the capture kernel */
	unsigned possible_cpus; /* of the production kernel: each has notes */
	u64 headers_bytes;	/* of the vmcore, as the production kernel says; 0: it does not */
	bool protection;	/* a disk has protection information, see spare.h */
};

void estimate_reserve(struct estimate_reserve *r, const struct estimate_in *in);

/* --- the dump ------------------------------------------------------------------------------- */

/* PC_UNKNOWN stands for pages that the kernel took before it had an allocator: mostly the memory
 * map, which PC_MEMMAP counts again, out of it. */
#define ESTIMATE_EARLY PC_UNKNOWN
#define ESTIMATE_SAMPLE 1024		/* pages of a class */
#define ESTIMATE_SAMPLE_FREE 8192	/* of free ones: few of them hold anything */
#define ESTIMATE_SCAN ((size_t)1 << 20) /* pages that are looked through for repeated ones */
#define ESTIMATE_MAP_SAMPLE 2048	/* pages of the memory map */

struct estimate_pages {
	const char *source; /* the file that they were counted by; NULL: none */
	u64 ram;
	u64 class[PC_COUNT];
	u64 *picked[PC_COUNT]; /* pfns; NULL where there are none */
	unsigned npicked[PC_COUNT];
	u64 *scan; /* of the first pages of RAM: pfn << 8 | class */
	size_t nscan;
};

/* The class of a page by its /proc/kpageflags; *head: of the last page that was no tail. */
enum page_class estimate_class(u64 flags, enum page_class *head);

int estimate_pages_count(struct estimate_pages *p, const char *root, const struct estimate_map *map,
			 struct err *e);
/* Without root: by /proc/meminfo and /proc/zoneinfo. */
int estimate_pages_guess(struct estimate_pages *p, const char *meminfo, const char *zoneinfo,
			 struct err *e);
void estimate_pages_free(struct estimate_pages *p);

/* What a page of a class is in a dump, from a sample or from other machines. */
struct estimate_ratio {
	unsigned pages;	    /* of the sample; 0: assumed */
	double zero;	    /* part of them that is zeros */
	double bytes;	    /* stored for one, on average, zero ones and all */
	double filled;	    /* part of them that is not one word over and over */
	double compress_ns; /* for one, on this CPU */
};

struct estimate_sample {
	struct estimate_ratio class[PC_COUNT];
	struct estimate_ratio map; /* of the memory map, made by templates; pages 0: not sampled */
	u64 map_pages;		   /* that the kernel maps it with; 0: not known */
	double repeated[PC_COUNT]; /* part of the pages that are stored once with others */
	double map_plain;	   /* bytes of one without templates */
	unsigned pages;		   /* in all */
};

void estimate_sample_assume(struct estimate_sample *s);
/* Reads /proc/kcore: only pages that the counting picked. */
int estimate_sample_read(struct estimate_sample *s, const char *root,
			 const struct estimate_pages *p, const struct conf *conf, struct err *e);

struct estimate_dump {
	u64 pages, bytes; /* written; of the file */
	double seconds;
};

/* disk_mb_s: what the target takes. */
void estimate_dump(struct estimate_dump *d, const struct estimate_pages *p,
		   const struct estimate_sample *s, const struct conf *conf, unsigned level,
		   unsigned threads, unsigned disk_mb_s);

#endif
