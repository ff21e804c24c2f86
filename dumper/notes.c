/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "notes.h"

#include <errno.h>
#include <string.h>

struct note_header {
	u32 namesz, descsz, type;
};

static size_t pad4(u32 n)
{
	return ((size_t)n + 3) & ~(size_t)3;
}

void notes_begin(struct notes_iter *it, const u8 *buf, size_t len)
{
	it->buf = buf;
	it->len = len;
	it->off = 0;
}

int notes_next(struct notes_iter *it, struct note *n, struct err *e)
{
	struct note_header h;
	size_t left = it->len - it->off;

	if (left < sizeof(h))
		return 0;
	memcpy(&h, it->buf + it->off, sizeof(h));
	/* The kernel ends its notes with an empty one, and pads with zeros after it. */
	if (h.namesz == 0 && h.descsz == 0 && h.type == 0)
		return 0;
	left -= sizeof(h);
	if (pad4(h.namesz) > left)
		return err_set(e, -EINVAL, "ELF note at %zu: name of %u bytes, %zu left", it->off,
			       h.namesz, left);
	n->name = (const char *)it->buf + it->off + sizeof(h);
	n->name_len = h.namesz;
	left -= pad4(h.namesz);
	if (h.descsz > left)
		return err_set(e, -EINVAL, "ELF note at %zu: %u bytes of data, %zu left", it->off,
			       h.descsz, left);
	n->type = h.type;
	n->desc_off = it->off + sizeof(h) + pad4(h.namesz);
	n->desc = it->buf + n->desc_off;
	n->desc_len = h.descsz;
	it->off = n->desc_off + MIN(pad4(h.descsz), left);
	return 1;
}

bool note_is(const struct note *n, const char *name)
{
	size_t len = strlen(name);

	return n->name_len >= len && n->name_len <= len + 1 && memcmp(n->name, name, len) == 0 &&
	       (n->name_len == len || n->name[len] == '\0');
}

int notes_find(const u8 *buf, size_t len, const char *name, struct note *n, struct err *e)
{
	struct notes_iter it;
	int rc;

	notes_begin(&it, buf, len);
	while ((rc = notes_next(&it, n, e)) > 0) {
		if (note_is(n, name))
			return 1;
	}
	return rc;
}

unsigned notes_count_prstatus(const u8 *buf, size_t len)
{
	struct notes_iter it;
	struct note n;
	unsigned count = 0;

	notes_begin(&it, buf, len);
	while (notes_next(&it, &n, NULL) > 0) {
		if (n.type == NOTE_NT_PRSTATUS && note_is(&n, "CORE"))
			count++;
	}
	return count;
}
