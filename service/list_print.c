/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "figures.h"
#include "utc.h"

#define CELL_MAX 300
#define CAUSE_MIN 24 /* columns that the cause keeps on a narrow terminal */

enum column { C_WHEN, C_KERNEL, C_CAUSE, C_SIZE, C_LEVEL, C_PAGES, C_STATE, C_VERIFIED, C_PATH };
#define COLUMNS (C_PATH + 1)

static const struct {
	const char *head;
	bool right;
} columns[COLUMNS] = {
	[C_WHEN] = { "WHEN (UTC)", false }, [C_KERNEL] = { "KERNEL", false },
	[C_CAUSE] = { "CAUSE", false },	    [C_SIZE] = { "SIZE", true },
	[C_LEVEL] = { "LEVEL", true },	    [C_PAGES] = { "PAGES", true },
	[C_STATE] = { "STATE", false },	    [C_VERIFIED] = { "VERIFIED", false },
	[C_PATH] = { "PATH", false },
};

/* What most causes begin with tells nothing in a column of causes. */
static const char *cause(const struct dump_entry *entry)
{
	static const char common[] = "Kernel panic - not syncing: ";
	size_t n = strlen(common);

	return strncmp(entry->panic, common, n) == 0 && entry->panic[n] ? entry->panic + n
									: entry->panic;
}

static void cell(char buf[static CELL_MAX], const struct dump_entry *entry, enum column column)
{
	char a[FIGURE_MAX], b[FIGURE_MAX], when[UTC_MAX];

	buf[0] = '\0';
	switch (column) {
	case C_WHEN:
		snprintf(buf, CELL_MAX, "%.19s", utc_text(when, entry->when));
		break;
	case C_KERNEL:
		snprintf(buf, CELL_MAX, "%s", entry->kernel);
		break;
	case C_CAUSE:
		snprintf(buf, CELL_MAX, "%s", cause(entry));
		break;
	case C_SIZE:
		if (entry->file[0])
			snprintf(buf, CELL_MAX, "%s", figure_bytes(a, entry->bytes));
		break;
	case C_LEVEL:
		if (entry->has_level)
			snprintf(buf, CELL_MAX, "%u", entry->level);
		break;
	case C_PAGES:
		if (entry->has_pages)
			snprintf(buf, CELL_MAX, "%s (%s)", figure_count(a, entry->dumped),
				 figure_share(b, entry->dumped, entry->ram));
		break;
	case C_STATE:
		snprintf(buf, CELL_MAX, "%s", dump_state_name(entry->state));
		break;
	case C_VERIFIED:
		snprintf(buf, CELL_MAX, "%s", entry->verified);
		break;
	case C_PATH:
		break;
	}
	if (!buf[0])
		snprintf(buf, CELL_MAX, "-");
}

static void print_cell(FILE *out, const char *text, unsigned width, enum column column)
{
	unsigned len = (unsigned)strlen(text);

	if (len > width)
		fprintf(out, "%.*s...  ", (int)width - 3, text);
	else
		fprintf(out, "%*s  ", columns[column].right ? (int)width : -(int)width, text);
}

/* Whole, however long: it is there to be copied. */
static void print_path(FILE *out, const struct dump_entry *entry)
{
	char path[PATH_MAX + sizeof(entry->file)];

	snprintf(path, sizeof(path), "%s%s%s", entry->dir, entry->state == DUMPS_RAW ? " " : "/",
		 entry->file);
	for (char *p = path; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	fprintf(out, "%s\n", path);
}

void list_table(FILE *out, const struct dumps *d, unsigned width)
{
	unsigned widths[C_PATH], sum = 0, path = 0, over;
	char text[CELL_MAX];

	if (!d->n)
		return;
	for (unsigned c = 0; c < C_PATH; c++) {
		widths[c] = (unsigned)strlen(columns[c].head);
		for (size_t i = 0; i < d->n; i++) {
			cell(text, &d->v[i], c);
			widths[c] = MAX(widths[c], (unsigned)strlen(text));
		}
		sum += widths[c] + 2;
	}
	for (size_t i = 0; i < d->n; i++)
		path = MAX(path, (unsigned)(strlen(d->v[i].dir) + strlen(d->v[i].file) + 1));
	over = width && sum + path > width ? sum + path - width : 0;
	if (widths[C_CAUSE] > CAUSE_MIN)
		widths[C_CAUSE] -= MIN(over, widths[C_CAUSE] - CAUSE_MIN);
	for (unsigned c = 0; c < C_PATH; c++)
		print_cell(out, columns[c].head, widths[c], c);
	fprintf(out, "%s\n", columns[C_PATH].head);
	for (size_t i = 0; i < d->n; i++) {
		for (unsigned c = 0; c < C_PATH; c++) {
			cell(text, &d->v[i], c);
			print_cell(out, text, widths[c], c);
		}
		print_path(out, &d->v[i]);
	}
}

static void add_entry(struct json *j, const struct dump_entry *entry, const struct seen *s)
{
	char when[UTC_MAX];

	json_object(j, NULL);
	json_s64(j, "when_s", entry->when);
	json_string(j, "when", utc_text(when, entry->when));
	json_string(j, "kernel", entry->kernel);
	json_string(j, "panic", entry->panic);
	json_string(j, "state", dump_state_name(entry->state));
	if (entry->reason[0])
		json_string(j, "reason", entry->reason);
	json_u64(j, "bytes", entry->bytes);
	if (entry->has_level)
		json_u64(j, "level", entry->level);
	if (entry->has_pages) {
		json_object(j, "pages");
		json_u64(j, "ram", entry->ram);
		json_u64(j, "dumped", entry->dumped);
		json_object_end(j);
	}
	if (entry->verified[0])
		json_string(j, "verified", entry->verified);
	json_string(j, "directory", entry->dir);
	json_string(j, "dump", entry->file);
	json_string(j, "dmesg", entry->dmesg);
	json_bool(j, "record", entry->record);
	json_bool(j, "seen", seen_has(s, entry));
	json_object_end(j);
}

int list_json(FILE *out, const char *path, const struct dumps *d, const struct seen *s)
{
	struct json j;
	int rc;

	json_init(&j);
	json_object(&j, NULL);
	json_string(&j, "path", path);
	json_array(&j, "dumps");
	for (size_t i = 0; i < d->n; i++)
		add_entry(&j, &d->v[i], s);
	json_array_end(&j);
	json_object_end(&j);
	rc = json_end(&j);
	if (!rc)
		fputs(j.buf, out);
	json_deinit(&j);
	return rc;
}
