/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdump_worker.c - pages into a kdump-compressed file, by one thread. A worker fills a buffer of
 * its own, takes a place in the file for it, writes it, and only then the descriptors that point
 * into it: nothing on disk ever points at what is not there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "classify.h"
#include "maptmpl.h"
#include "out_kdump_int.h"
#include "sparse.h"

#define BUF_BYTES ((size_t)512 << 10)
#define BUF_PAGES 4096 /* descriptors waiting for one buffer */
#define BUF_RUNS 512
#define PENDING 512
#define PIECE_BYTES ((size_t)16 << 10) /* what is tried where there is no room for a buffer */
#define CONST_SLOTS 64		       /* constant pages remembered by each worker */
#define IN_FILE ((s64)1 << 62) /* in a waiting descriptor: offset is final, not in the buffer */

/* One constant page that has been stored: all zeros in size while the slot is free. */
struct const_slot {
	u64 word;
	struct kdump_page_desc desc;
};

struct out_worker {
	struct out_kdump *ok;
	struct compressor *comp;
	struct maptmpl *tmpl; /* NULL: not with this compression, or no memory for it */
	u8 *buf;
	size_t len;
	struct kdump_page_desc *descs; /* offsets in buf until it is written */
	size_t ndescs;
	struct desc_run {
		u64 index; /* of its first page */
		size_t n;
	} runs[BUF_RUNS];
	size_t nruns;
	struct window win; /* to look at a page again */
	u64 copy[PAGE_SIZE / 8];
	struct pending {
		u64 hash, pfn;
		u32 desc;   /* number among descs */
	} pending[PENDING]; /* pages that others may be the same as, once they are in the file */
	size_t npending;
	bool hurry; /* a level below 0: what seldom repeats is not looked up */
	struct const_slot consts[CONST_SLOTS];
	struct out_counts counts;
};

size_t kdump_store_page(const struct out_kdump *ok, struct compressor *c, const u8 *page, u8 *to,
			struct kdump_page_desc *d)
{
	size_t n = compressor_page(c, page, to, PAGE_SIZE);

	d->flags = n ? compress_flag(ok->out.opts->compress) : 0;
	if (n == 0) {
		memcpy(to, page, PAGE_SIZE);
		n = PAGE_SIZE;
	}
	d->size = (u32)n;
	d->page_flags = 0;
	return n;
}

void kdump_worker_close(struct out_worker *w, struct out_counts *counts)
{
	counts->pages += w->counts.pages;
	counts->zero += w->counts.zero;
	counts->duplicate += w->counts.duplicate;
	compressor_close(w->comp);
	maptmpl_close(w->tmpl);
	free(w->buf);
	free(w->descs);
	window_close(&w->win);
	free(w);
}

int kdump_worker_open(struct out *o, struct out_worker **out, struct err *e)
{
	struct out_worker *w = calloc(1, sizeof(*w));
	struct out_counts none = { 0 };
	int rc;

	if (!w)
		return err_sys(e, -ENOMEM, "worker");
	w->ok = (struct out_kdump *)o;
	w->hurry = o->opts->compress == COMPRESS_ZSTD && o->opts->compress_level < 0;
	w->descs = malloc(BUF_PAGES * sizeof(*w->descs));
	if (posix_memalign((void **)&w->buf, PAGE_SIZE, BUF_BYTES))
		w->buf = NULL;
	rc = w->buf && w->descs ? 0 : err_sys(e, -ENOMEM, "write buffer of %zu bytes", BUF_BYTES);
	if (rc == 0)
		rc = compressor_open(&w->comp, o->opts->compress, o->opts->compress_level, e);
	if (rc == 0)
		rc = window_open(&w->win, o->core->src, PAGE_SIZE, e);
	if (o->opts->compress == COMPRESS_ZSTD)
		w->tmpl = maptmpl_open();
	if (rc)
		kdump_worker_close(w, &none);
	else
		*out = w;
	return rc;
}

static void settle_desc(struct kdump_page_desc *d, u64 base)
{
	if (d->offset & IN_FILE)
		d->offset &= ~IN_FILE;
	else
		d->offset += (s64)base;
}

/* Gives the constant pages their final offset. */
static void settle_consts(struct out_worker *w, u64 base)
{
	for (size_t i = 0; i < CONST_SLOTS; i++) {
		struct kdump_page_desc *d = &w->consts[i].desc;

		if (d->size) {
			settle_desc(d, base);
			d->offset |= IN_FILE;
		}
	}
}

/* From here on other pages may be found to be the same as these. */
static void publish(struct out_worker *w)
{
	for (size_t i = 0; i < w->npending; i++) {
		const struct pending *p = &w->pending[i];
		const struct kdump_page_desc *d = &w->descs[p->desc];
		struct dedup_page at = { p->pfn, (u64)d->offset, d->size, d->flags };

		dedup_add(w->ok->dedup, p->hash, &at);
	}
}

/* Also where the file may not grow: there may be room for the beginning. */
static bool no_room(int rc)
{
	return err_is_full(rc) || rc == -EFBIG;
}

/* Writes the buffer at base. Where there is no room for all of it there may be for its beginning:
 * *done is how much of it is in the file, also after an error. */
static int write_data(struct out_worker *w, size_t bytes, u64 base, size_t *done, struct err *e)
{
	struct sink *sink = w->ok->out.sink;
	int rc = sink_pwrite(sink, w->buf, bytes, base, e);

	*done = rc ? 0 : bytes;
	/* a stream has no place to try again */
	while (sink->holes && no_room(rc) && *done < bytes) {
		size_t n = MIN(bytes - *done, PIECE_BYTES);

		if (sink_pwrite(sink, w->buf + *done, n, base + *done, NULL))
			break;
		*done += n;
	}
	return rc;
}

/* Writes the descriptors of what is in the file: of data at base, the first done bytes. Others
 * stay as they are, and say that their page is missing. */
static int write_descs(struct out_worker *w, u64 base, size_t done, struct err *e)
{
	struct sink *sink = w->ok->out.sink;
	struct kdump_page_desc *d = w->descs;
	int rc = 0;

	for (size_t i = 0; i < w->nruns && rc == 0; d += w->runs[i++].n) {
		const struct desc_run *r = &w->runs[i];
		size_t n = 0;

		for (size_t k = 0; k < r->n; k++) {
			bool there = (d[k].offset & IN_FILE) ||
				     (u64)d[k].offset + d[k].size <= done;

			settle_desc(&d[k], base);
			if (!there)
				memset(&d[k], 0, sizeof(d[k]));
			n += there;
		}
		rc = sink_pwrite(sink, d, r->n * sizeof(*d),
				 w->ok->layout.descs + r->index * sizeof(*d), e);
		if (rc == 0)
			w->counts.pages += n;
	}
	return rc;
}

int kdump_worker_flush(struct out_worker *w, struct err *e)
{
	struct sink *sink = w->ok->out.sink;
	size_t bytes = align_up(w->len, sink->align), done = 0;
	u64 base = 0;
	int rc = 0;

	if (w->ndescs == 0)
		return 0;
	if (w->len) {
		memset(w->buf + w->len, 0, bytes - w->len);
		base = sink_alloc(sink, bytes);
		rc = write_data(w, bytes, base, &done, e);
	}
	settle_consts(w, base);
	if (rc == 0)
		rc = write_descs(w, base, done, e);
	else if (sink->holes && no_room(rc))
		write_descs(w, base, done, NULL);
	if (rc == 0)
		publish(w);
	w->len = 0;
	w->ndescs = w->nruns = w->npending = 0;
	return rc;
}

static struct kdump_page_desc *desc_next(struct out_worker *w, u64 index)
{
	struct desc_run *r = w->nruns ? &w->runs[w->nruns - 1] : NULL;

	if (!r || r->index + r->n != index) {
		r = &w->runs[w->nruns++];
		r->index = index;
		r->n = 0;
	}
	r->n++;
	return &w->descs[w->ndescs++];
}

/* The stored copy of a constant page, or the slot to remember it in (its size is 0), or NULL. */
static struct const_slot *const_find(struct out_worker *w, u64 word)
{
	size_t at = (size_t)((word * 0x9e3779b97f4a7c15ull) >> 58) % CONST_SLOTS;

	for (size_t i = 0; i < 4; i++) {
		struct const_slot *slot = &w->consts[(at + i) % CONST_SLOTS];

		if (slot->desc.size == 0 || slot->word == word)
			return slot;
	}
	return NULL;
}

/* Zero pages share one stored page, other constant pages one for each worker. True: done; else
 * *slot is where to remember this one, or NULL. */
static bool add_constant(struct out_worker *w, u64 word, struct kdump_page_desc *d,
			 struct const_slot **slot)
{
	if (word == 0) {
		*d = w->ok->zero;
		d->offset |= IN_FILE;
		if (w->ok->out.level & LEVEL_ZERO)
			w->counts.zero++;
		else
			w->counts.duplicate++;
		return true;
	}
	*slot = const_find(w, word);
	if (!*slot || !(*slot)->desc.size)
		return false;
	*d = (*slot)->desc;
	w->counts.duplicate++;
	return true;
}

/* Whether the page is already in the file; else it is noted for those that come later. */
static bool add_repeated(struct out_worker *w, u64 pfn, const u8 *page, struct kdump_page_desc *d)
{
	u64 hash = dedup_hash(page);
	struct dedup_page at;
	const u8 *other;
	size_t got;

	if (dedup_find(w->ok->dedup, hash, &at) &&
	    window_get(&w->win, at.pfn << PAGE_SHIFT, PAGE_SIZE, &other, &got, NULL) == 0 &&
	    got == PAGE_SIZE && dedup_equal(page, other)) {
		*d = (struct kdump_page_desc){ .offset = (s64)at.offset | IN_FILE,
					       .size = at.size,
					       .flags = at.flags };
		w->counts.duplicate++;
		return true;
	}
	if (w->npending < PENDING)
		w->pending[w->npending++] = (struct pending){ hash, pfn, (u32)(d - w->descs) };
	return false;
}

static void add_page(struct out_worker *w, const struct out_run *r, size_t i)
{
	struct kdump_page_desc *d = desc_next(w, r->index + i);
	const u8 *page = r->data + i * PAGE_SIZE;
	u8 *to = w->buf + w->len;
	struct const_slot *slot = NULL;
	u64 word, at = w->len;
	size_t n = 0;

	if (page_is_constant(page, &word)) {
		if (add_constant(w, word, d, &slot))
			return;
		/* what others will share is what was seen, whatever a device writes there by now */
		for (size_t k = 0; k < ARRAY_SIZE(w->copy); k++)
			w->copy[k] = word;
		page = (const u8 *)w->copy;
	} else if (r->map_va && w->tmpl) {
		n = maptmpl_page(w->tmpl, page, r->map_va + i * PAGE_SIZE, to);
	} else if (w->ok->out.opts->compress == COMPRESS_ZSTD && (n = sparse_page(page, to))) {
		; /* too small to be worth being found again */
	} else if (w->ok->dedup && (r->repeats || !w->hurry)) {
		/* the same: what is hashed must be what is stored, also of memory that is mapped */
		if (w->ok->out.core->src->proc)
			page = memcpy(w->copy, page, PAGE_SIZE);
		if (add_repeated(w, r->pfn + i, page, d))
			return;
	}
	if (n)
		*d = (struct kdump_page_desc){ .size = (u32)n, .flags = KDUMP_ZSTD };
	else
		n = kdump_store_page(w->ok, w->comp, page, to, d);
	d->offset = (s64)at;
	w->len += n;
	if (slot) {
		slot->word = word;
		slot->desc = *d;
	}
}

int kdump_worker_pages(struct out_worker *w, const struct out_run *r, struct err *e)
{
	for (size_t i = 0; i < r->n; i++) {
		if (w->len > BUF_BYTES - 2 * PAGE_SIZE || w->ndescs == BUF_PAGES ||
		    w->nruns == BUF_RUNS) {
			int rc = kdump_worker_flush(w, e);

			if (rc)
				return rc;
		}
		add_page(w, r, i);
	}
	return 0;
}
