/* SPDX-License-Identifier: GPL-2.0-or-later */
/* out_kdump.c - the kdump-compressed format: headers, bitmaps, and room for descriptors, which lie
 * in pfn order while their data may lie anywhere. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "out_kdump_int.h"

static struct out_kdump *kdump_of(struct out *o)
{
	return (struct out_kdump *)o;
}

static u32 status_of(const struct out_kdump *ok, bool complete)
{
	return compress_flag(ok->out.opts->compress) | (complete ? 0 : KDUMP_INCOMPLETE) |
	       (ok->out.opts->exclude_vmemmap ? KDUMP_EXCLUDED_VMEMMAP : 0);
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
	kdump_store_page(ok, c, buf + PAGE_SIZE, buf, &ok->zero);
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
		rc = write_headers(ok, status_of(ok, false), e);
	atomic_store(&o->sink->end, ok->data);
	if (rc == 0)
		rc = store_zero_page(ok, e);
	if (rc == 0 && !ok->dedup)
		ok->dedup = dedup_open(kept);
	return rc;
}

/* A dump that is whole gets the one field that changes: with the headers made again it could still
 * end for want of memory. One that is not may have to be mended, as far as that goes. */
static int write_mark(struct out_kdump *ok, bool complete, struct err *e)
{
	u32 status = status_of(ok, complete);
	int rc = -ENOMEM;

	if (!complete || ok->out.sink->once)
		rc = write_headers(ok, status, e);
	if (rc != -ENOMEM || ok->out.sink->once)
		return rc;
	return sink_pwrite(ok->out.sink, &status, sizeof(status),
			   offsetof(struct kdump_header, status), e);
}

static int kdump_finish(struct out *o, bool complete, struct err *e)
{
	struct out_kdump *ok = kdump_of(o);
	int rc = 0;

	/* data before the mark that says it is all there; that it is not waits for nothing */
	if (o->opts->sync && complete)
		rc = o->sink->ops->sync(o->sink, e);
	if (rc == 0)
		rc = write_mark(ok, complete, e);
	if (rc == 0 && o->opts->sync)
		rc = o->sink->ops->sync(o->sink, e);
	if (rc && complete && !o->sink->once)
		write_mark(ok, false, NULL);
	return rc;
}

static void kdump_close(struct out *o)
{
	dedup_close(kdump_of(o)->dedup);
	free(o);
}

static const struct out_ops kdump_ops = {
	.name = "kdump",
	.begin = kdump_begin,
	.plan = kdump_plan,
	.prepare = kdump_prepare,
	.worker_open = kdump_worker_open,
	.pages = kdump_worker_pages,
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
