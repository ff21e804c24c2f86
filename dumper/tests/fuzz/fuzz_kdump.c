/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdump-compressed files: the reader, and the judge of dumps. The input is the file. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../verify.h"
#include "fuzz.h"

#define KDUMP_PAGES 4096u /* looked at after verify */

static void kdump_line(void *arg, const char *line)
{
	FUZZ_CHECK(line[0] && !strchr(line, '\n'));
	++*(unsigned *)arg;
}

/* A file that is called sound, and whole, gives each page that it says it has. */
static void kdump_check_sound(const char *path)
{
	u64 ram[KDUMP_PAGES / 64] = { 0 }, have[KDUMP_PAGES / 64] = { 0 };
	struct source *s;
	struct window w;

	FUZZ_CHECK(source_open(&s, path, SOURCE_PARTIAL, NULL) == 0);
	FUZZ_CHECK(window_open(&w, s, PAGE_SIZE, NULL) == 0);
	FUZZ_CHECK(source_bits(s, 0, KDUMP_PAGES, ram, have, NULL) == 0);
	for (u64 pfn = 0; pfn < KDUMP_PAGES; pfn++) {
		u8 page[PAGE_SIZE];
		int rc = window_read(&w, pfn << PAGE_SHIFT, page, sizeof(page), NULL);

		FUZZ_CHECK((rc == 0) == bit_test(have, pfn));
	}
	window_close(&w);
	source_close(s);
}

int FUZZ_TARGET(kdump)(const uint8_t *data, size_t size)
{
	struct verify_result r;
	struct source *s;
	struct fuzz_file f;
	unsigned lines = 0;
	int rc;

	if (size < 8 || memcmp(data, "KDUMP   ", 8) != 0)
		return 0;
	fuzz_file_make(&f, data, size);
	for (unsigned flags = 0; flags <= SOURCE_PARTIAL; flags++) {
		if (source_open(&s, f.path, flags, NULL))
			continue;
		fuzz_check_source(s);
		source_close(s);
	}
	rc = verify_run(&r, f.path, kdump_line, &lines);
	FUZZ_CHECK(rc == (r.problems		   ? -EBADMSG
			  : r.incomplete || r.part ? -ENODATA
			  : r.unsupported	   ? -ENOTSUP
						   : 0));
	FUZZ_CHECK(lines == MIN(r.problems, (u64)VERIFY_LINES_MAX));
	FUZZ_CHECK(r.missing <= r.pages && r.unsupported <= r.pages);
	FUZZ_CHECK(r.missing == 0 || r.incomplete);
	FUZZ_CHECK(r.unreadable <= r.pages - r.missing);
	if (rc == 0 && !r.unreadable)
		kdump_check_sound(f.path);
	close(f.fd);
	return 0;
}
