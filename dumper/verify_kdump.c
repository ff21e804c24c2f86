/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verify_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "kdump_page.h"

#define VERIFY_DESCS 1024

/* Buffers of one run, on the heap. */
struct verify_kdump {
	const struct kdump_file *k;
	struct verify *v;
	u64 ram[KDUMP_CHUNK_WORDS], dumped[KDUMP_CHUNK_WORDS];
	u64 index; /* of descs[next], in the file */
	size_t next, ndescs;
	struct kdump_page_desc descs[VERIFY_DESCS];
	struct kdump_page_desc last; /* the last page read and found good */
	struct kdump_decoder dec;
	u8 page[PAGE_SIZE];
	bool stop;    /* descriptors cannot be read: nothing further can be said */
	struct err e; /* of one page: too large to be cleared for each */
};

static void verify_area(struct verify *v, const struct kdump_file *k, const char *what, s64 off,
			u64 size)
{
	u64 end = k->bitmap[KDUMP_RAM];

	if (!size)
		return;
	if (off < 0 || (u64)off < PAGE_SIZE || (u64)off > end || size > end - (u64)off)
		verify_problem(v,
			       "sub header: %s: %" PRIu64 " bytes at %" PRId64
			       " are not between the headers and the bitmaps (%" PRIu64 ")",
			       what, size, off, end);
}

static void verify_headers(struct verify *v, const struct kdump_file *k)
{
	const struct kdump_header *h = &k->head;
	const char *machine = h->uts[KDUMP_UTS_MACHINE];

	/* QEMU does not know the name, and crash takes its word */
	if (strncmp(machine, "x86_64", KDUMP_UTS_LEN) && strncmp(machine, "Unknown", KDUMP_UTS_LEN))
		verify_problem(v, "header: utsname machine \"%.*s\" is not x86_64",
			       (int)strnlen(machine, KDUMP_UTS_LEN), machine);
	if (h->version >= KDUMP_VERSION_MAX_MAPNR_64 && h->max_mapnr != MIN(k->max_pfn, UINT32_MAX))
		verify_problem(v, "header: max_mapnr %u, but %" PRIu64 " in the sub header",
			       h->max_mapnr, k->max_pfn);
	if (h->version >= KDUMP_VERSION_LEVEL && (k->sub.dump_level < 0 || k->sub.dump_level > 31))
		verify_problem(v, "sub header: dump_level %d", k->sub.dump_level);
	verify_area(v, k, "notes", k->sub.notes_off, k->sub.notes_size);
	verify_area(v, k, "vmcoreinfo", k->sub.vmcoreinfo_off, k->sub.vmcoreinfo_size);
	verify_cut(v, &k->view, k->head.status & KDUMP_INCOMPLETE);
	if (k->head.status & KDUMP_INCOMPLETE)
		return;
	if (k->data > k->view.size)
		verify_problem(v,
			       "file ends in the page descriptors (%" PRIu64 " of %" PRIu64
			       " bytes), but is not marked incomplete",
			       k->view.size, k->data);
}

static void verify_bitmaps(struct verify_kdump *vk, u64 pfn)
{
	for (size_t i = 0; i < KDUMP_CHUNK_WORDS; i++) {
		u64 wrong = vk->dumped[i] & ~vk->ram[i];

		vk->v->r->ram += (u64)__builtin_popcountll(vk->ram[i]);
		for (; wrong; wrong &= wrong - 1)
			verify_problem(vk->v,
				       "bitmaps: pfn %#" PRIx64
				       " is in bitmap 2 (dumped), not in bitmap 1 (RAM)",
				       pfn + i * 64 + __builtin_ctzll(wrong));
	}
}

static bool verify_next_desc(struct verify_kdump *vk, struct kdump_page_desc *d)
{

	if (vk->next == vk->ndescs) {
		if (!verify_pulse(vk->v, vk->index, vk->k->npages)) {
			vk->stop = true;
			return false;
		}
		vk->ndescs = MIN(VERIFY_DESCS, vk->k->npages - vk->index);
		vk->next = 0;
		if (kdump_file_descs(vk->k, vk->index, vk->ndescs, vk->descs, &vk->e)) {
			verify_problem(vk->v, "%s", vk->e.msg);
			vk->stop = true;
			return false;
		}
	}
	*d = vk->descs[vk->next++];
	vk->index++;
	return true;
}

static void verify_page(struct verify_kdump *vk, u64 pfn)
{
	struct verify_result *r = vk->v->r;
	struct kdump_page_desc d;
	u64 index = vk->index;
	int rc;

	if (!verify_next_desc(vk, &d))
		return;
	/* Pages that are equal share what is stored; once is enough where they follow each other.
	 */
	if (d.offset == vk->last.offset && d.size == vk->last.size && d.flags == vk->last.flags &&
	    d.size)
		return;
	rc = vk->v->ask.depth == VERIFY_FULL
		     ? kdump_page_read(&vk->dec, vk->k, &d, vk->page, &vk->e)
		     : kdump_page_check(vk->k, &d, &vk->e);
	if (!rc) {
		vk->last = d;
		return;
	}
	if (rc == -ENODATA && vk->k->head.status & KDUMP_INCOMPLETE) {
		r->missing++;
		return;
	}
	if (rc == -ENODATA && kdump_file_none(vk->k, index, &d)) {
		r->unreadable++;
		return;
	}
	if (rc == -ENOMEM) {
		verify_unended(vk->v, rc);
		vk->stop = true;
		return;
	}
	if (rc == -ENOTSUP && kdump_compression_name(d.flags)) {
		r->unsupported++;
		return;
	}
	verify_problem(vk->v, "pfn %#" PRIx64 ", descriptor %" PRIu64 ": %s", pfn, index,
		       vk->e.msg);
}

static void verify_chunk(struct verify_kdump *vk, u64 pfn)
{
	struct err e = { 0 };

	if (!verify_pulse(vk->v, vk->index, vk->k->npages)) {
		vk->stop = true;
		return;
	}
	if (kdump_file_bits(vk->k, KDUMP_RAM, pfn, KDUMP_CHUNK_PAGES, vk->ram, &e) ||
	    kdump_file_bits(vk->k, KDUMP_DUMPED, pfn, KDUMP_CHUNK_PAGES, vk->dumped, &e)) {
		verify_problem(vk->v, "%s", e.msg);
		vk->stop = true;
		return;
	}
	verify_bitmaps(vk, pfn);
	for (size_t i = 0; i < KDUMP_CHUNK_WORDS; i++)
		for (u64 bits = vk->dumped[i]; bits && !vk->stop; bits &= bits - 1)
			verify_page(vk, pfn + i * 64 + __builtin_ctzll(bits));
}

void verify_kdump(struct verify *v, const struct kdump_file *k)
{
	_cleanup_free_ struct verify_kdump *vk = calloc(1, sizeof(*vk));

	v->r->incomplete = kdump_file_incomplete(k);
	v->r->part = kdump_file_is_part(k);
	v->r->pages = k->npages;
	verify_headers(v, k);
	if (!vk) {
		verify_unended(v, -ENOMEM);
		return;
	}
	vk->k = k;
	vk->v = v;
	for (u64 c = 0; c < k->nchunks && !vk->stop; c++)
		verify_chunk(vk, c * KDUMP_CHUNK_PAGES);
	kdump_decoder_deinit(&vk->dec);
}
