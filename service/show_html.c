/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show_html.c - a dump, as one page that needs nothing else. All that comes from the dump or its
 * record is written by html_text(); should that fail, the page's policy still loads nothing. */
#include <string.h>

#include "figures.h"
#include "show.h"
#include "utc.h"

#define BEFORE_LINES 24 /* of the log, before the cause */
#define TAIL_LINES 80	/* where the cause is not known */
#define AFTER_MAX 200	/* lines after it */

void html_text_n(FILE *out, const char *text, size_t len)
{
	static const struct {
		char c;
		const char *as;
	} special[] = {
		{ '&', "&amp;" },  { '<', "&lt;" },   { '>', "&gt;" },
		{ '"', "&quot;" }, { '\'', "&#39;" },
	};

	for (size_t i = 0; i < len; i++) {
		const char *as = NULL;

		for (size_t k = 0; k < ARRAY_SIZE(special) && !as; k++)
			if (text[i] == special[k].c)
				as = special[k].as;
		if (as)
			fputs(as, out);
		else
			fputc(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~') ? text[i] : '?',
			      out);
	}
}

void html_text(FILE *out, const char *text)
{
	html_text_n(out, text, strlen(text));
}

static void fact(FILE *out, const char *name, const char *value, const char *more)
{
	if (!value[0])
		return;
	fprintf(out, "<div><dt>%s</dt><dd>", name);
	html_text(out, value);
	if (more[0]) {
		fputs("<small>", out);
		html_text(out, more);
		fputs("</small>", out);
	}
	fputs("</dd></div>\n", out);
}

static void head(FILE *out, const struct view *v)
{
	const struct dump_entry *entry = &v->entry;
	char when[UTC_MAX], span[SHOW_SPAN_MAX];

	fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
	      out);
	html_text(out, entry->panic[0] ? entry->panic : "A crash");
	fprintf(out, "</title>\n<style>%s</style></head>\n<body><main>\n<header>", show_html_css);
	fprintf(out, "<p class=\"eyebrow\">Crash of %s</p>\n<h1>", utc_text(when, entry->when));
	html_text(out, entry->panic[0] ? entry->panic : "The cause is not known");
	fputs("</h1>\n<p class=\"lede\">Linux <b>", out);
	html_text(out, entry->kernel[0] ? entry->kernel : "without a name");
	fputs("</b>", out);
	if (v->facts.has_uptime)
		fprintf(out, " died after <b>%s</b>", show_span(span, v->facts.uptime_s));
	fputs("</p></header>\n", out);
}

static const char *pill(enum dump_state state)
{
	return state == DUMPS_COMPLETE ? "ok" : state == DUMPS_INCOMPLETE ? "warn" : "bad";
}

static void dump_fact(FILE *out, const struct view *v)
{
	const struct dump_entry *entry = &v->entry;

	fprintf(out, "<div><dt>Dump</dt><dd><span class=\"pill %s\">%s</span><small>",
		pill(entry->state), dump_state_name(entry->state));
	html_text(out, entry->reason[0] ? entry->reason : show_verified(entry));
	fputs("</small></dd></div>\n", out);
}

/* "CPU: 1 PID: 132 Comm: sh", the name of the task first */
static void task_fact(FILE *out, const char *task)
{
	const char *comm = strstr(task, " Comm: ");
	char where[160];

	snprintf(where, sizeof(where), "%.*s", comm ? (int)(comm - task) : 0, task);
	fact(out, "Task", comm ? comm + 7 : task, where);
}

/* "QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.17.0 04/01/2014" */
static void machine_fact(FILE *out, const char *hardware)
{
	const char *bios = strstr(hardware, ", BIOS ");
	char name[160];

	snprintf(name, sizeof(name), "%.*s", bios ? (int)(bios - hardware) : 160, hardware);
	fact(out, "Machine", name, bios ? bios + 2 : "");
}

static void facts(FILE *out, const struct view *v)
{
	const struct dump_entry *entry = &v->entry;
	char size[FIGURE_MAX], format[80];

	fputs("<section><dl class=\"facts\">\n", out);
	dump_fact(out, v);
	if (view_has_dump(v)) {
		snprintf(format, sizeof(format), "%.24s %.16s",
			 json_text(&v->record, NULL, "dump.format"),
			 json_text(&v->record, NULL, "dump.compression"));
		fact(out, "Size", figure_bytes(size, entry->bytes), format[0] == ' ' ? "" : format);
	}
	task_fact(out, v->facts.task);
	machine_fact(out, v->facts.hardware);
	fputs("</dl></section>\n", out);
}

/* The function, then where in it. */
static void frame(FILE *out, const char *text)
{
	size_t n = strcspn(text, "+");

	fputs(text[0] == '<' ? "<li class=\"mark\">" : "<li>", out);
	html_text_n(out, text, n);
	fputs("<span class=\"mark\">", out);
	html_text(out, text + n);
	fputs("</span></li>\n", out);
}

static void trace(FILE *out, const struct view *v)
{
	const struct log_facts *f = &v->facts;

	if (!f->nframes && !f->rip[0])
		return;
	fputs("<section><h2>Backtrace</h2>\n", out);
	if (f->rip[0]) {
		fputs("<p class=\"mono rip\"><b>RIP</b> ", out);
		html_text(out, f->rip);
		fputs("</p>\n", out);
	}
	fputs("<ol class=\"frames mono\">\n", out);
	for (unsigned i = 0; i < f->nframes; i++) {
		frame(out, f->frames[i].text);
	}
	fputs("</ol>\n", out);
	if (f->unsure || f->more)
		fprintf(out, "<p class=\"note\">Uncertain entries left out: %u%s.</p>\n", f->unsure,
			f->more ? "; more frames are in the log" : "");
	fputs("</section>\n", out);
}

/* Where the part that is shown begins: a few lines before the cause. */
static size_t log_begin(const struct view *v)
{
	size_t at = v->facts.cause;
	unsigned lines = BEFORE_LINES;

	if (at == SIZE_MAX)
		return log_tail(v->log, TAIL_LINES);
	while (at && (v->log[at - 1] != '\n' || lines--))
		at--;
	return at;
}

static void log_lines(FILE *out, const struct view *v)
{
	size_t at = log_begin(v);
	unsigned lines = 0;

	fprintf(out, "<section><h2>The end of the log</h2>\n<pre class=\"log\">");
	while (v->log[at] && lines++ < BEFORE_LINES + AFTER_MAX) {
		size_t n = strcspn(v->log + at, "\n");
		bool cause = at == v->facts.cause;

		fputs(cause ? "<mark>" : "", out);
		html_text_n(out, v->log + at, n);
		fputs(cause ? "</mark>\n" : "\n", out);
		at += n + (v->log[at + n] == '\n');
	}
	fprintf(out, "</pre>%s</section>\n", v->log[at] ? "<p class=\"note\">It goes on.</p>" : "");
}

static void notes(FILE *out, const struct view *v)
{
	const struct json_node *n = json_first(&v->record, json_at(&v->record, NULL, "notes"));

	if (!n)
		return;
	fputs("<section><h2>Notes of the capture</h2><ul class=\"notes\">\n", out);
	for (; n; n = json_next(&v->record, n)) {
		fputs("<li>", out);
		html_text(out, n->text);
		fputs("</li>\n", out);
	}
	fputs("</ul></section>\n", out);
}

static void file_row(FILE *out, const char *name, const char *dir, const char *file)
{
	fprintf(out, "<tr><td>%s</td><td class=\"mono\">", name);
	html_text(out, dir);
	fputs("/", out);
	html_text(out, file);
	fputs("</td></tr>\n", out);
}

static void files(FILE *out, const struct view *v)
{
	char path[PATH_MAX];

	fputs("<section><h2>Files, and what to do next</h2>\n<table>\n", out);
	if (view_has_dump(v))
		file_row(out, "Dump", v->entry.dir, v->entry.file);
	if (v->entry.dmesg[0])
		file_row(out, "Log", v->entry.dir, v->entry.dmesg);
	if (v->entry.record)
		file_row(out, "Record", v->entry.dir, "crashpod.json");
	fputs("</table>\n", out);
	if (view_has_dump(v)) {
		bool fits = debugkernel_fits(&v->debug);

		fputs("<pre class=\"cmd\">", out);
		html_text(out, fits ? "crash " : "crashpod vmlinux ");
		html_text(out, fits ? v->debug.path : "");
		fputs(fits ? " " : "", out);
		html_text(out, view_path(v, path));
		fputs("</pre>\n", out);
		if (!fits && v->debug.path[0]) {
			fputs("<p>Not with <span class=\"mono\">", out);
			html_text(out, v->debug.path);
			fprintf(out, "</span>: %s: ", vmlinux_state_names[v->debug.state]);
			html_text(out, v->debug.why);
			fputs("</p>\n", out);
		}
	}
	fputs("</section>\n", out);
}

void show_html(FILE *out, const struct view *v)
{
	const char *program = json_text(&v->record, NULL, "program");

	head(out, v);
	facts(out, v);
	trace(out, v);
	show_html_memory(out, v);
	show_html_timeline(out, v);
	notes(out, v);
	if (v->log)
		log_lines(out, v);
	files(out, v);
	fputs("<footer>", out);
	if (program[0]) {
		fputs("Captured by ", out);
		html_text(out, program);
		fputs(". ", out);
	}
	fputs("This page is whole in itself: it loads nothing.</footer>\n</main></body></html>\n",
	      out);
}
