/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lvmmeta.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guard.h"
#include "io.h"

#define SECTOR 512
#define LABEL_SECTORS 4
#define AREAS_MAX 16
#define ID_LETTERS 32
#define ID_SHOWN (ID_LETTERS + 6 + 1)
#define UUID_HEAD "LVM-"
#define MDA_HEAD 512
#define MDA_MAGIC " LVM2 x[5A%r0N*>"

static u64 le(const u8 *p, unsigned bytes)
{
	u64 v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

bool lvmmeta_is_lvm(const char *dm_uuid)
{
	size_t head = strlen(UUID_HEAD);

	return strncmp(dm_uuid, UUID_HEAD, head) == 0 && strlen(dm_uuid) >= head + 2 * ID_LETTERS;
}

/* As the text has it: six letters, five times four, six. */
static void show_id(const char *letters, char out[static ID_SHOWN])
{
	unsigned n = 0;

	for (unsigned i = 0; i < ID_LETTERS; i++) {
		if (i >= 6 && i % 4 == 2 && i < ID_LETTERS - 2)
			out[n++] = '-';
		out[n++] = letters[i];
	}
	out[n] = '\0';
}

/* Behind the brace that closes the block whose inside begins at off; 0: it is not closed. */
static size_t block_end(const char *s, size_t len, size_t off)
{
	unsigned depth = 1;
	bool quoted = false;

	for (; off < len; off++) {
		if (s[off] == '"' && s[off - 1] != '\\')
			quoted = !quoted;
		else if (!quoted && s[off] == '{')
			depth++;
		else if (!quoted && s[off] == '}' && !--depth)
			return off + 1;
	}
	return 0;
}

struct part {
	const char *s;
	size_t n;
};

static const char *find(const struct part *in, const char *what)
{
	return memmem(in->s, in->n, what, strlen(what));
}

/* The inside of the block that has id as its first entry. */
static bool block_of(const char *text, size_t len, const char *id, struct part *out)
{
	const struct part all = { text, len };
	const char *at = find(&all, id);
	size_t from, end;

	if (!at)
		return false;
	for (from = (size_t)(at - text); from && text[from - 1] != '{'; from--)
		;
	end = from ? block_end(text, len, from) : 0;
	if (!end)
		return false;
	*out = (struct part){ text + from, end - from };
	return true;
}

static void mix(u64 *h, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*h = (*h ^ (u8)s[i]) * 1099511628211ull;
	*h = (*h ^ 0xff) * 1099511628211ull;
}

/* A thin pool counts its volumes there: that moves nothing. */
static void mix_lines(u64 *h, const struct part *p)
{
	static const char skip[] = "transaction_id";

	for (size_t i = 0; i < p->n;) {
		const char *nl = memchr(p->s + i, '\n', p->n - i);
		size_t n = nl ? (size_t)(nl - p->s) - i + 1 : p->n - i, blank = 0;

		while (blank < n && (p->s[i + blank] == '\t' || p->s[i + blank] == ' '))
			blank++;
		if (n - blank < strlen(skip) || memcmp(p->s + i + blank, skip, strlen(skip)) != 0)
			mix(h, p->s + i, n);
		i += n;
	}
}

/* The value's line of a key; nothing where it is not there. */
static void mix_key(u64 *h, const struct part *p, const char *key)
{
	const char *at = find(p, key);
	const char *nl = at ? memchr(at, '\n', p->n - (size_t)(at - p->s)) : NULL;

	if (nl)
		mix(h, at, (size_t)(nl - at));
}

/* Of the group's physical volumes those count that the logical volume's block names: pvN. */
static int mix_pvs(u64 *h, const struct part *all, const struct part *lv)
{
	for (unsigned n = 0; n < 1024; n++) {
		char quoted[16], head[16];
		const char *at;
		struct part pv;
		size_t from, end;

		snprintf(quoted, sizeof(quoted), "\"pv%u\"", n);
		if (!find(lv, quoted))
			continue;
		snprintf(head, sizeof(head), "\npv%u {", n);
		at = find(all, head);
		if (!at) {
			snprintf(head, sizeof(head), "\tpv%u {", n);
			at = find(all, head);
		}
		if (!at)
			return -EINVAL;
		from = (size_t)(at - all->s) + strlen(head);
		end = block_end(all->s, all->n, from);
		if (!end)
			return -EINVAL;
		pv = (struct part){ all->s + from, end - from };
		mix(h, quoted, strlen(quoted));
		mix_key(h, &pv, "id = ");
		mix_key(h, &pv, "pe_start = ");
	}
	return 0;
}

int lvmmeta_digest(const char *text, size_t len, const char *dm_uuid,
		   char out[static LVMMETA_CHECK_BYTES])
{
	const struct part all = { text, len };
	char shown[ID_SHOWN], id[ID_SHOWN + 8];
	u64 h = 14695981039346656037ull;
	struct part lv;
	int rc;

	if (!lvmmeta_is_lvm(dm_uuid))
		return -EINVAL;
	show_id(dm_uuid + strlen(UUID_HEAD) + ID_LETTERS, shown);
	snprintf(id, sizeof(id), "id = \"%s\"", shown);
	if (!block_of(text, len, id, &lv))
		return -ENOENT;
	mix_key(&h, &all, "extent_size = ");
	mix_lines(&h, &lv);
	rc = mix_pvs(&h, &all, &lv);
	if (rc)
		return rc;
	snprintf(out, LVMMETA_CHECK_BYTES, "%016llx", (unsigned long long)h);
	return 0;
}

/* The list of areas at *off of the label's sector; of each its place on the device. */
static unsigned areas(const u8 *sector, size_t *off, u64 *at, u64 *size, unsigned max)
{
	unsigned n = 0;

	while (*off + 16 <= SECTOR) {
		u64 offset = le(sector + *off, 8);

		*off += 16;
		if (!offset)
			break;
		if (n < max) {
			at[n] = offset;
			size[n++] = le(sector + *off - 8, 8);
		}
	}
	return n;
}

/* The text lies in a ring behind the area's head. */
static int read_text(int fd, u64 area, u64 size, char **text, size_t *len)
{
	u64 off, n, first;
	u8 head[MDA_HEAD];

	if (io_pread_full(fd, head, sizeof(head), area) != (ssize_t)sizeof(head))
		return -EIO;
	if (memcmp(head + 4, MDA_MAGIC, strlen(MDA_MAGIC)) != 0 || le(head + 24, 8) != area)
		return -EINVAL;
	size = MIN(size, le(head + 32, 8));
	off = le(head + 40, 8);
	n = le(head + 48, 8);
	if (!off || !n)
		return -ENODATA;
	if (size > INT64_MAX - area || off < MDA_HEAD || off >= size || n > size - MDA_HEAD ||
	    n > LVMMETA_TEXT_MAX)
		return -EINVAL;
	*text = malloc(n + 1);
	if (!*text)
		return -ENOMEM;
	first = MIN(n, size - off);
	if (io_pread_full(fd, *text, first, area + off) != (ssize_t)first ||
	    io_pread_full(fd, *text + first, n - first, area + MDA_HEAD) != (ssize_t)(n - first)) {
		free(guard_take_ptr(*text));
		return -EIO;
	}
	(*text)[n] = '\0';
	*len = n;
	return 0;
}

static int find_text(int fd, char **text, size_t *len)
{
	u64 at[AREAS_MAX], size[AREAS_MAX];
	u8 sector[SECTOR];

	for (unsigned i = 0; i < LABEL_SECTORS; i++) {
		size_t off;
		int rc = -ENODATA;

		if (io_pread_full(fd, sector, SECTOR, (u64)i * SECTOR) != SECTOR)
			return -EIO;
		if (memcmp(sector, "LABELONE", 8) != 0 || memcmp(sector + 24, "LVM2 001", 8) != 0)
			continue;
		off = le(sector + 20, 4);
		if (off > SECTOR - 40)
			return -EINVAL;
		off += 40;
		areas(sector, &off, at, size, AREAS_MAX);
		for (unsigned n = areas(sector, &off, at, size, AREAS_MAX), a = 0; a < n; a++) {
			rc = read_text(fd, at[a], size[a], text, len);
			if (!rc)
				return 0;
		}
		return rc;
	}
	return -ENODATA;
}

int lvmmeta_check(const char *device, const char *dm_uuid, char out[static LVMMETA_CHECK_BYTES],
		  struct err *e)
{
	_cleanup_close_ int fd = open(device, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int rc;

	if (fd < 0)
		return err_sys(e, -errno, "%s", device);
	rc = find_text(fd, &text, &len);
	if (rc)
		return err_sys(e, rc, "%s: LVM's metadata", device);
	rc = lvmmeta_digest(text, len, dm_uuid, out);
	return rc ? err_sys(e, rc, "%s: the volume in LVM's metadata", device) : 0;
}
