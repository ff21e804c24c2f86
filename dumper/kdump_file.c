/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kdump_file.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define KDUMP_NOTES_MAX (64u << 20)
#define KDUMP_DESCS_READ 128	     /* at once */
#define KDUMP_PFN_MAX ((u64)1 << 36) /* 256 TiB of RAM */

static const char kdump_vmcoreinfo_name[] = "VMCOREINFO";

bool kdump_file_incomplete(const struct kdump_file *k)
{
	return (k->head.status & KDUMP_INCOMPLETE) || k->view.cut;
}

bool kdump_file_is_part(const struct kdump_file *k)
{
	return k->sub.split;
}

static int kdump_read_headers(struct kdump_file *k, struct err *e)
{
	const struct kdump_header *h = &k->head;
	int rc = fileview_read(&k->view, &k->head, sizeof(k->head), 0, "kdump header", e);

	if (rc)
		return rc;
	if (memcmp(h->signature, KDUMP_SIGNATURE, KDUMP_SIGNATURE_LEN))
		return err_set(e, -EINVAL, "kdump header: no signature \"%s\"", KDUMP_SIGNATURE);
	if (h->version < 1)
		return err_set(e, -EINVAL, "kdump header: version %d", h->version);
	if (h->block_size != (s32)PAGE_SIZE)
		return err_set(e, -ENOTSUP, "kdump header: block_size %d, only %zu is read",
			       h->block_size, PAGE_SIZE);
	if (h->sub_hdr_size < 1)
		return err_set(e, -EINVAL, "kdump header: sub_hdr_size %d", h->sub_hdr_size);
	rc = fileview_read(&k->view, &k->sub, sizeof(k->sub), PAGE_SIZE, "kdump sub header", e);
	if (rc)
		return rc;
	/* Older versions end before what newer ones have: what follows there are other bytes. */
	if (h->version < KDUMP_VERSION_LEVEL)
		k->sub.dump_level = 0;
	if (h->version < KDUMP_VERSION_VMCOREINFO) {
		k->sub.split = 0;
		k->sub.vmcoreinfo_size = 0;
	}
	if (h->version < KDUMP_VERSION_NOTES)
		k->sub.notes_size = 0;
	if (k->sub.split && !k->partial)
		return err_set(
			e, -ENOTSUP,
			"one part of a split dump: join them with makedumpfile --reassemble");
	return 0;
}

static int kdump_layout(struct kdump_file *k, struct err *e)
{
	const struct kdump_header *h = &k->head;
	u64 size = k->view.size, half = (u64)h->bitmap_blocks / 2 * PAGE_SIZE;

	k->max_pfn = h->version >= KDUMP_VERSION_MAX_MAPNR_64 ? k->sub.max_mapnr_64 : h->max_mapnr;
	if (k->max_pfn == 0 || k->max_pfn > KDUMP_PFN_MAX)
		return err_set(e, -EINVAL, "kdump header: max_mapnr %" PRIu64, k->max_pfn);
	if (half < (k->max_pfn + 7) / 8)
		return err_set(e, -EINVAL, "kdump header: %u bitmap blocks for %" PRIu64 " pages",
			       h->bitmap_blocks, k->max_pfn);
	k->end_pfn = k->max_pfn;
	if (k->sub.split) {
		bool wide = h->version >= KDUMP_VERSION_MAX_MAPNR_64;

		k->first_pfn = wide ? k->sub.start_pfn_64 : k->sub.start_pfn;
		k->end_pfn = MIN(wide ? k->sub.end_pfn_64 : k->sub.end_pfn, k->max_pfn);
	}
	/* All three are below 2^45: no sum wraps. */
	k->bitmap[KDUMP_RAM] = PAGE_SIZE + (u64)h->sub_hdr_size * PAGE_SIZE;
	k->bitmap[KDUMP_DUMPED] = k->bitmap[KDUMP_RAM] + half;
	k->descs = k->bitmap[KDUMP_RAM] + (u64)h->bitmap_blocks * PAGE_SIZE;
	if (k->descs > size)
		return err_set(e, -EINVAL,
			       "file ends before the bitmaps do: %" PRIu64 " of %" PRIu64 " bytes",
			       size, k->descs);
	return 0;
}

static int kdump_count(struct kdump_file *k, struct err *e)
{
	u64 words[KDUMP_CHUNK_WORDS];

	k->nchunks = (k->max_pfn + KDUMP_CHUNK_PAGES - 1) / KDUMP_CHUNK_PAGES;
	k->before = calloc(k->nchunks, sizeof(*k->before));
	if (!k->before)
		return err_sys(e, -ENOMEM, "%" PRIu64 " bitmap chunks", k->nchunks);
	for (u64 c = 0; c < k->nchunks; c++) {
		int rc = kdump_file_bits(k, KDUMP_DUMPED, c * KDUMP_CHUNK_PAGES, KDUMP_CHUNK_PAGES,
					 words, e);

		if (rc)
			return rc;
		k->before[c] = k->npages;
		for (size_t i = 0; i < KDUMP_CHUNK_WORDS; i++)
			k->npages += __builtin_popcountll(words[i]);
	}
	k->data = k->descs + k->npages * sizeof(struct kdump_page_desc);
	if (k->data > k->view.size && !k->partial && !kdump_file_incomplete(k))
		return err_set(e, -EINVAL,
			       "file ends before the page descriptors do: %" PRIu64 " of %" PRIu64
			       " bytes",
			       k->view.size, k->data);
	return 0;
}

static int kdump_notes_at(struct kdump_file *k, const char *what, s64 off, u64 size, u8 *to,
			  struct err *e)
{
	if (off < 0 || (u64)off > k->view.size || size > k->view.size - (u64)off)
		return err_set(e, -EINVAL,
			       "%s: %" PRIu64 " bytes at %" PRId64 " are not in the file", what,
			       size, off);
	return fileview_read(&k->view, to, size, off, what, e);
}

/* The notes, or the vmcoreinfo dressed as the one note that the rest of the program looks for. */
static int kdump_read_notes(struct kdump_file *k, struct err *e)
{
	const struct kdump_sub_header *sub = &k->sub;
	bool bare = !sub->notes_size && sub->vmcoreinfo_size;
	u64 size = bare ? sub->vmcoreinfo_size : sub->notes_size;
	size_t head = bare ? sizeof(Elf64_Nhdr) + align_up(sizeof(kdump_vmcoreinfo_name), 4) : 0;
	const char *what = bare ? "vmcoreinfo" : "notes";
	Elf64_Nhdr nh;

	if (!size)
		return 0;
	if (size > KDUMP_NOTES_MAX)
		return err_set(e, -EINVAL, "%s: %" PRIu64 " bytes, more than %u", what, size,
			       KDUMP_NOTES_MAX);
	k->notes_len = head + align_up(size, bare ? 4 : 1);
	k->notes = calloc(1, k->notes_len);
	if (!k->notes)
		return err_sys(e, -ENOMEM, "%s of %" PRIu64 " bytes", what, size);
	if (bare) {
		nh = (Elf64_Nhdr){ sizeof(kdump_vmcoreinfo_name), size, 0 };
		memcpy(k->notes, &nh, sizeof(nh));
		memcpy(k->notes + sizeof(nh), kdump_vmcoreinfo_name, sizeof(kdump_vmcoreinfo_name));
	}
	return kdump_notes_at(k, what, bare ? sub->vmcoreinfo_off : sub->notes_off, size,
			      k->notes + head, e);
}

int kdump_file_open(struct kdump_file **out, const struct fileview *view, bool partial,
		    struct err *e)
{
	struct kdump_file *k = calloc(1, sizeof(*k));
	struct fileview owned = *view;
	int rc;

	if (!k) {
		fileview_deinit(&owned);
		return err_sys(e, -ENOMEM, "kdump file");
	}
	k->view = owned;
	k->partial = partial;
	rc = kdump_read_headers(k, e);
	if (!rc)
		rc = kdump_layout(k, e);
	if (!rc)
		rc = kdump_read_notes(k, e);
	if (!rc)
		rc = kdump_count(k, e);
	if (rc) {
		kdump_file_close(k);
		return rc;
	}
	*out = k;
	return 0;
}

void kdump_file_close(struct kdump_file *k)
{
	if (!k)
		return;
	fileview_deinit(&k->view);
	free(k->before);
	free(k->notes);
	free(k);
}

/* Clears the bits of the pages that another part holds. */
static void kdump_bits_of_part(const struct kdump_file *k, u64 pfn, size_t n, u64 *words)
{
	for (size_t i = 0; i < n; i++)
		if (pfn + i < k->first_pfn || pfn + i >= k->end_pfn)
			words[i / 64] &= ~((u64)1 << i % 64);
}

int kdump_file_bits(const struct kdump_file *k, enum kdump_bitmap which, u64 pfn, size_t n,
		    u64 *words, struct err *e)
{
	static const char *const name[] = { "bitmap 1", "bitmap 2" };
	u64 left = pfn < k->max_pfn ? k->max_pfn - pfn : 0;
	size_t bits = MIN(n, left), bytes = (bits + 7) / 8;
	int rc;

	memset(words, 0, n / 8);
	if (!bits)
		return 0;
	rc = fileview_read(&k->view, words, bytes, k->bitmap[which] + pfn / 8, name[which], e);
	if (!rc && bits % 64)
		words[bits / 64] &= ((u64)1 << bits % 64) - 1;
	if (!rc && which == KDUMP_DUMPED && kdump_file_is_part(k))
		kdump_bits_of_part(k, pfn, n, words);
	return rc;
}

int kdump_file_descs(const struct kdump_file *k, u64 index, size_t n, struct kdump_page_desc *d,
		     struct err *e)
{
	size_t len = n * sizeof(*d);
	ssize_t got = fileview_pread(&k->view, d, len, k->descs + index * sizeof(*d));

	if (got < 0)
		return err_sys(e, got, "page descriptor %" PRIu64, index);
	if ((size_t)got < len && !k->partial && !kdump_file_incomplete(k))
		return err_set(e, -EIO, "page descriptor %" PRIu64 ": read %zd of %zu bytes", index,
			       got, len);
	got -= got % sizeof(*d);
	memset((u8 *)d + got, 0, len - got);
	return 0;
}

int kdump_file_scan(const struct kdump_file *k, struct kdump_file_scan *scan, struct err *e)
{
	struct kdump_page_desc d[KDUMP_DESCS_READ];

	*scan = (struct kdump_file_scan){ .end = k->data };
	for (u64 at = 0; at < k->npages; at += ARRAY_SIZE(d)) {
		size_t n = MIN(ARRAY_SIZE(d), k->npages - at);
		int rc = kdump_file_descs(k, at, n, d, e);

		if (rc)
			return rc;
		for (size_t i = 0; i < n; i++) {
			if (d[i].offset >= 0 && d[i].size <= PAGE_SIZE)
				scan->end = MAX(scan->end, (u64)d[i].offset + d[i].size);
			if (d[i].size)
				scan->compression |= d[i].flags & KDUMP_COMPRESSION_MASK;
		}
	}
	return 0;
}

bool kdump_file_none(const struct kdump_file *k, u64 index, const struct kdump_page_desc *d)
{
	u64 end = k->descs + (index + 1) * sizeof(*d);

	return !d->offset && !d->size && !k->view.cut && end <= k->view.size;
}

int kdump_file_check(const struct kdump_file *k, const struct kdump_page_desc *d, struct err *e)
{
	u64 off = d->offset;

	if (!d->offset && !d->size)
		return err_set(e, -ENODATA, "page is not in the dump");
	/* across the end of a disk block, of which one was written before the machine died */
	if (kdump_file_incomplete(k) && (!d->offset || !d->size))
		return err_set(e, -ENODATA, "only a half of the page's descriptor is in the dump");
	if (!d->size || d->size > PAGE_SIZE)
		return err_set(e, -EBADMSG, "stored size %u", d->size);
	if (!(d->flags & KDUMP_COMPRESSION_MASK) && d->size != PAGE_SIZE)
		return err_set(e, -EBADMSG, "not compressed, but stored size %u", d->size);
	if (d->offset < 0 || off < k->data)
		return err_set(e, -EBADMSG,
			       "offset %" PRId64
			       " is before the page data, which begins at %" PRIu64,
			       d->offset, k->data);
	if (off > k->view.size || d->size > k->view.size - off)
		return err_set(e, -ENODATA, "file ends before the page: offset %" PRIu64, off);
	return 0;
}
