/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show.h - how `crashpod show` presents a dump (view.h): as text, or as one page of HTML.
 * Errors: of out, for the caller to ask. */
#ifndef CRASHPOD_SHOW_H
#define CRASHPOD_SHOW_H

#include <stdio.h>

#include "view.h"

struct show_style {
	bool colour; /* a terminal's */
	bool blocks; /* U+2580 and its like can be shown */
	unsigned width;
};

void show_text(FILE *out, const struct view *v, const struct show_style *style);
/* Self-contained: no script, nothing that is loaded. */
void show_html(FILE *out, const struct view *v);

/* The parts of the page that are drawn, for show_html.c. */
void show_html_memory(FILE *out, const struct view *v);
void show_html_timeline(FILE *out, const struct view *v);
/* Text, escaped. */
void html_text(FILE *out, const char *text);
void html_text_n(FILE *out, const char *text, size_t len);
extern const char show_html_css[];

/* "2 h 13 min", "12.3 s" */
#define SHOW_SPAN_MAX 48
const char *show_span(char buf[static SHOW_SPAN_MAX], double seconds);
/* "verified (full)", "not verified", "reading back found it damaged"; "" where nothing is known. */
const char *show_verified(const struct dump_entry *entry);

#endif
