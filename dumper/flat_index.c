/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the index of a flattened stream: its records in the order of the file they stand for. A
 * record may overwrite what an earlier one wrote (a header is written again when the dump is
 * whole), so where records overlap the later one counts. */
#include "fileview.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "kdump_fmt.h"

#define FLAT_RECORDS_MAX (4u << 20) /* an index of 96 MiB */

static int flat_add(struct fileview *v, size_t *cap, struct fileview_piece p, struct err *e)
{
	if (v->npieces == *cap) {
		size_t more = *cap ? *cap * 2 : 64;
		struct fileview_piece *grown;

		if (*cap >= FLAT_RECORDS_MAX)
			return err_set(e, -E2BIG, "flattened: more than %u records",
				       FLAT_RECORDS_MAX);
		grown = realloc(v->pieces, more * sizeof(*grown));
		if (!grown)
			return err_sys(e, -ENOMEM, "flattened: index of %zu records", more);
		v->pieces = grown;
		*cap = more;
	}
	v->pieces[v->npieces++] = p;
	return 0;
}

/* Reads the record header at *pos and adds it. Returns 1 for a record, 0 at the end mark. */
static int flat_record(struct fileview *v, const struct fileview *file, size_t *cap, u64 *pos,
		       bool partial, struct err *e)
{
	struct kdump_flat_record rec;
	u64 off, size, left;
	int rc;

	if (file->size - *pos < sizeof(rec)) {
		v->cut = true;
		return partial ? 0
			       : err_set(e, -EINVAL,
					 "flattened: ends early: no end mark by byte %" PRIu64,
					 file->size);
	}
	rc = fileview_read(file, &rec, sizeof(rec), *pos, "flattened: record", e);
	if (rc)
		return rc;
	off = be64toh(rec.offset_be);
	size = be64toh(rec.size_be);
	if (off == (u64)KDUMP_FLAT_END)
		return 0;
	if (off > INT64_MAX || size > INT64_MAX - off)
		return err_set(e, -EINVAL,
			       "flattened: record at %" PRIu64 ": offset %" PRId64
			       ", size %" PRId64,
			       *pos, (s64)off, (s64)size);
	left = file->size - *pos - sizeof(rec);
	if (size > left) {
		v->cut = true;
		if (!partial)
			return err_set(e, -EINVAL,
				       "flattened: ends early: record at %" PRIu64 " has %" PRIu64
				       " of %" PRIu64 " bytes",
				       *pos, left, size);
	}
	/* What is lost still counts in the size of the view; an empty record does not. */
	if (size)
		v->size = MAX(v->size, off + size);
	if (MIN(size, left)) {
		struct fileview_piece p = { off, *pos + sizeof(rec), MIN(size, left) };

		rc = flat_add(v, cap, p, e);
		if (rc)
			return rc;
	}
	*pos += sizeof(rec) + MIN(size, left);
	return !v->cut;
}

static int flat_by_offset(const void *a, const void *b)
{
	const struct fileview_piece *x = a, *y = b;

	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return x->file_off < y->file_off ? -1 : x->file_off > y->file_off;
}

/* A heap of pieces, the latest in the stream on top. */
struct flat_heap {
	struct fileview_piece *h;
	size_t n;
};

static void flat_push(struct flat_heap *q, struct fileview_piece p)
{
	size_t i = q->n++;

	while (i && q->h[(i - 1) / 2].file_off < p.file_off) {
		q->h[i] = q->h[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	q->h[i] = p;
}

static void flat_pop(struct flat_heap *q)
{
	struct fileview_piece last = q->h[--q->n];
	size_t i = 0;

	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid + 1 < q->n && q->h[kid + 1].file_off > q->h[kid].file_off)
			kid++;
		if (kid >= q->n || q->h[kid].file_off <= last.file_off)
			break;
		q->h[i] = q->h[kid];
		i = kid;
	}
	q->h[i] = last;
}

static bool flat_overlaps(const struct fileview *v)
{
	for (size_t i = 1; i < v->npieces; i++)
		if (v->pieces[i].off - v->pieces[i - 1].off < v->pieces[i - 1].size)
			return true;
	return false;
}

/* Sweeps the sorted pieces from low to high; at each place the heap's top is the one that counts.
 * A piece begins or ends at each step, so there are at most twice as many afterwards. */
static int flat_settle(struct fileview *v, struct err *e)
{
	_cleanup_free_ struct fileview_piece *in = v->pieces;
	struct fileview_piece *out = calloc(v->npieces, 2 * sizeof(*out));
	_cleanup_free_ struct fileview_piece *heap = calloc(v->npieces, sizeof(*heap));
	struct flat_heap q = { heap, 0 };
	size_t n = v->npieces, i = 0, k = 0;
	u64 pos = 0;

	v->pieces = out;
	v->npieces = 0;
	if (!out || !heap)
		return err_sys(e, -ENOMEM, "flattened: index of %zu records", n);
	while (i < n || q.n) {
		const struct fileview_piece *top = q.h;
		u64 end;

		if (!q.n)
			pos = in[i].off;
		while (i < n && in[i].off <= pos)
			flat_push(&q, in[i++]);
		if (pos - top->off >= top->size) {
			flat_pop(&q);
			continue;
		}
		end = top->off + top->size;
		if (i < n)
			end = MIN(end, in[i].off);
		out[k++] = (struct fileview_piece){ pos, top->file_off + (pos - top->off),
						    end - pos };
		pos = end;
	}
	v->npieces = k;
	return 0;
}

int fileview_flat(struct fileview *v, int fd, bool partial, struct err *e)
{
	struct kdump_flat_header head;
	struct fileview file;
	u64 pos = KDUMP_FLAT_HEADER_SIZE;
	size_t cap = 0;
	int rc;

	*v = (struct fileview){ .fd = fd };
	rc = fileview_plain(&file, fd, e);
	if (!rc && file.size < pos)
		rc = err_set(e, -EINVAL, "flattened: header of %" PRIu64 " bytes", file.size);
	if (!rc)
		rc = fileview_read(&file, &head, sizeof(head), 0, "flattened: header", e);
	if (rc)
		return rc;
	if (be64toh(head.type_be) != KDUMP_FLAT_TYPE ||
	    be64toh(head.version_be) != KDUMP_FLAT_VERSION)
		return err_set(e, -ENOTSUP, "flattened: type %" PRIu64 ", version %" PRIu64,
			       (u64)be64toh(head.type_be), (u64)be64toh(head.version_be));
	do {
		rc = flat_record(v, &file, &cap, &pos, partial, e);
	} while (rc > 0);
	if (!rc && !v->npieces)
		rc = err_set(e, -EINVAL, "flattened: no data");
	if (!rc) {
		qsort(v->pieces, v->npieces, sizeof(*v->pieces), flat_by_offset);
		if (flat_overlaps(v))
			rc = flat_settle(v, e);
	}
	if (rc)
		fileview_deinit(v);
	return rc;
}
