/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of pages, judged by zstd. The input is a step, a cap, and the page, which is filled up
 * with its own beginning. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "../../zpage.h"
#include "fuzz.h"

int FUZZ_TARGET(zpage)(const uint8_t *data, size_t size)
{
	unsigned step = 1 + (unsigned)fuzz_take(&data, &size, 1);
	size_t cap = (size_t)fuzz_take(&data, &size, 2) % PAGE_SIZE, n;
	u8 *page = calloc(1, PAGE_SIZE), *frame = malloc(cap ? cap : 1), *out = malloc(PAGE_SIZE);
	struct zpage *z = zpage_open(step);

	FUZZ_CHECK(page && frame && out && z);
	for (size_t i = 0; size && i < PAGE_SIZE; i++)
		page[i] = i < size ? data[i] : page[i - size];
	n = zpage_compress(z, page, frame, cap);
	FUZZ_CHECK(n <= cap);
	if (n) {
		FUZZ_CHECK(ZSTD_decompress(out, PAGE_SIZE, frame, n) == PAGE_SIZE);
		FUZZ_CHECK(memcmp(out, page, PAGE_SIZE) == 0);
	}
	zpage_close(z);
	free(page);
	free(frame);
	free(out);
	return 0;
}
