/* SPDX-License-Identifier: GPL-2.0-or-later */
/* out_kdump_int.h - the kdump-compressed format's two halves: out_kdump.c, which writes headers and
 * bitmaps, and kdump_worker.c, which stores pages. */
#ifndef CRASHPOD_OUT_KDUMP_INT_H
#define CRASHPOD_OUT_KDUMP_INT_H

#include "dedup.h"
#include "kdump_header.h"
#include "out.h"

struct out_kdump {
	struct out out;
	struct kdump_layout layout;
	struct kdump_page_desc zero; /* where the one zero page is stored */
	u64 data;		     /* where page data begins */
	struct dedup *dedup;	     /* NULL: repeated pages are stored again */
};

/* Compresses a page into to (PAGE_SIZE bytes) and describes it, but for its offset. Returns its
 * size. */
size_t kdump_store_page(const struct out_kdump *ok, struct compressor *c, const u8 *page, u8 *to,
			struct kdump_page_desc *d);

int kdump_worker_open(struct out *o, struct out_worker **out, struct err *e);
int kdump_worker_pages(struct out_worker *w, const struct out_run *r, struct err *e);
int kdump_worker_flush(struct out_worker *w, struct err *e);
void kdump_worker_close(struct out_worker *w, struct out_counts *counts);

#endif
