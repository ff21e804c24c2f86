/* SPDX-License-Identifier: GPL-2.0-or-later */
/* out_kdump.c - the kdump-compressed format. Descriptors lie in pfn order but their data may lie
 * anywhere, so a worker fills a buffer of its own, takes a place in the file for it, writes it, and
 * only then the descriptors that point into it: nothing on disk ever points at what is not there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "classify.h"
#include "kdump_header.h"
#include "maptmpl.h"
#include "out.h"

#define BUF_BYTES ((size_t)512 << 10)
#define BUF_PAGES 4096 /* descriptors waiting for one buffer */
#define BUF_RUNS 512
#define CONST_SLOTS 64	       /* constant pages remembered by each worker */
#define IN_FILE ((s64)1 << 62) /* in a waiting descriptor: offset is final, not in the buffer */

struct out_kdump {
	struct out out;
	struct kdump_layout layout;
	struct kdump_page_desc zero; /* where the one zero page is stored */
	u64 data;		     /* where page data begins */
};

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
	struct const_slot consts[CONST_SLOTS];
	struct out_counts counts;
};

static struct out_kdump *kdump_of(struct out *o)
{
	return (struct out_kdump *)o;
}

static int write_headers(struct out_kdump *ok, u32 status, struct err *e)
{
	const struct source *s = ok->out.core->src;
	size_t len = (1 + (size_t)ok->layout.sub_hdr_blocks) * PAGE_SIZE;
	u8 *buf = calloc(1, len);
	struct kdump_header h;
	struct kdump_sub_header sh;
	int rc;

	if (!buf)
		return err_sys(e, -ENOMEM, "headers of %zu bytes", len);
	if (ok->out.opts->exclude_vmemmap)
		status |= KDUMP_EXCLUDED_VMEMMAP;
	kdump_header_make(&h, &sh, ok->out.core, &ok->layout, ok->out.level, status);
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + PAGE_SIZE, &sh, sizeof(sh));
	if (s->notes_len)
		memcpy(buf + PAGE_SIZE + sizeof(sh), s->notes, s->notes_len);
	rc = sink_pwrite(ok->out.sink, buf, len, 0, e);
	free(buf);
	return rc;
}

static int kdump_begin(struct out *o, struct err *e)
{
	struct out_kdump *ok = kdump_of(o);
	const struct source *s = o->core->src;

	kdump_layout_make(&ok->layout, s->max_pfn, s->notes_len);
	if (2 * ok->layout.bitmap_bytes / PAGE_SIZE > UINT32_MAX)
		return err_set(e, -EFBIG, "%llu pages are more than the format can hold",
			       (unsigned long long)s->max_pfn);
	return o->sink->ops->zero(o->sink, ok->layout.bitmap1, 2 * ok->layout.bitmap_bytes, false,
				  e);
}

static int kdump_plan(struct out *o, u64 pfn, const u64 *ram, const u64 *keep, struct err *e)
{
	struct out_kdump *ok = kdump_of(o);
	bool any = false;
	u64 at = pfn / 8;
	int rc;

	for (size_t i = 0; i < CHUNK_WORDS && !any; i++)
		any = ram[i];
	/* most of a sparse address space is holes in both senses */
	if (!any && !o->sink->once)
		return 0;
	rc = sink_pwrite(o->sink, ram, CHUNK_PAGES / 8, ok->layout.bitmap1 + at, e);
	if (rc == 0)
		rc = sink_pwrite(o->sink, keep, CHUNK_PAGES / 8, ok->layout.bitmap2 + at, e);
	return rc;
}

static size_t store_page(const struct out_kdump *ok, struct compressor *c, const u8 *page, u8 *to,
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

/* The zero page goes first, so that every worker can point at it. */
static int store_zero_page(struct out_kdump *ok, struct err *e)
{
	const struct dump_opts *opts = ok->out.opts;
	struct compressor *c;
	u8 *buf = NULL;
	size_t bytes = align_up(PAGE_SIZE, ok->out.sink->align);
	int rc = compressor_open(&c, opts->compress, opts->compress_level, e);

	if (rc)
		return rc;
	if (posix_memalign((void **)&buf, PAGE_SIZE, 2 * PAGE_SIZE)) {
		compressor_close(c);
		return err_sys(e, -ENOMEM, "zero page");
	}
	memset(buf, 0, 2 * PAGE_SIZE);
	store_page(ok, c, buf + PAGE_SIZE, buf, &ok->zero);
	if (ok->out.sink->align == 1)
		bytes = ok->zero.size;
	ok->zero.offset = (s64)sink_alloc(ok->out.sink, bytes);
	rc = sink_pwrite(ok->out.sink, buf, bytes, (u64)ok->zero.offset, e);
	free(buf);
	compressor_close(c);
	return rc;
}

static int kdump_prepare(struct out *o, u64 kept, struct err *e)
{
	struct out_kdump *ok = kdump_of(o);
	u64 descs_end;
	int rc;

	if (kept > (UINT64_MAX >> 8) / sizeof(struct kdump_page_desc))
		return err_set(e, -EFBIG, "%llu pages to dump", (unsigned long long)kept);
	descs_end = ok->layout.descs + kept * sizeof(struct kdump_page_desc);
	ok->data = align_up(descs_end, PAGE_SIZE);
	rc = o->sink->ops->zero(o->sink, ok->layout.descs, ok->data - ok->layout.descs, true, e);
	if (rc == 0)
		rc = o->sink->ops->zero(o->sink, 0, ok->layout.bitmap1, false, e);
	if (rc == 0)
		rc = o->sink->ops->set_size(o->sink, ok->data, e);
	if (rc == 0 && !o->sink->once)
		rc = write_headers(ok, compress_flag(ok->out.opts->compress) | KDUMP_INCOMPLETE, e);
	atomic_store(&o->sink->end, ok->data);
	if (rc == 0)
		rc = store_zero_page(ok, e);
	return rc;
}

static void kdump_worker_close(struct out_worker *w, struct out_counts *counts)
{
	counts->pages += w->counts.pages;
	counts->zero += w->counts.zero;
	counts->duplicate += w->counts.duplicate;
	compressor_close(w->comp);
	maptmpl_close(w->tmpl);
	free(w->buf);
	free(w->descs);
	free(w);
}

static int kdump_worker_open(struct out *o, struct out_worker **out, struct err *e)
{
	struct out_worker *w = calloc(1, sizeof(*w));
	struct out_counts none = { 0 };
	int rc;

	if (!w)
		return err_sys(e, -ENOMEM, "worker");
	w->ok = kdump_of(o);
	w->descs = malloc(BUF_PAGES * sizeof(*w->descs));
	if (posix_memalign((void **)&w->buf, PAGE_SIZE, BUF_BYTES))
		w->buf = NULL;
	rc = w->buf && w->descs ? 0 : err_sys(e, -ENOMEM, "write buffer of %zu bytes", BUF_BYTES);
	if (rc == 0)
		rc = compressor_open(&w->comp, o->opts->compress, o->opts->compress_level, e);
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

/* Gives everything that waits its final offset. */
static void settle_descs(struct out_worker *w, u64 base)
{
	for (size_t i = 0; i < w->ndescs; i++)
		settle_desc(&w->descs[i], base);
	for (size_t i = 0; i < CONST_SLOTS; i++) {
		struct kdump_page_desc *d = &w->consts[i].desc;

		if (d->size) {
			settle_desc(d, base);
			d->offset |= IN_FILE;
		}
	}
}

static int kdump_worker_flush(struct out_worker *w, struct err *e)
{
	struct sink *sink = w->ok->out.sink;
	size_t bytes = align_up(w->len, sink->align), at = 0;
	u64 base = 0;
	int rc = 0;

	if (w->ndescs == 0)
		return 0;
	if (w->len) {
		memset(w->buf + w->len, 0, bytes - w->len);
		base = sink_alloc(sink, bytes);
		rc = sink_pwrite(sink, w->buf, bytes, base, e);
	}
	settle_descs(w, base);
	for (size_t i = 0; i < w->nruns && rc == 0; i++) {
		const struct desc_run *r = &w->runs[i];

		rc = sink_pwrite(sink, w->descs + at, r->n * sizeof(*w->descs),
				 w->ok->layout.descs + r->index * sizeof(*w->descs), e);
		if (rc == 0)
			w->counts.pages += r->n;
		at += r->n;
	}
	w->len = 0;
	w->ndescs = w->nruns = 0;
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

/* map_va: as of struct out_run. */
static size_t store_map_page(struct out_worker *w, const u8 *page, u64 map_va, u8 *to,
			     struct kdump_page_desc *d)
{
	size_t n = maptmpl_page(w->tmpl, page, map_va, to);

	if (n == 0)
		return store_page(w->ok, w->comp, page, to, d);
	*d = (struct kdump_page_desc){ .size = (u32)n, .flags = KDUMP_ZSTD };
	return n;
}

static void add_page(struct out_worker *w, u64 index, const u8 *page, u64 map_va)
{
	struct kdump_page_desc *d = desc_next(w, index);
	struct const_slot *slot = NULL;
	size_t at;
	u64 word;
	u8 *to;

	if (page_is_constant(page, &word)) {
		if (word == 0) {
			*d = w->ok->zero;
			d->offset |= IN_FILE;
			if (w->ok->out.level & LEVEL_ZERO)
				w->counts.zero++;
			else
				w->counts.duplicate++;
			return;
		}
		slot = const_find(w, word);
		if (slot && slot->desc.size) {
			*d = slot->desc;
			w->counts.duplicate++;
			return;
		}
	}
	to = w->buf + w->len;
	at = w->len;
	if (map_va && w->tmpl)
		w->len += store_map_page(w, page, map_va, to, d);
	else
		w->len += store_page(w->ok, w->comp, page, to, d);
	d->offset = (s64)at;
	if (slot) {
		slot->word = word;
		slot->desc = *d;
	}
}

static int kdump_pages(struct out_worker *w, const struct out_run *r, struct err *e)
{
	for (size_t i = 0; i < r->n; i++) {
		if (w->len > BUF_BYTES - 2 * PAGE_SIZE || w->ndescs == BUF_PAGES ||
		    w->nruns == BUF_RUNS) {
			int rc = kdump_worker_flush(w, e);

			if (rc)
				return rc;
		}
		add_page(w, r->index + i, r->data + i * PAGE_SIZE,
			 r->map_va ? r->map_va + i * PAGE_SIZE : 0);
	}
	return 0;
}

static int kdump_finish(struct out *o, bool complete, struct err *e)
{
	struct out_kdump *ok = kdump_of(o);
	u32 status = compress_flag(ok->out.opts->compress) | (complete ? 0 : KDUMP_INCOMPLETE);
	int rc = 0;

	/* data before the mark that says it is all there */
	if (o->opts->sync)
		rc = o->sink->ops->sync(o->sink, e);
	if (rc == 0)
		rc = write_headers(ok, status, e);
	if (rc == 0 && o->opts->sync)
		rc = o->sink->ops->sync(o->sink, e);
	return rc;
}

static void kdump_close(struct out *o)
{
	free(o);
}

static const struct out_ops kdump_ops = {
	.name = "kdump",
	.begin = kdump_begin,
	.plan = kdump_plan,
	.prepare = kdump_prepare,
	.worker_open = kdump_worker_open,
	.pages = kdump_pages,
	.worker_flush = kdump_worker_flush,
	.worker_close = kdump_worker_close,
	.finish = kdump_finish,
	.close = kdump_close,
};

int out_kdump_open(struct out **out, const struct core *core, const struct dump_opts *opts,
		   struct sink *sink, struct err *e)
{
	struct out_kdump *ok = calloc(1, sizeof(*ok));

	if (!ok)
		return err_sys(e, -ENOMEM, "kdump file");
	ok->out = (struct out){ &kdump_ops, core, opts, sink, out_level(core, opts) };
	*out = &ok->out;
	return 0;
}
