/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdump_fmt.h - the kdump-compressed file and makedumpfile's flattened stream, as they lie on disk.
 * Shape:  block 0: struct kdump_header. Block 1: struct kdump_sub_header, right after it the ELF
 *         notes. From block 1 + sub_hdr_size: bitmap 1 (RAM that exists), then bitmap 2 (pages in
 *         the dump), each half of bitmap_blocks. Then one struct kdump_page_desc for each set bit
 *         of bitmap 2, in pfn order. Then page data, in any order.
 * Units:  a block is block_size bytes, which is the page size; offsets are bytes from the start of
 *         the file; bit n of a bitmap is bit n % 8 of byte n / 8.
 * Order:  LP64 little endian with natural alignment; the flattened stream is big endian.
 * Source: diskdump.h of crash and diskdump_mod.h of makedumpfile, compared field by field. */
#ifndef CRASHPOD_KDUMP_FMT_H
#define CRASHPOD_KDUMP_FMT_H

#include "base/types.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the structs of kdump_fmt.h are read and written as they lie in memory"
#endif

#define KDUMP_SIGNATURE "KDUMP   "
#define KDUMP_SIGNATURE_LEN 8
#define KDUMP_VERSION 6 /* what is written */
/* The version from which on a part of the sub header is there. */
#define KDUMP_VERSION_LEVEL 2
#define KDUMP_VERSION_VMCOREINFO 3
#define KDUMP_VERSION_NOTES 4
#define KDUMP_VERSION_MAX_MAPNR_64 6

#define KDUMP_UTS_LEN 65

enum kdump_uts {
	KDUMP_UTS_SYSNAME,
	KDUMP_UTS_NODENAME,
	KDUMP_UTS_RELEASE,
	KDUMP_UTS_VERSION,
	KDUMP_UTS_MACHINE,
	KDUMP_UTS_DOMAINNAME,
	KDUMP_UTS_FIELDS
};

/* Bits of kdump_header.status, and the compression bits also of kdump_page_desc.flags. No
 * compression bit in a descriptor: the page is stored raw and size is block_size. */
enum kdump_flags {
	KDUMP_ZLIB = 0x01,
	KDUMP_LZO = 0x02,
	KDUMP_SNAPPY = 0x04,
	KDUMP_INCOMPLETE = 0x08,       /* status only */
	KDUMP_EXCLUDED_VMEMMAP = 0x10, /* status only */
	KDUMP_ZSTD = 0x20,
	KDUMP_COMPRESSION_MASK = KDUMP_ZLIB | KDUMP_LZO | KDUMP_SNAPPY | KDUMP_ZSTD,
};

struct kdump_header {
	char signature[KDUMP_SIGNATURE_LEN];
	s32 version;
	char uts[KDUMP_UTS_FIELDS][KDUMP_UTS_LEN]; /* sysname ... domainname */
	u8 pad[6];
	s64 time_s, time_us;
	u32 status;
	s32 block_size;	   /* bytes */
	s32 sub_hdr_size;  /* blocks */
	u32 bitmap_blocks; /* of both bitmaps together */
	u32 max_mapnr;	   /* one past the last pfn; UINT32_MAX where it does not fit */
	u32 total_ram_blocks;
	u32 device_blocks;
	u32 written_blocks;
	u32 current_cpu;
	s32 nr_cpus;
};

struct kdump_sub_header {
	u64 phys_base;
	s32 dump_level;
	s32 split;
	u64 start_pfn, end_pfn;
	s64 vmcoreinfo_off;
	u64 vmcoreinfo_size;
	s64 notes_off;
	u64 notes_size;
	s64 eraseinfo_off;
	u64 eraseinfo_size;
	u64 start_pfn_64, end_pfn_64;
	u64 max_mapnr_64;
};

/* offset 0 with size 0: the page is not there. Several descriptors may share one offset. */
struct kdump_page_desc {
	s64 offset;
	u32 size; /* bytes stored */
	u32 flags;
	u64 page_flags;
};

/* The flattened stream: this header, padded to KDUMP_FLAT_HEADER_SIZE, then records of a
 * kdump_flat_record and its data. */
#define KDUMP_FLAT_SIGNATURE "makedumpfile"
#define KDUMP_FLAT_SIGNATURE_LEN 16 /* padded with NULs */
#define KDUMP_FLAT_HEADER_SIZE 4096
#define KDUMP_FLAT_TYPE 1
#define KDUMP_FLAT_VERSION 1
#define KDUMP_FLAT_END INT64_C(-1) /* offset and size of the last record */

struct kdump_flat_header {
	char signature[KDUMP_FLAT_SIGNATURE_LEN];
	u64 type_be;
	u64 version_be;
};

struct kdump_flat_record {
	u64 offset_be; /* where the data belongs in the file that was flattened */
	u64 size_be;   /* bytes of data that follow */
};

#define KDUMP_AT(type, field, off) \
	_Static_assert(offsetof(struct type, field) == (off), #type "." #field)

_Static_assert(sizeof(struct kdump_header) == 464, "kdump_header");
KDUMP_AT(kdump_header, signature, 0);
KDUMP_AT(kdump_header, version, 8);
KDUMP_AT(kdump_header, uts, 12);
KDUMP_AT(kdump_header, pad, 402);
KDUMP_AT(kdump_header, time_s, 408);
KDUMP_AT(kdump_header, time_us, 416);
KDUMP_AT(kdump_header, status, 424);
KDUMP_AT(kdump_header, block_size, 428);
KDUMP_AT(kdump_header, sub_hdr_size, 432);
KDUMP_AT(kdump_header, bitmap_blocks, 436);
KDUMP_AT(kdump_header, max_mapnr, 440);
KDUMP_AT(kdump_header, total_ram_blocks, 444);
KDUMP_AT(kdump_header, device_blocks, 448);
KDUMP_AT(kdump_header, written_blocks, 452);
KDUMP_AT(kdump_header, current_cpu, 456);
KDUMP_AT(kdump_header, nr_cpus, 460);

_Static_assert(sizeof(struct kdump_sub_header) == 104, "kdump_sub_header");
KDUMP_AT(kdump_sub_header, phys_base, 0);
KDUMP_AT(kdump_sub_header, dump_level, 8);
KDUMP_AT(kdump_sub_header, split, 12);
KDUMP_AT(kdump_sub_header, start_pfn, 16);
KDUMP_AT(kdump_sub_header, end_pfn, 24);
KDUMP_AT(kdump_sub_header, vmcoreinfo_off, 32);
KDUMP_AT(kdump_sub_header, vmcoreinfo_size, 40);
KDUMP_AT(kdump_sub_header, notes_off, 48);
KDUMP_AT(kdump_sub_header, notes_size, 56);
KDUMP_AT(kdump_sub_header, eraseinfo_off, 64);
KDUMP_AT(kdump_sub_header, eraseinfo_size, 72);
KDUMP_AT(kdump_sub_header, start_pfn_64, 80);
KDUMP_AT(kdump_sub_header, end_pfn_64, 88);
KDUMP_AT(kdump_sub_header, max_mapnr_64, 96);

_Static_assert(sizeof(struct kdump_page_desc) == 24, "kdump_page_desc");
KDUMP_AT(kdump_page_desc, offset, 0);
KDUMP_AT(kdump_page_desc, size, 8);
KDUMP_AT(kdump_page_desc, flags, 12);
KDUMP_AT(kdump_page_desc, page_flags, 16);

_Static_assert(sizeof(struct kdump_flat_header) == 32, "kdump_flat_header");
KDUMP_AT(kdump_flat_header, signature, 0);
KDUMP_AT(kdump_flat_header, type_be, 16);
KDUMP_AT(kdump_flat_header, version_be, 24);
_Static_assert(sizeof(struct kdump_flat_record) == 16, "kdump_flat_record");
KDUMP_AT(kdump_flat_record, offset_be, 0);
KDUMP_AT(kdump_flat_record, size_be, 8);

#endif
