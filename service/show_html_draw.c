/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show_html_draw.c - what is drawn on the page: of what memory was made, and where the time went.
 */
#include <string.h>

#include "figures.h"
#include "show.h"

#define WIDE 1000.0 /* of a drawing, in its own units */
#define THIN 2.0    /* the least that is seen */

static u64 bytes_of(u64 pages)
{
	return pages > UINT64_MAX / PAGE_SIZE ? UINT64_MAX : pages * PAGE_SIZE;
}

static void draw_bar(FILE *out, double x, double width, double y, double height, const char *key)
{
	fprintf(out,
		"<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" "
		"style=\"fill:var(--%s)\"/>",
		x, y, width, height, key);
}

/* One bar of all shares, or of those that are in the dump. */
static void draw_shares(FILE *out, const struct composition *c, bool kept, double y, double height)
{
	double whole = (double)(kept ? c->kept : c->whole), x = 0;

	for (unsigned i = 0; i < c->n; i++) {
		const struct share *s = &c->shares[i];
		double width = WIDE * (double)s->pages / whole;

		if (kept && !s->kept)
			continue;
		/* a gap of the background between neighbours */
		draw_bar(out, x, MAX(width - 1.5, MIN(width, 1.0)), y, height, s->key);
		x += width;
	}
}

/* All of memory, and below it what is in the dump, as large as the whole above. */
static void draw_memory(FILE *out, const struct composition *c)
{
	double kept = WIDE * (double)c->kept / (double)c->whole;

	fputs("<svg viewBox=\"0 0 1000 92\" preserveAspectRatio=\"none\" height=\"92\" "
	      "role=\"img\" aria-label=\"all of memory, and what of it is in the dump\">",
	      out);
	draw_shares(out, c, false, 0, 34);
	if (c->kept && c->kept < c->whole) {
		fprintf(out,
			"<path d=\"M0 35H%.2fL1000 57H0Z\" style=\"fill:var(--data)\" "
			"opacity=\".2\"/>",
			MAX(kept, THIN));
		draw_shares(out, c, true, 58, 34);
	}
	fputs("</svg>", out);
}

static void legend_row(FILE *out, const struct share *s, const struct composition *c)
{
	char a[FIGURE_MAX], b[FIGURE_MAX], d[FIGURE_MAX];

	fprintf(out,
		"<tr><td><span class=\"swatch\" style=\"background:var(--%s)\"></span>%s</td>"
		"<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">",
		s->key, s->label, figure_count(a, s->pages), figure_bytes(b, bytes_of(s->pages)));
	html_text(out, figure_share(d, s->pages, c->whole));
	fputs("</td></tr>\n", out);
}

static void legend(FILE *out, const struct view *v)
{
	const struct composition *c = &v->memory;
	int kept = -1;

	fputs("<table class=\"legend\"><thead><tr><th></th><th class=\"n\">pages</th>"
	      "<th class=\"n\">size</th><th class=\"n\">of all</th></tr></thead>\n",
	      out);
	for (unsigned i = 0; i < c->n; i++) {
		if (kept != c->shares[i].kept) {
			fputs(kept < 0 ? "<tbody class=\"next\">"
				       : "</tbody><tbody class=\"next\">",
			      out);
			kept = c->shares[i].kept;
			fprintf(out, "<tr><th colspan=\"4\">%s</th></tr>\n",
				kept ? "In the dump" : "Left out");
		}
		legend_row(out, &c->shares[i], c);
	}
	fputs("</tbody></table>\n", out);
}

void show_html_memory(FILE *out, const struct view *v)
{
	const struct composition *c = &v->memory;
	char a[FIGURE_MAX], b[FIGURE_MAX];

	if (!c->n)
		return;
	fprintf(out,
		"<section><h2>Memory</h2>\n<p class=\"tier\"><span>All of it: <b>%s</b></span>"
		"<span>%s pages</span></p>\n",
		figure_bytes(a, bytes_of(c->whole)), figure_count(b, c->whole));
	draw_memory(out, c);
	fprintf(out, "<p class=\"tier below\"><span>In the dump: <b>%s</b>",
		figure_bytes(a, bytes_of(c->kept)));
	if (v->entry.bytes && view_has_dump(v))
		fprintf(out, ", in a file of <b>%s</b>", figure_bytes(b, v->entry.bytes));
	fputs("</span><span>", out);
	html_text(out, figure_share(a, c->kept, c->whole));
	if (v->entry.has_level)
		fprintf(out, " at level %u", v->entry.level);
	fputs("</span></p>\n", out);
	legend(out, v);
	fputs("</section>\n", out);
}

static void step_bar(FILE *out, double start, double took, double whole, bool good)
{
	double x = whole > 0 ? WIDE * start / whole : 0;
	double width = whole > 0 ? WIDE * took / whole : 0;

	x = x > 0 ? MIN(x, WIDE - 4) : 0;
	width = width > 4 ? MIN(width, WIDE - x) : 4;
	fputs("<svg viewBox=\"0 0 1000 12\" preserveAspectRatio=\"none\" height=\"12\" "
	      "aria-hidden=\"true\">",
	      out);
	fputs("<rect y=\"5.5\" width=\"1000\" height=\"1\" style=\"fill:var(--line)\"/>", out);
	draw_bar(out, x, width, 0, 12, good ? "data" : "bad");
	fputs("</svg>", out);
}

static void step_row(FILE *out, const struct json_doc *doc, const struct json_node *s, double whole)
{
	const char *result = json_text(doc, s, "result");
	double start = json_real(doc, s, "start"), took = json_real(doc, s, "seconds");
	bool good = strcmp(result, "ok") == 0;

	fputs("<tr><td class=\"name\">", out);
	html_text(out, json_text(doc, s, "name"));
	fputs("</td><td class=\"bar\">", out);
	step_bar(out, start, took, whole, good);
	fprintf(out, "</td><td class=\"n\">%.3f s</td><td>", took >= 0 && took < 1e9 ? took : 0.0);
	if (!good) {
		fputs("<b class=\"bad\">", out);
		html_text(out, result);
		fputs("</b> ", out);
	}
	fputs("<small>", out);
	html_text(out, json_text(doc, s, "message"));
	fputs("</small></td></tr>\n", out);
}

static void boot_row(FILE *out, const struct json_doc *doc)
{
	double boot = json_real(doc, NULL, "capture.boot_seconds");

	if (boot <= 0 || boot >= 1e9)
		return;
	fprintf(out,
		"<p class=\"note\">The capture kernel took another %.1f s to start, before the "
		"first of these steps.</p>\n",
		boot);
}

void show_html_timeline(FILE *out, const struct view *v)
{
	const struct json_doc *doc = &v->record;
	const struct json_node *s = json_first(doc, json_at(doc, NULL, "steps"));
	double whole = json_real(doc, NULL, "seconds");
	const char *target = "";
	char span[SHOW_SPAN_MAX];

	if (!s)
		return;
	fprintf(out, "<section><h2>Capture in %s</h2>\n<table class=\"steps\">\n",
		show_span(span, whole));
	for (; s; s = json_next(doc, s)) {
		const char *now = json_text(doc, s, "target");

		if (strcmp(now, target) != 0 && now[0]) {
			fputs("<tr class=\"target\"><td colspan=\"4\">on ", out);
			html_text(out, now);
			fputs("</td></tr>\n", out);
		}
		target = now;
		step_row(out, doc, s, whole);
	}
	fputs("</table>\n", out);
	boot_row(out, doc);
	fputs("</section>\n", out);
}
