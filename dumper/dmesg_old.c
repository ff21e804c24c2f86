/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record log of kernels up to 5.9: records of header, text and dictionary lie one after the
 * other in log_buf, from log_first_idx to log_next_idx; a header with length 0 says that the rest
 * follows at the start of the buffer. */
#include "dmesg_out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OLD_HEADER_MAX 64
#define OLD_LOG_MAX (1u << 31)

struct old_layout {
	u64 size, ts_nsec, len, text_len, caller_id;
	bool has_caller;
};

struct old_log {
	struct old_layout at;
	u64 buf; /* va */
	u32 buf_len, first, next;
};

/* The struct was called log before 3.11. */
static const char *const old_struct[] = { "printk_log", "log" };

static int old_offset(const struct vmcoreinfo *vi, const char *type, const char *field,
		      size_t width, u64 size, u64 *off, struct err *e)
{
	char name[48];
	int rc;

	snprintf(name, sizeof(name), "%s.%s", type, field);
	rc = vmcoreinfo_offset(vi, name, off);
	if (rc)
		return err_set(e, rc, "record log: no usable OFFSET(%s)", name);
	if (*off > size || size - *off < width)
		return err_set(e, -EINVAL, "record log: OFFSET(%s) is %" PRIu64 " of %" PRIu64,
			       name, *off, size);
	return 0;
}

static int old_layout_get(struct old_layout *at, const struct vmcoreinfo *vi, struct err *e)
{
	const char *type = NULL;
	int rc = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(old_struct) && rc; i++) {
		type = old_struct[i];
		rc = vmcoreinfo_size(vi, type, &at->size);
	}
	if (rc)
		return err_set(e, rc, "record log: no usable SIZE(%s)", old_struct[0]);
	if (at->size > OLD_HEADER_MAX)
		return err_set(e, -EINVAL, "record log: SIZE(%s) is %" PRIu64, type, at->size);
	rc = old_offset(vi, type, "ts_nsec", sizeof(u64), at->size, &at->ts_nsec, e);
	if (!rc)
		rc = old_offset(vi, type, "len", sizeof(u16), at->size, &at->len, e);
	if (!rc)
		rc = old_offset(vi, type, "text_len", sizeof(u16), at->size, &at->text_len, e);
	if (rc)
		return rc;
	/* Only there when the kernel was built with CONFIG_PRINTK_CALLER. */
	at->has_caller = !old_offset(vi, type, "caller_id", sizeof(u32), at->size, &at->caller_id,
				     NULL);
	return 0;
}

static int old_read_symbol(struct dmesg_walk *w, const char *name, void *to, size_t len,
			   struct err *e)
{
	u64 va = 0;
	int rc = vmcoreinfo_symbol(w->vi, name, &va);

	if (rc)
		return err_set(e, rc, "record log: no usable SYMBOL(%s)", name);
	rc = kmem_read(&w->km, va, to, len, e);
	return rc ? err_ctx(e, "record log: %s", name) : 0;
}

static int old_log_get(struct old_log *l, struct dmesg_walk *w, struct err *e)
{
	int rc = old_layout_get(&l->at, w->vi, e);

	if (!rc)
		rc = old_read_symbol(w, "log_buf", &l->buf, sizeof(l->buf), e);
	if (!rc)
		rc = old_read_symbol(w, "log_buf_len", &l->buf_len, sizeof(l->buf_len), e);
	if (!rc)
		rc = old_read_symbol(w, "log_first_idx", &l->first, sizeof(l->first), e);
	if (!rc)
		rc = old_read_symbol(w, "log_next_idx", &l->next, sizeof(l->next), e);
	if (rc)
		return rc;
	if (l->buf_len < l->at.size || l->buf_len > OLD_LOG_MAX || l->first > l->buf_len ||
	    l->next > l->buf_len)
		return err_set(e, -EINVAL, "record log: from %u to %u in a buffer of %u", l->first,
			       l->next, l->buf_len);
	return 0;
}

/* Writes the record at idx. Returns its length, 0 for the mark at the end of the buffer. */
static int old_record(const struct old_log *l, struct dmesg_walk *w, u32 idx, u16 *len,
		      struct err *e)
{
	const struct old_layout *at = &l->at;
	u8 head[OLD_HEADER_MAX];
	u64 ts_nsec, caller = DMESG_NO_CALLER;
	u16 text_len;
	u32 id;
	int rc;

	if (idx > l->buf_len - at->size)
		return err_set(e, -EINVAL, "record log: record at %u of %u", idx, l->buf_len);
	rc = kmem_read(&w->km, l->buf + idx, head, at->size, e);
	if (rc)
		return err_ctx(e, "record log: record at %u", idx);
	memcpy(&ts_nsec, head + at->ts_nsec, sizeof(ts_nsec));
	memcpy(&text_len, head + at->text_len, sizeof(text_len));
	memcpy(len, head + at->len, sizeof(*len));
	if (*len == 0)
		return 0;
	if (*len < at->size || *len > l->buf_len - idx || text_len > *len - at->size)
		return err_set(e, -EINVAL, "record log: record at %u has %u bytes, %u of text", idx,
			       *len, text_len);
	if (at->has_caller) {
		memcpy(&id, head + at->caller_id, sizeof(id));
		caller = id;
	}
	dmesg_out_begin(&w->out, ts_nsec, caller);
	dmesg_walk_text(w, l->buf + idx + at->size, text_len);
	dmesg_out_end(&w->out);
	return 0;
}

int dmesg_walk_old(struct dmesg_walk *w, struct err *e)
{
	struct old_log l = { 0 };
	bool wrapped;
	u32 idx;
	int rc = old_log_get(&l, w, e);

	if (rc)
		return rc;
	wrapped = l.first <= l.next; /* then the records do not wrap at all */
	for (idx = l.first; idx != l.next && !dmesg_walk_over(w);) {
		u16 len = 0;

		rc = old_record(&l, w, idx, &len, e);
		if (rc)
			return rc;
		if (len == 0) {
			if (wrapped)
				return err_set(e, -EINVAL, "record log: empty record at %u", idx);
			wrapped = true;
			idx = 0;
		} else {
			idx += len;
		}
		if (wrapped && idx > l.next)
			return err_set(e, -EINVAL, "record log: record passes the end at %u",
				       l.next);
	}
	return 0;
}
