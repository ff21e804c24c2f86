/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source_kdump.c - memory from a kdump-compressed file. The descriptor of a page is found by its
 * index: the bits set before it in bitmap 2. kdump_file has them counted up to each chunk; the rest
 * is counted in the window's copy of the chunk. */
#include "source_kdump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kdump_page.h"
#include "source_backends.h"

#define KDUMP_DESCS 64 /* descriptors read at once */
#define KDUMP_LEVEL_MAX 31

struct kdump_window {
	u64 chunk; /* whose bits are in words; ~0: none */
	u64 words[KDUMP_CHUNK_WORDS];
	u64 index;     /* of descs[0] */
	size_t ndescs; /* read; 0: none */
	struct kdump_page_desc descs[KDUMP_DESCS];
	struct kdump_decoder dec;
};

static int kdump_bits(struct source *s, u64 pfn, size_t n, u64 *ram, u64 *have, struct err *e)
{
	const struct kdump_file *k = s->priv;
	int rc = kdump_file_bits(k, KDUMP_RAM, pfn, n, ram, e);

	if (!rc)
		rc = kdump_file_bits(k, KDUMP_DUMPED, pfn, n, have, e);
	for (size_t i = 0; !rc && i < n / 64; i++)
		have[i] &= ram[i];
	return rc;
}

static int kdump_window_open(struct window *w, struct err *e)
{
	struct kdump_window *kw = calloc(1, sizeof(*kw));

	int rc;

	w->buf = malloc(w->cap);
	if (!kw || !w->buf)
		rc = err_sys(e, -ENOMEM, "window of %zu bytes", w->cap);
	else
		rc = kdump_decoder_init(&kw->dec, e);
	if (rc) {
		free(kw);
		free(w->buf);
		return rc;
	}
	kw->chunk = UINT64_MAX;
	w->priv = kw;
	return 0;
}

static void kdump_window_close(struct window *w)
{
	struct kdump_window *kw = w->priv;

	kdump_decoder_deinit(&kw->dec);
	free(kw);
	free(w->buf);
}

/* Why a page has no descriptor: excluded from the dump, or no RAM at all. */
static int kdump_absent(const struct kdump_file *k, u64 pfn, struct err *e)
{
	u64 word = 0;
	int rc = kdump_file_bits(k, KDUMP_RAM, pfn / 64 * 64, 64, &word, e);

	if (rc)
		return rc;
	if ((word >> pfn % 64 & 1) && (pfn < k->first_pfn || pfn >= k->end_pfn))
		return err_set(e, -ENODATA, "pfn %#" PRIx64 " is not in this part of the dump",
			       pfn);
	if (word >> pfn % 64 & 1)
		return err_set(e, -ENODATA, "pfn %#" PRIx64 " was left out of the dump", pfn);
	return err_set(e, -ENXIO, "pfn %#" PRIx64 " is not RAM", pfn);
}

static int kdump_find(struct kdump_window *kw, const struct kdump_file *k, u64 pfn,
		      struct kdump_page_desc *d, struct err *e)
{
	u64 chunk = pfn / KDUMP_CHUNK_PAGES, bit = pfn % KDUMP_CHUNK_PAGES, index;
	int rc;

	if (pfn >= k->max_pfn)
		return err_set(e, -ENXIO, "pfn %#" PRIx64 " is not RAM", pfn);
	if (kw->chunk != chunk) {
		kw->chunk = UINT64_MAX;
		rc = kdump_file_bits(k, KDUMP_DUMPED, chunk * KDUMP_CHUNK_PAGES, KDUMP_CHUNK_PAGES,
				     kw->words, e);
		if (rc)
			return rc;
		kw->chunk = chunk;
	}
	if (!(kw->words[bit / 64] >> bit % 64 & 1))
		return kdump_absent(k, pfn, e);
	index = k->before[chunk];
	for (size_t i = 0; i < bit / 64; i++)
		index += __builtin_popcountll(kw->words[i]);
	index += __builtin_popcountll(kw->words[bit / 64] & (((u64)1 << bit % 64) - 1));
	if (index < kw->index || index - kw->index >= kw->ndescs) {
		kw->ndescs = 0;
		rc = kdump_file_descs(k, index, MIN(KDUMP_DESCS, k->npages - index), kw->descs, e);
		if (rc)
			return rc;
		kw->index = index;
		kw->ndescs = MIN(KDUMP_DESCS, k->npages - index);
	}
	*d = kw->descs[index - kw->index];
	return 0;
}

static int kdump_get_page(struct window *w, u64 pfn, u8 *to, struct err *e)
{
	struct kdump_window *kw = w->priv;
	const struct kdump_file *k = w->src->priv;
	struct kdump_page_desc d;
	int rc = kdump_find(kw, k, pfn, &d, e);

	if (rc)
		return rc;
	rc = kdump_page_read(&kw->dec, k, &d, to, e);
	if (rc)
		err_ctx(e, "pfn %#" PRIx64, pfn);
	return rc;
}

/* buf holds map_len bytes from the physical address map_off on. */
static int kdump_window_get(struct window *w, u64 pa, size_t want, const u8 **p, size_t *got,
			    struct err *e)
{
	if (pa < w->map_off || pa - w->map_off >= w->map_len) {
		u64 pfn = pa / PAGE_SIZE;
		int rc;

		w->map_len = 0;
		w->map_off = pfn * PAGE_SIZE;
		rc = kdump_get_page(w, pfn, w->buf, e);
		if (rc)
			return rc;
		w->map_len = PAGE_SIZE;
		/* A page that fails here is met again, and told, when it is asked for first. */
		while (w->map_len - (pa - w->map_off) < want && w->map_len < w->cap &&
		       !kdump_get_page(w, ++pfn, w->buf + w->map_len, NULL))
			w->map_len += PAGE_SIZE;
	}
	*p = w->buf + (pa - w->map_off);
	*got = MIN(want, w->map_len - (pa - w->map_off));
	return 0;
}

static void kdump_close(struct source *s)
{
	kdump_file_close(s->priv);
	s->priv = NULL;
}

static const struct source_ops kdump_ops = {
	.name = "kdump",
	.bits = kdump_bits,
	.window_open = kdump_window_open,
	.window_get = kdump_window_get,
	.window_close = kdump_window_close,
	.close = kdump_close,
};

const struct kdump_file *source_kdump_file(const struct source *s)
{
	return s->ops == &kdump_ops ? s->priv : NULL;
}

/* Whether what the descriptors name can be read. A file that says it is incomplete is taken as it
 * is; otherwise what is missing or stored in an unsupported way must be asked for. */
static int kdump_whole(struct source *s, const struct kdump_file *k, unsigned flags, struct err *e)
{
	struct kdump_file_scan scan;
	int rc = kdump_file_scan(k, &scan, e);
	u32 unknown = scan.compression & (KDUMP_LZO | KDUMP_SNAPPY);

	if (rc)
		return rc;
	s->incomplete = kdump_file_incomplete(k) || kdump_file_is_part(k) ||
			scan.end > k->view.size || unknown;
	if (flags & SOURCE_PARTIAL)
		return 0;
	if (unknown)
		return err_set(e, -ENOTSUP, "pages are stored with an unsupported compression: %s",
			       unknown & KDUMP_LZO ? "lzo" : "snappy");
	if (scan.end > k->view.size && !kdump_file_incomplete(k))
		return err_set(e, -EINVAL,
			       "truncated: page data ends at byte %" PRIu64
			       ", the file at %" PRIu64,
			       scan.end, k->view.size);
	return 0;
}

int source_kdump_open_view(struct source *s, const struct fileview *view, unsigned flags,
			   struct err *e)
{
	struct kdump_file *k = NULL;
	int rc;

	s->ops = &kdump_ops;
	rc = kdump_file_open(&k, view, flags & SOURCE_PARTIAL, e);
	if (rc)
		return rc;
	s->priv = k;
	rc = kdump_whole(s, k, flags, e);
	if (rc)
		return rc;
	s->max_pfn = k->max_pfn;
	if (k->sub.dump_level > 0)
		s->excluded_level = MIN(k->sub.dump_level, KDUMP_LEVEL_MAX);
	s->notes = k->notes;
	s->notes_len = k->notes_len;
	return 0;
}

int source_kdump_open(struct source *s, unsigned flags, struct err *e)
{
	struct fileview view;
	int rc;

	s->ops = &kdump_ops;
	rc = source_view(s, &view, e);
	return rc ? rc : source_kdump_open_view(s, &view, flags, e);
}
