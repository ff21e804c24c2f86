/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The printk ring buffer: a ring of descriptors from tail_id to head_id, as many printk_info beside
 * them, and a ring of text that the descriptors point into with positions that only ever grow. */
#include "dmesg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/guard.h"
#include "dmesg_out.h"

/* The two top bits of state_var are the state, the others the id. */
#define PRB_STATE_SHIFT 62
#define PRB_ID_MASK ((1ull << PRB_STATE_SHIFT) - 1)
#define PRB_COMMITTED 1
#define PRB_FINALIZED 2

/* log_buf_len is at most 2 GiB and there is a descriptor for every 32 bytes. */
#define PRB_COUNT_BITS_MAX 26
#define PRB_SIZE_BITS_MAX 31
#define PRB_BLOCK_ID_SIZE 8 /* each block of text begins with its descriptor's id */
#define PRB_STRUCT_MAX 4096

/* Sizes and offsets of vmcoreinfo, in bytes. */
struct prb_layout {
	u64 desc_ring, text_data_ring;
	u64 count_bits, descs, infos, head_id, tail_id;
	u64 desc_size, state_var, text_blk_lpos, begin, next;
	u64 info_size, ts_nsec, text_len;
	u64 size_bits, data;
	u64 counter;
};

struct prb {
	struct prb_layout at;
	u64 descs, infos, data; /* va */
	u64 tail_id, head_id;
	u64 count, data_size;
};

static const struct prb_key {
	const char *name;
	size_t field;
	bool is_size;
} prb_keys[] = {
	{ "printk_ringbuffer.desc_ring", offsetof(struct prb_layout, desc_ring), false },
	{ "printk_ringbuffer.text_data_ring", offsetof(struct prb_layout, text_data_ring), false },
	{ "prb_desc_ring.count_bits", offsetof(struct prb_layout, count_bits), false },
	{ "prb_desc_ring.descs", offsetof(struct prb_layout, descs), false },
	{ "prb_desc_ring.infos", offsetof(struct prb_layout, infos), false },
	{ "prb_desc_ring.head_id", offsetof(struct prb_layout, head_id), false },
	{ "prb_desc_ring.tail_id", offsetof(struct prb_layout, tail_id), false },
	{ "prb_desc", offsetof(struct prb_layout, desc_size), true },
	{ "prb_desc.state_var", offsetof(struct prb_layout, state_var), false },
	{ "prb_desc.text_blk_lpos", offsetof(struct prb_layout, text_blk_lpos), false },
	{ "prb_data_blk_lpos.begin", offsetof(struct prb_layout, begin), false },
	{ "prb_data_blk_lpos.next", offsetof(struct prb_layout, next), false },
	{ "printk_info", offsetof(struct prb_layout, info_size), true },
	{ "printk_info.ts_nsec", offsetof(struct prb_layout, ts_nsec), false },
	{ "printk_info.text_len", offsetof(struct prb_layout, text_len), false },
	{ "prb_data_ring.size_bits", offsetof(struct prb_layout, size_bits), false },
	{ "prb_data_ring.data", offsetof(struct prb_layout, data), false },
	{ "atomic_long_t.counter", offsetof(struct prb_layout, counter), false },
};

static int prb_layout_get(struct prb_layout *at, const struct vmcoreinfo *vi, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(prb_keys); i++) {
		const struct prb_key *k = &prb_keys[i];
		u64 *field = (u64 *)((char *)at + k->field);
		const char *kind = k->is_size ? "SIZE" : "OFFSET";
		int rc = k->is_size ? vmcoreinfo_size(vi, k->name, field)
				    : vmcoreinfo_offset(vi, k->name, field);

		if (rc)
			return err_set(e, rc, "printk ring: no usable %s(%s)", kind, k->name);
		if (*field > PRB_STRUCT_MAX)
			return err_set(e, -EINVAL, "printk ring: %s(%s) is %" PRIu64, kind, k->name,
				       *field);
	}
	return 0;
}

/* Reads the ring's own struct, for which there is no second try. */
static int prb_read_head(struct prb *r, struct dmesg_walk *w, u64 sym, struct err *e)
{
	const struct prb_layout *at = &r->at;
	u32 count_bits = 0, size_bits = 0;
	u64 rb = 0;
	int rc = kmem_read(&w->km, sym, &rb, sizeof(rb), e);

	if (rc)
		return err_ctx(e, "printk ring: prb");
	const struct {
		u64 va;
		void *to;
		size_t len;
	} reads[] = {
		{ rb + at->desc_ring + at->count_bits, &count_bits, sizeof(count_bits) },
		{ rb + at->desc_ring + at->descs, &r->descs, sizeof(r->descs) },
		{ rb + at->desc_ring + at->infos, &r->infos, sizeof(r->infos) },
		{ rb + at->desc_ring + at->head_id + at->counter, &r->head_id, sizeof(r->head_id) },
		{ rb + at->desc_ring + at->tail_id + at->counter, &r->tail_id, sizeof(r->tail_id) },
		{ rb + at->text_data_ring + at->size_bits, &size_bits, sizeof(size_bits) },
		{ rb + at->text_data_ring + at->data, &r->data, sizeof(r->data) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
		rc = kmem_read(&w->km, reads[i].va, reads[i].to, reads[i].len, e);
		if (rc)
			return err_ctx(e, "printk ring: struct printk_ringbuffer");
	}
	if (!count_bits || count_bits > PRB_COUNT_BITS_MAX)
		return err_set(e, -EINVAL, "printk ring: 2^%u descriptors", count_bits);
	if (!size_bits || size_bits > PRB_SIZE_BITS_MAX)
		return err_set(e, -EINVAL, "printk ring: 2^%u bytes of text", size_bits);
	r->count = 1ull << count_bits;
	r->data_size = 1ull << size_bits;
	r->head_id &= PRB_ID_MASK;
	r->tail_id &= PRB_ID_MASK;
	return 0;
}

static void prb_record(const struct prb *r, struct dmesg_walk *w, u64 id)
{
	const struct prb_layout *at = &r->at;
	u64 desc = r->descs + (id & (r->count - 1)) * at->desc_size;
	u64 info = r->infos + (id & (r->count - 1)) * at->info_size;
	u64 state = 0, begin = 0, next = 0, ts_nsec = 0;
	u16 text_len = 0;

	if (dmesg_walk_read(w, desc + at->state_var + at->counter, &state, sizeof(state)))
		return;
	if ((state & PRB_ID_MASK) != id || (state >> PRB_STATE_SHIFT != PRB_COMMITTED &&
					    state >> PRB_STATE_SHIFT != PRB_FINALIZED))
		return;
	if (dmesg_walk_read(w, desc + at->text_blk_lpos + at->begin, &begin, sizeof(begin)) ||
	    dmesg_walk_read(w, desc + at->text_blk_lpos + at->next, &next, sizeof(next)) ||
	    dmesg_walk_read(w, info + at->ts_nsec, &ts_nsec, sizeof(ts_nsec)) ||
	    dmesg_walk_read(w, info + at->text_len, &text_len, sizeof(text_len)))
		return;
	begin &= r->data_size - 1;
	next &= r->data_size - 1;
	if (begin != next) { /* equal: a record without text, an empty line */
		dmesg_out_begin(&w->out, ts_nsec, DMESG_NO_CALLER);
		if (begin > next) /* a block that would wrap is stored whole at the start */
			begin = 0;
		if (next - begin > PRB_BLOCK_ID_SIZE) {
			begin += PRB_BLOCK_ID_SIZE;
			dmesg_walk_text(w, r->data + begin, MIN(next - begin, text_len));
		}
	}
	dmesg_out_end(&w->out);
}

static int prb_walk(struct dmesg_walk *w, u64 sym, struct err *e)
{
	struct prb r = { 0 };
	u64 steps;
	int rc = prb_layout_get(&r.at, w->vi, e);

	if (!rc)
		rc = prb_read_head(&r, w, sym, e);
	if (rc)
		return rc;
	/* One of the two is garbage where they are further apart than there are descriptors; the
	 * newest records are worth more, so the head is believed. */
	steps = ((r.head_id - r.tail_id) & PRB_ID_MASK) + 1;
	if (steps > r.count)
		steps = r.count;
	for (u64 i = steps; i-- > 0 && !dmesg_walk_over(w);)
		prb_record(&r, w, (r.head_id - i) & PRB_ID_MASK);
	return 0;
}

/* Which log this kernel has: the symbols tell. */
static int dmesg_walk_any(struct dmesg_walk *w, struct err *e)
{
	u64 sym = 0;

	if (!vmcoreinfo_symbol(w->vi, "prb", &sym))
		return prb_walk(w, sym, e);
	if (!vmcoreinfo_symbol(w->vi, "log_buf", &sym))
		return dmesg_walk_old(w, e);
	return err_set(e, -ENOENT, "vmcoreinfo has neither SYMBOL(prb) nor SYMBOL(log_buf)");
}

int dmesg_write(const struct core *core, dmesg_sink_fn sink, void *arg, struct err *e)
{
	_cleanup_free_ struct dmesg_walk *w = NULL;
	int rc;

	if (!core->vi || (!core->xlat.root_pa && !core->image_bytes))
		return err_set(e, -ENOENT, "the log cannot be found: %s",
			       core->why.msg[0] ? core->why.msg : "no vmcoreinfo");
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(e, -ENOMEM, "no memory to read the log");
	rc = kmem_open(&w->km, core, e);
	if (rc)
		return rc;
	w->vi = core->vi;
	w->out.sink = sink;
	w->out.arg = arg;
	rc = dmesg_walk_any(w, e);
	kmem_close(&w->km);
	if (rc)
		return rc;
	if (w->out.rc)
		return err_sys(e, w->out.rc, "write the log");
	if (w->first.code)
		return err_set(e, w->first.code, "%u reads of the log failed, the first: %s",
			       w->failures, w->first.msg);
	return 0;
}
