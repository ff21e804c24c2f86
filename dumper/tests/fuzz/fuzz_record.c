/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `crashpod show` makes of a record and a log. Input: the record's text; what follows a NUL is
 * the log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../service/show.h"
#include "fuzz.h"

static void record_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		FUZZ_CHECK(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
}

/* No element but those that the page itself has, and every one of these is closed. */
static void record_page(const char *text, size_t len)
{
	static const char *const never[] = { "<script", "<img",	 "<iframe", "<a ",
					     "<object", "nan\"", "inf\"" };

	record_plain(text, len);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		FUZZ_CHECK(!strstr(text, never[i]));
	FUZZ_CHECK(strncmp(text, "<!doctype html>", 15) == 0);
	FUZZ_CHECK(len > 8 && strcmp(text + len - 8, "</html>\n") == 0);
}

static void record_show(const struct view *v, bool html)
{
	static const struct show_style plain = { 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	FUZZ_CHECK(out);
	if (html)
		show_html(out, v);
	else
		show_text(out, v, &plain);
	FUZZ_CHECK(fclose(out) == 0);
	if (html)
		record_page(text, len);
	else
		record_plain(text, len);
	free(text);
}

int FUZZ_TARGET(record)(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, '\0', size);
	size_t n = nul ? (size_t)(nul - data) : size;
	struct view *v = calloc(1, sizeof(*v));

	FUZZ_CHECK(v);
	snprintf(v->entry.dir, sizeof(v->entry.dir), "/var/crash/202611250149");
	snprintf(v->entry.file, sizeof(v->entry.file), "dump.202611250149");
	v->entry.record = json_doc_parse(&v->record, (const char *)data, n) == 0;
	if (v->entry.record)
		dump_from_record(&v->entry, &v->record);
	if (nul) {
		v->log = strndup((const char *)nul + 1, size - n - 1);
		FUZZ_CHECK(v->log);
		log_facts(&v->facts, v->log, v->entry.panic);
	}
	composition_make(&v->memory, &v->entry, &v->record);
	record_show(v, false);
	record_show(v, true);
	view_free(v);
	free(v);
	return 0;
}
