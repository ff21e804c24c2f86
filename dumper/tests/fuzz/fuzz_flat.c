/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flattened stream, beside an array into which its records are written one by one.
 * Input: whether one that ends early is accepted (bit 0 of a byte), then the stream's records. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../fileview.h"
#include "../../kdump_fmt.h"
#include "fuzz.h"

#define FLAT_ROOM 65536u /* of the file that is described; what lies behind is not compared */

struct flat_model {
	u8 bytes[FLAT_ROOM];
	bool known[FLAT_ROOM];
	u64 size;
	bool ended; /* by its mark */
};

static u64 flat_be64(const u8 *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

/* Returns false where the stream makes no sense. */
static bool flat_apply(struct flat_model *m, const u8 *data, size_t size)
{
	while (size >= 16) {
		u64 off = flat_be64(data), len = flat_be64(data + 8), there;

		data += 16;
		size -= 16;
		m->ended = off == UINT64_MAX;
		if (m->ended)
			return true;
		if (off >> 63 || len > ((u64)INT64_MAX - off))
			return false;
		there = MIN(len, size);
		/* a file does not grow by writing nothing */
		if (len)
			m->size = MAX(m->size, off + len);
		for (u64 i = 0; i < there && off + i < FLAT_ROOM; i++) {
			m->bytes[off + i] = data[i];
			m->known[off + i] = true;
		}
		data += there;
		size -= there;
		if (there < len)
			return true;
	}
	return true;
}

/* Reads in pieces of several lengths; each byte must be the last one written there. */
static void flat_compare(const struct fileview *v, const struct flat_model *m)
{
	static const size_t steps[] = { 1, 7, 100, 4096 };
	u8 buf[4096];
	size_t turn = 0;

	FUZZ_CHECK(v->size == m->size);
	for (u64 at = 0; at < MIN(m->size, (u64)FLAT_ROOM);) {
		size_t step = steps[turn++ % ARRAY_SIZE(steps)], want = MIN(step, FLAT_ROOM - at);
		ssize_t got = fileview_pread(v, buf, want, at);

		FUZZ_CHECK(got >= 0 && (size_t)got <= want);
		for (ssize_t i = 0; i < got; i++)
			FUZZ_CHECK(buf[i] == m->bytes[at + (u64)i]);
		/* a read may end early only where records are lost, or the file ends */
		if ((size_t)got < want) {
			u64 end = at + (u64)got;

			FUZZ_CHECK(end == m->size || v->cut);
			if (end >= MIN(m->size, (u64)FLAT_ROOM))
				break;
			FUZZ_CHECK(!m->known[end]);
			at = end + 1;
			continue;
		}
		at += want;
	}
	FUZZ_CHECK(fileview_pread(v, buf, 1, v->size) == 0);
}

static void flat_run(const u8 *stream, size_t size, bool partial)
{
	struct flat_model *m = calloc(1, sizeof(*m));
	struct fuzz_file f;
	struct fileview v;
	struct err e = { 0 };
	struct source *s;
	bool sane;

	FUZZ_CHECK(m);
	fuzz_file_make(&f, stream, size);
	sane = flat_apply(m, stream + KDUMP_FLAT_HEADER_SIZE, size - KDUMP_FLAT_HEADER_SIZE);
	if (fileview_flat(&v, f.fd, partial, &e) == 0) {
		FUZZ_CHECK(sane && (m->ended || partial) && v.cut == !m->ended);
		flat_compare(&v, m);
		fileview_deinit(&v);
	} else {
		FUZZ_CHECK(e.code < 0 && e.msg[0]);
	}
	/* what it describes may be a dump */
	if (source_open(&s, f.path, partial ? SOURCE_PARTIAL : 0, NULL) == 0) {
		fuzz_check_source(s);
		source_close(s);
	}
	close(f.fd);
	free(m);
}

int FUZZ_TARGET(flat)(const uint8_t *data, size_t size)
{
	struct kdump_flat_header head = { KDUMP_FLAT_SIGNATURE, htobe64(KDUMP_FLAT_TYPE),
					  htobe64(KDUMP_FLAT_VERSION) };
	bool partial = fuzz_take(&data, &size, 1) & 1;
	u8 *stream = calloc(1, KDUMP_FLAT_HEADER_SIZE + size);

	FUZZ_CHECK(stream);
	memcpy(stream, &head, sizeof(head));
	if (size)
		memcpy(stream + KDUMP_FLAT_HEADER_SIZE, data, size);
	flat_run(stream, KDUMP_FLAT_HEADER_SIZE + size, partial);
	free(stream);
	return 0;
}
