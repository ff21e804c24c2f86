/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show_text.c - a dump, for a terminal. */
#include <string.h>

#include "figures.h"
#include "show.h"
#include "utc.h"

#define BAR 30	 /* columns of a bar */
#define LABEL 30 /* columns of what stands before it */

enum tint { T_NONE, T_HEAD, T_BAD, T_GOOD, T_DIM };

struct pen {
	FILE *out;
	const struct show_style *style;
};

static void tint(const struct pen *p, enum tint t)
{
	static const char *const codes[] = { "\033[0m", "\033[1m", "\033[1;31m", "\033[32m",
					     "\033[2m" };

	if (p->style->colour)
		fputs(codes[t], p->out);
}

static void head(const struct pen *p, const char *text)
{
	fputc('\n', p->out);
	tint(p, T_HEAD);
	fprintf(p->out, "%s\n", text);
	tint(p, T_NONE);
}

static void fact(const struct pen *p, const char *name, const char *value)
{
	if (value[0])
		fprintf(p->out, "  %-10s %s\n", name, value);
}

const char *show_span(char buf[static SHOW_SPAN_MAX], double seconds)
{
	u64 s = seconds > 0 && seconds < 1e12 ? (u64)seconds : 0;

	if (s < 100)
		snprintf(buf, SHOW_SPAN_MAX, "%.1f s", seconds > 0 ? seconds : 0.0);
	else if (s < 7200)
		snprintf(buf, SHOW_SPAN_MAX, "%llu min", (unsigned long long)s / 60);
	else if (s < 172800)
		snprintf(buf, SHOW_SPAN_MAX, "%llu h %llu min", (unsigned long long)s / 3600,
			 (unsigned long long)s / 60 % 60);
	else
		snprintf(buf, SHOW_SPAN_MAX, "%llu days %llu h", (unsigned long long)s / 86400,
			 (unsigned long long)s / 3600 % 24);
	return buf;
}

const char *show_verified(const struct dump_entry *entry)
{
	static const struct {
		const char *is, *text;
	} t[] = {
		{ "full", "every page read back" },
		{ "structure", "read back, structure sound" },
		{ "failed", "reading it back found damage" },
		{ "no", "not read back" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		if (strcmp(entry->verified, t[i].is) == 0)
			return t[i].text;
	return "";
}

static void show_death(const struct pen *p, const struct view *v)
{
	const struct dump_entry *entry = &v->entry;
	char when[UTC_MAX], span[SHOW_SPAN_MAX];

	tint(p, T_BAD);
	fprintf(p->out, "%s\n", entry->panic[0] ? entry->panic : "The cause is not known");
	tint(p, T_NONE);
	fprintf(p->out, "%s, %s", entry->kernel[0] ? entry->kernel : "a kernel without a name",
		utc_text(when, entry->when));
	if (v->facts.has_uptime)
		fprintf(p->out, ", after %s", show_span(span, v->facts.uptime_s));
	fputc('\n', p->out);
}

static void show_facts(const struct pen *p, const struct view *v)
{
	const struct dump_entry *entry = &v->entry;
	const char *verified = show_verified(entry);
	char a[FIGURE_MAX], text[256];

	fputc('\n', p->out);
	fact(p, "machine", v->facts.hardware);
	if (entry->has_pages) {
		u64 bytes = entry->ram > UINT64_MAX / PAGE_SIZE ? 0 : entry->ram * PAGE_SIZE;

		snprintf(text, sizeof(text), "%s", figure_bytes(a, bytes));
		fact(p, "memory", text);
	}
	fact(p, "task", v->facts.task);
	fprintf(p->out, "  %-10s ", "dump");
	tint(p, entry->state == DUMPS_COMPLETE ? T_GOOD : T_BAD);
	fprintf(p->out, "%s", dump_state_name(entry->state));
	tint(p, T_NONE);
	if (entry->file[0])
		fprintf(p->out, ", %s", figure_bytes(a, entry->bytes));
	if (entry->has_level)
		fprintf(p->out, ", level %u", entry->level);
	fprintf(p->out, "%s%s\n", verified[0] ? ", " : "", verified);
	fact(p, "", entry->reason);
}

static void show_trace(const struct pen *p, const struct view *v)
{
	const struct log_facts *f = &v->facts;

	if (!f->nframes && !f->rip[0])
		return;
	head(p, "Backtrace");
	if (f->rip[0])
		fprintf(p->out, "  RIP: %s\n", f->rip);
	for (unsigned i = 0; i < f->nframes; i++)
		fprintf(p->out, "  %s\n", f->frames[i].text);
	tint(p, T_DIM);
	if (f->more)
		fprintf(p->out, "  ... more in the log\n");
	if (f->unsure)
		fprintf(p->out, "  (uncertain entries left out: %u)\n", f->unsure);
	tint(p, T_NONE);
}

/* begin and n in units of a column; what is there has at least one. */
static void bar(const struct pen *p, double begin, double n, unsigned width)
{
	unsigned from = begin > 0 ? (unsigned)begin : 0, len = n > 0 ? (unsigned)(n + 0.5) : 0;

	from = MIN(from, width - 1);
	len = MIN(MAX(len, n > 0), width - from);
	for (unsigned i = 0; i < width; i++) {
		bool on = i >= from && i < from + len;

		if (p->style->blocks)
			fputs(on ? "\u2588" : "\u00b7", p->out);
		else
			fputc(on ? '#' : '.', p->out);
	}
}

static void show_memory(const struct pen *p, const struct view *v)
{
	const struct composition *c = &v->memory;
	char a[FIGURE_MAX], b[FIGURE_MAX];
	int kept = -1;

	if (!c->n)
		return;
	head(p, "Memory");
	for (unsigned i = 0; i < c->n; i++) {
		const struct share *s = &c->shares[i];

		if (kept != s->kept) {
			kept = s->kept;
			fprintf(p->out, "  %s\n", kept ? "in the dump" : "left out");
		}
		fprintf(p->out, "    %-*s ", LABEL, s->label);
		bar(p, 0, (double)BAR * (double)s->pages / (double)c->whole, BAR);
		fprintf(p->out, " %6s %13s\n", figure_share(a, s->pages, c->whole),
			figure_count(b, s->pages));
	}
}

/* What a record may say is any number. */
static double seconds_of(double s)
{
	return s >= 0 && s < 1e9 ? s : 0;
}

static void show_timeline(const struct pen *p, const struct view *v)
{
	const struct json_node *steps = json_at(&v->record, NULL, "steps");
	double whole = json_real(&v->record, NULL, "seconds");

	if (!json_first(&v->record, steps))
		return;
	head(p, "Capture");
	for (const struct json_node *s = json_first(&v->record, steps); s;
	     s = json_next(&v->record, s)) {
		const char *result = json_text(&v->record, s, "result");
		double start = json_real(&v->record, s, "start");
		double took = json_real(&v->record, s, "seconds");
		double scale = whole > 0 ? BAR / whole : 0;

		fprintf(p->out, "  %-10.10s ", json_text(&v->record, s, "name"));
		bar(p, start * scale, took * scale, BAR);
		fprintf(p->out, " %8.3f s  ", seconds_of(took));
		tint(p, strcmp(result, "ok") ? T_BAD : T_NONE);
		fprintf(p->out, "%.12s", result);
		tint(p, T_NONE);
		if (strcmp(result, "ok") != 0)
			fprintf(p->out, ": %s", json_text(&v->record, s, "message"));
		fputc('\n', p->out);
	}
	fprintf(p->out, "  %-10s %*s %8.3f s\n", "", BAR, "", seconds_of(whole));
}

static void show_notes(const struct pen *p, const struct view *v)
{
	const struct json_node *n = json_first(&v->record, json_at(&v->record, NULL, "notes"));

	if (!n)
		return;
	head(p, "Notes");
	for (; n; n = json_next(&v->record, n))
		fprintf(p->out, "  %s\n", n->text);
}

static void show_files(const struct pen *p, const struct view *v)
{
	char path[PATH_MAX];

	head(p, "Files");
	fact(p, "dump", view_path(v, path));
	if (v->entry.dmesg[0])
		fprintf(p->out, "  %-10s %s/%s\n", "log", v->entry.dir, v->entry.dmesg);
	if (v->entry.record)
		fprintf(p->out, "  %-10s %s/crashpod.json\n", "record", v->entry.dir);
	if (!view_has_dump(v))
		return;
	head(p, "Next");
	if (debugkernel_fits(&v->debug)) {
		fprintf(p->out, "  crash %s %s\n", v->debug.path, path);
		return;
	}
	fprintf(p->out, "  crashpod vmlinux %s\n", path);
	if (v->debug.path[0])
		fprintf(p->out,
			"  names the package with the right vmlinux: %s is not it\n  %s: %s\n",
			v->debug.path, vmlinux_state_names[v->debug.state], v->debug.why);
	else
		fprintf(p->out,
			"  names the package with the kernel's debug information: none of %s is "
			"here\n",
			v->entry.kernel[0] ? v->entry.kernel : "this release");
}

void show_text(FILE *out, const struct view *v, const struct show_style *style)
{
	struct pen p = { out, style };

	show_death(&p, v);
	show_facts(&p, v);
	show_trace(&p, v);
	show_memory(&p, v);
	show_timeline(&p, v);
	show_notes(&p, v);
	show_files(&p, v);
}
