/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dead kernel's log. Input: which kind of log (1 byte), the most bytes of text that are wanted
 * (2 bytes), then memory from FUZZ_FREE on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../dmesg.h"
#include "fuzz.h"

static void dmesg_check_text(const char *text, size_t len, size_t max)
{
	FUZZ_CHECK(len <= max && strlen(text) == len);
	FUZZ_CHECK(len == 0 || text[len - 1] == '\n');
	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK(text[i] == '\n' || text[i] == '\t' ||
			   (text[i] >= 0x20 && text[i] < 0x7f));
}

static void dmesg_check_panic(const char *text, size_t len)
{
	char line[40];
	int rc = dmesg_panic_line(text, len, line, sizeof(line));

	FUZZ_CHECK(rc == 0 || rc == -ENOENT);
	if (rc == 0)
		FUZZ_CHECK(memchr(line, '\0', sizeof(line)) && !strchr(line, '\n'));
}

int FUZZ_TARGET(dmesg)(const uint8_t *data, size_t size)
{
	unsigned kind = fuzz_take(&data, &size, 1) % ARRAY_SIZE(fuzz_log_info);
	size_t max = 64 + fuzz_take(&data, &size, 2), len = 0;
	struct fuzz_mem *m = fuzz_mem_new(fuzz_log_info[kind]);
	struct err e = { 0 };
	char *text = NULL;
	int rc;

	fuzz_mem_map(m);
	fuzz_mem_fill(m, FUZZ_FREE, data, size);
	rc = dmesg_text(&m->core, max, &text, &len, NULL, &e);
	FUZZ_CHECK(rc <= 0 && (rc == 0 || e.msg[0]));
	FUZZ_CHECK(text || (rc && !len));
	if (text) {
		dmesg_check_text(text, len, max);
		dmesg_check_panic(text, len);
	}
	/* a log is also looked for in what no kernel wrote */
	if (size)
		dmesg_check_panic((const char *)data, size);
	free(text);
	fuzz_mem_free(m);
	return 0;
}
