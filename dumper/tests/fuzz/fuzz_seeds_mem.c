/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seeds of the targets that read memory, and the table of all. */
#include <stdlib.h>
#include <string.h>

#include "fuzz_seeds.h"

/* An input that grows: memory from address base on, after head bytes for the target itself. */
struct seed_mem {
	u8 buf[0x10000];
	size_t head, base, end;
};

static struct seed_mem *seed_new(size_t head, size_t base)
{
	struct seed_mem *s = calloc(1, sizeof(*s));

	FUZZ_CHECK(s);
	s->head = s->end = head;
	s->base = base;
	return s;
}

static void seed_put(struct seed_mem *s, size_t pa, const void *from, size_t len)
{
	size_t at = s->head + pa - s->base;

	FUZZ_CHECK(pa >= s->base && at < sizeof(s->buf) && len <= sizeof(s->buf) - at);
	memcpy(s->buf + at, from, len);
	s->end = MAX(s->end, at + len);
}

static void seed_put64(struct seed_mem *s, size_t pa, u64 v)
{
	seed_put(s, pa, &v, 8);
}

static void seed_put32(struct seed_mem *s, size_t pa, u32 v)
{
	seed_put(s, pa, &v, 4);
}

static void seed_put16(struct seed_mem *s, size_t pa, u16 v)
{
	seed_put(s, pa, &v, 2);
}

/* Tables in pages 1 to 5, the root first: a large leaf of each size and a small one. */
static void seeds_xlat_one(fuzz_seed_fn give, void *arg, const char *name, bool five)
{
	struct seed_mem *s = seed_new(19, 0);
	u64 base = five ? 0xff00000000000000 : 0xffff800000000000;
	u64 small = base + (1 << 21) + 0x3008, large = base + 0x123456;
	size_t root = five ? 0x1000 : 0x2000;

	s->buf[0] = five;
	s->buf[1] = (u8)(root / 0x1000 - 1);
	memcpy(s->buf + 3, &small, 8);
	memcpy(s->buf + 11, &large, 8);
	if (five)
		seed_put64(s, 0x1000 + 256 * 8, 0x2001);
	seed_put64(s, 0x2000 + (five ? 0 : 256 * 8), 0x3001);
	seed_put64(s, 0x3000, 0x4001);
	seed_put64(s, 0x3008, 0x40000081);
	seed_put64(s, 0x4000, 0x81);
	seed_put64(s, 0x4008, 0x5001);
	seed_put64(s, 0x5018, 0x6001);
	seed_put64(s, 0x5020, 0x8000000000001001);
	give(arg, name, s->buf, s->end);
	free(s);
}

static void seeds_xlat(fuzz_seed_fn give, void *arg)
{
	seeds_xlat_one(give, arg, "four", false);
	seeds_xlat_one(give, arg, "five", true);
}

#define SEED_SECTIONS 0x4080 /* the table of roots is at FUZZ_FREE */
#define SEED_MAP 0x5000
#define SEED_RECORDS 256u

/* A struct page as both kernels have it: flags at 0, compound 8, mapping 24, private 40, mapcount
 * 48. */
static void seed_page(struct seed_mem *s, unsigned pfn, u64 flags, u64 mapping, u64 private,
		      u64 compound, u32 mapcount)
{
	size_t pa = SEED_MAP + pfn * 64;

	seed_put64(s, pa, flags);
	seed_put64(s, pa + 8, compound);
	seed_put64(s, pa + 24, mapping);
	seed_put64(s, pa + 40, private);
	seed_put32(s, pa + 48, mapcount);
}

static void seeds_memmap_one(fuzz_seed_fn give, void *arg, const char *name, u8 kind)
{
	struct seed_mem *s = seed_new(1, FUZZ_FREE);
	u64 map = FUZZ_VA + SEED_MAP;
	u64 lru = kind ? 1u << 5 : 1u << 4, private = kind ? 1u << 14 : 1u << 13;
	u64 head = kind ? 1u << 6 : 1u << 16;
	u32 buddy = kind ? 0xf0000000 : 0xffffff7f;

	s->buf[0] = kind;
	seed_put64(s, FUZZ_FREE, FUZZ_VA + SEED_SECTIONS);
	seed_put64(s, SEED_SECTIONS, map | 3);
	/* the kernel stores it less the records of the sections before */
	seed_put64(s, SEED_SECTIONS + 16, (map + 0x4000 - 4096 * 64) | 3);
	for (unsigned i = 0; i < SEED_RECORDS; i++)
		seed_page(s, i, 0, 0, 0, 0, 0xffffffff);
	seed_page(s, 8, 0, 0, 3, 0, buddy);
	seed_page(s, 16, lru, FUZZ_VA + 0x8000, 0, 0, 0);
	seed_page(s, 17, lru | private, FUZZ_VA + 0x8000, 1, 0, 0);
	seed_page(s, 18, 0, FUZZ_VA + 0x8001, 0, 0, 0);
	seed_page(s, 20, head | lru, FUZZ_VA + 0x8000, 0, 0, 0);
	for (unsigned i = 21; i < 24; i++)
		seed_page(s, i, 0, 0, 0, (map + 20 * 64) | 1, 0);
	/* a tail whose head is of the section before, and one that has none */
	seed_page(s, 30, 0, 0, 0, (map + 0x4000 + 64) | 1, 0);
	seed_page(s, 31, 0, 0, 0, 0x1234567 | 1, 0);
	seed_page(s, 32, kind ? 1u << 21 : 1u << 23, 0, 0, 0, 0);
	seed_page(s, 33, 0, 0, 0, 0, kind ? 0xf1000000 : 0xfffffeff);
	seed_page(s, 64, 0, 0, 31, 0, buddy);
	give(arg, name, s->buf, s->end);
	free(s);
}

static void seeds_memmap(fuzz_seed_fn give, void *arg)
{
	seeds_memmap_one(give, arg, "old", 0);
	seeds_memmap_one(give, arg, "new", 1);
}

const char *const fuzz_log_info[2] = {
	"SYMBOL(prb)=ffffffff80004000\nSIZE(prb_desc)=24\nSIZE(printk_info)=88\n"
	"OFFSET(printk_ringbuffer.desc_ring)=0\nOFFSET(printk_ringbuffer.text_data_ring)=48\n"
	"OFFSET(prb_desc_ring.count_bits)=0\nOFFSET(prb_desc_ring.descs)=8\n"
	"OFFSET(prb_desc_ring.infos)=16\nOFFSET(prb_desc_ring.head_id)=24\n"
	"OFFSET(prb_desc_ring.tail_id)=32\nOFFSET(prb_desc.state_var)=0\n"
	"OFFSET(prb_desc.text_blk_lpos)=8\nOFFSET(prb_data_blk_lpos.begin)=0\n"
	"OFFSET(prb_data_blk_lpos.next)=8\nOFFSET(printk_info.ts_nsec)=8\n"
	"OFFSET(printk_info.text_len)=16\nOFFSET(prb_data_ring.size_bits)=0\n"
	"OFFSET(prb_data_ring.data)=8\nOFFSET(atomic_long_t.counter)=0\n",
	"SYMBOL(log_buf)=ffffffff80004000\nSYMBOL(log_buf_len)=ffffffff80004008\n"
	"SYMBOL(log_first_idx)=ffffffff8000400c\nSYMBOL(log_next_idx)=ffffffff80004010\n"
	"SIZE(printk_log)=24\nOFFSET(printk_log.ts_nsec)=0\nOFFSET(printk_log.len)=8\n"
	"OFFSET(printk_log.text_len)=10\nOFFSET(printk_log.caller_id)=16\n",
};

/* Ring at 4080, descriptors 4100, infos 4200, text 4600; ids from first on. */
static void seeds_dmesg_ring(fuzz_seed_fn give, void *arg, const char *name, u64 first)
{
	static const char *const lines[] = { "Linux version 6", "two\nlines \x1b[m",
					     "Kernel panic - not syncing: x" };
	struct seed_mem *s = seed_new(3, FUZZ_FREE);
	u64 lpos = first << 5;

	s->buf[2] = 0x10;
	seed_put64(s, 0x4000, FUZZ_VA + 0x4080);
	seed_put32(s, 0x4080, 3);
	seed_put64(s, 0x4088, FUZZ_VA + 0x4100);
	seed_put64(s, 0x4090, FUZZ_VA + 0x4200);
	seed_put64(s, 0x4098, (first + ARRAY_SIZE(lines) - 1) & ~(3ull << 62));
	seed_put64(s, 0x40a0, first & ~(3ull << 62));
	seed_put32(s, 0x40b0, 8);
	seed_put64(s, 0x40b8, FUZZ_VA + 0x4600);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		u64 id = (first + i) & ~(3ull << 62), len = strlen(lines[i]);
		size_t desc = 0x4100 + id % 8 * 24, info = 0x4200 + id % 8 * 88;

		seed_put64(s, 0x4600 + lpos % 256, id);
		seed_put(s, 0x4600 + lpos % 256 + 8, lines[i], len);
		seed_put64(s, desc, id | (1ull + i % 2) << 62);
		seed_put64(s, desc + 8, lpos);
		lpos += align_up(8 + len, 8);
		seed_put64(s, desc + 16, lpos);
		seed_put64(s, info + 8, 1234567890 * i);
		seed_put16(s, info + 16, (u16)len);
	}
	give(arg, name, s->buf, s->end);
	free(s);
}

static void seeds_dmesg_old(fuzz_seed_fn give, void *arg)
{
	static const struct {
		u16 at, len, text;
	} records[] = { { 40, 32, 5 }, { 72, 40, 12 }, { 112, 0, 0 }, { 0, 32, 8 } };
	struct seed_mem *s = seed_new(3, FUZZ_FREE);

	s->buf[0] = 1;
	s->buf[1] = 0x80;
	seed_put64(s, 0x4000, FUZZ_VA + 0x4100);
	seed_put32(s, 0x4008, 140);
	seed_put32(s, 0x400c, 40);
	seed_put32(s, 0x4010, 32);
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		size_t at = 0x4100 + records[i].at;

		seed_put64(s, at, i * 1000000);
		seed_put16(s, at + 8, records[i].len);
		seed_put16(s, at + 10, records[i].text);
		seed_put32(s, at + 16, 0x80000001);
		seed_put(s, at + 24, "BUG: a\nline b", records[i].text);
	}
	give(arg, "records", s->buf, s->end);
	free(s);
}

static void seeds_dmesg(fuzz_seed_fn give, void *arg)
{
	seeds_dmesg_ring(give, arg, "ring", 0);
	seeds_dmesg_ring(give, arg, "ring-wraps", ~0ull - 1);
	seeds_dmesg_old(give, arg);
}

/* Records with an address, a flag and a number each; and bytes that have nothing twice. */
static void seeds_zpage(fuzz_seed_fn give, void *arg)
{
	struct seed_mem *s = seed_new(3, 0);

	memcpy(s->buf, "\x00\xff\x0f", 3);
	for (unsigned i = 0; i < 16; i++) {
		seed_put64(s, i * 64, 0xffff888004000000 + i * 64 * (i % 3));
		seed_put64(s, i * 64 + 8, 0x17ffffc0000000);
		seed_put64(s, i * 64 + 56, i);
	}
	give(arg, "records", s->buf, s->end);
	for (size_t i = 0; i < PAGE_SIZE; i++)
		seed_put(s, i, &(u8){ (u8)(i * i * 41 >> 5) }, 1);
	give(arg, "bytes", s->buf, s->end);
	free(s);
}

const struct fuzz_seeds fuzz_seeds[] = {
	{ "conf", fuzz_seeds_conf },   { "record", fuzz_seeds_record },
	{ "dmesg", seeds_dmesg },      { "elf", fuzz_seeds_elf },
	{ "flat", fuzz_seeds_flat },   { "kdump", fuzz_seeds_kdump },
	{ "memmap", seeds_memmap },    { "vmcoreinfo", fuzz_seeds_vmcoreinfo },
	{ "whole", fuzz_seeds_whole }, { "xlat", seeds_xlat },
	{ "zpage", seeds_zpage },      { 0 },
};

const struct fuzz_seeds *fuzz_seeds_find(const char *target)
{
	for (const struct fuzz_seeds *s = fuzz_seeds; s->target; s++) {
		if (strcmp(s->target, target) == 0)
			return s;
	}
	return NULL;
}
