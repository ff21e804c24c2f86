/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib_kdump.h"

#include <assert.h>
#include <elf.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#include "../base/io.h"

#define NOTES_OFF (PAGE_SIZE + sizeof(struct kdump_sub_header))
#define NOTE_HEAD (sizeof(Elf64_Nhdr) + 12)

void test_page_bytes(u8 *page, u64 pfn, u8 fill)
{
	memset(page, fill, PAGE_SIZE);
	memcpy(page, &pfn, sizeof(pfn));
}

static size_t store_page(const struct test_page *p, u8 *to)
{
	u8 page[PAGE_SIZE];
	uLongf zlen = PAGE_SIZE;
	size_t len;

	test_page_bytes(page, p->pfn, p->fill);
	switch (p->how) {
	case KDUMP_ZLIB:
		if (compress2(to, &zlen, page, PAGE_SIZE, 1) != Z_OK)
			abort();
		return zlen;
	case KDUMP_ZSTD:
		len = ZSTD_compress(to, PAGE_SIZE, page, PAGE_SIZE, 1);
		if (ZSTD_isError(len))
			abort();
		return len;
	case KDUMP_LZO:
	case KDUMP_SNAPPY:
		memset(to, 0xaa, 100);
		return 100;
	default:
		memcpy(to, page, PAGE_SIZE);
		return PAGE_SIZE;
	}
}

static void make_headers(struct test_kdump *t, u64 max_pfn, u64 bitmap_blocks, const char *text)
{
	struct kdump_header *h = (struct kdump_header *)t->buf;
	struct kdump_sub_header *sub = (struct kdump_sub_header *)(t->buf + PAGE_SIZE);
	size_t len = strlen(text);
	Elf64_Nhdr nh = { 11, (Elf64_Word)len, 0 };

	memcpy(h->signature, KDUMP_SIGNATURE, KDUMP_SIGNATURE_LEN);
	h->version = KDUMP_VERSION;
	strncpy(h->uts[KDUMP_UTS_MACHINE], "x86_64", KDUMP_UTS_LEN);
	h->status = KDUMP_ZSTD;
	h->block_size = (s32)PAGE_SIZE;
	h->sub_hdr_size = 1;
	h->bitmap_blocks = (u32)bitmap_blocks;
	h->max_mapnr = (u32)max_pfn;
	sub->dump_level = 31;
	sub->notes_off = NOTES_OFF;
	sub->notes_size = align_up(NOTE_HEAD + len, 4);
	sub->vmcoreinfo_off = NOTES_OFF + NOTE_HEAD;
	sub->vmcoreinfo_size = len;
	sub->max_mapnr_64 = max_pfn;
	assert(NOTES_OFF + sub->notes_size <= 2 * PAGE_SIZE);
	memcpy(t->buf + NOTES_OFF, &nh, sizeof(nh));
	memcpy(t->buf + NOTES_OFF + sizeof(nh), "VMCOREINFO", 11);
	memcpy(t->buf + NOTES_OFF + NOTE_HEAD, text, len);
}

struct test_kdump test_kdump_make(u64 max_pfn, const struct test_page *pages, size_t n,
				  const char *vmcoreinfo)
{
	u64 blocks = (max_pfn + PAGE_SIZE * 8 - 1) / (PAGE_SIZE * 8), ndescs = 0, at;
	struct test_kdump t = { .bitmap1 = 2 * PAGE_SIZE };

	t.bitmap2 = t.bitmap1 + blocks * PAGE_SIZE;
	t.descs = t.bitmap2 + blocks * PAGE_SIZE;
	for (size_t i = 0; i < n; i++)
		ndescs += pages[i].how != TEST_EXCLUDED;
	t.data = t.descs + ndescs * sizeof(struct kdump_page_desc);
	t.buf = calloc(1, t.data + n * PAGE_SIZE);
	assert(t.buf);
	make_headers(&t, max_pfn, 2 * blocks, vmcoreinfo);
	at = t.data;
	for (size_t i = 0, k = 0; i < n; i++) {
		const struct test_page *p = &pages[i];
		struct kdump_page_desc d = { .flags = p->how };

		t.buf[t.bitmap1 + p->pfn / 8] |= (u8)(1 << p->pfn % 8);
		if (p->how == TEST_EXCLUDED)
			continue;
		t.buf[t.bitmap2 + p->pfn / 8] |= (u8)(1 << p->pfn % 8);
		if (p->how == TEST_MISSING) {
			k++;
			continue;
		}
		d.offset = (s64)at;
		d.size = (u32)store_page(p, t.buf + at);
		at += d.size;
		memcpy(t.buf + t.descs + k++ * sizeof(d), &d, sizeof(d));
	}
	t.len = at;
	return t;
}

void test_kdump_free(struct test_kdump *t)
{
	free(t->buf);
	t->buf = NULL;
}

void test_patch(struct test_kdump *t, u64 off, size_t width, u64 value)
{
	assert(off + width <= t->len && width <= sizeof(value));
	memcpy(t->buf + off, &value, width);
}

u8 *test_flatten(const u8 *buf, const struct test_flat_piece *p, size_t n, size_t *len)
{
	struct kdump_flat_header head = { KDUMP_FLAT_SIGNATURE, htobe64(KDUMP_FLAT_TYPE),
					  htobe64(KDUMP_FLAT_VERSION) };
	struct kdump_flat_record end = { UINT64_MAX, UINT64_MAX };
	size_t total = KDUMP_FLAT_HEADER_SIZE + sizeof(end), at = KDUMP_FLAT_HEADER_SIZE;
	u8 *out;

	for (size_t i = 0; i < n; i++)
		total += sizeof(end) + p[i].size;
	out = calloc(1, total);
	assert(out);
	memcpy(out, &head, sizeof(head));
	for (size_t i = 0; i < n; i++) {
		struct kdump_flat_record r = { htobe64(p[i].off), htobe64(p[i].size) };

		memcpy(out + at, &r, sizeof(r));
		memcpy(out + at + sizeof(r), buf + p[i].off, p[i].size);
		at += sizeof(r) + p[i].size;
	}
	memcpy(out + at, &end, sizeof(end));
	*len = total;
	return out;
}

struct test_file test_file_make(const void *buf, size_t len)
{
	struct test_file f = { .fd = memfd_create("test", MFD_CLOEXEC) };

	if (f.fd < 0 || io_write_all(f.fd, buf, len))
		abort();
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}
