/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "logfacts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"

#define TRACE_LINES_MAX 160 /* lines after "Call Trace:" that are looked at */

static void clean_log(char *log)
{
	for (char *p = log; *p;) {
		char *nl = strchr(p, '\n');

		if (nl)
			*nl = '\0';
		clean_text(p);
		if (!nl)
			return;
		*nl = '\n';
		p = nl + 1;
	}
}

/* "[    1.234567] " and "[    1.234567][    T1] " */
static size_t stamp_length(const char *line, size_t len)
{
	size_t at = 0;

	while (at < len && line[at] == '[') {
		const char *end = memchr(line + at, ']', len - at);

		if (!end ||
		    strspn(line + at + 1, " .0123456789TC") != (size_t)(end - line) - at - 1)
			break;
		at = (size_t)(end - line) + 1;
	}
	return at && at < len && line[at] == ' ' ? at + 1 : at;
}

const char *log_line(const char *log, size_t *at, size_t *len)
{
	const char *line = log + *at;
	size_t whole = strcspn(line, "\n"), stamp = stamp_length(line, whole);

	*at += whole + (line[whole] == '\n');
	*len = whole - stamp;
	return line + stamp;
}

static bool begins(const char *line, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(line, with, strlen(with)) == 0;
}

static void take(char *to, size_t cap, const char *line, size_t len)
{
	snprintf(to, cap, "%.*s", (int)MIN(len, cap), line);
}

/* 5.10's real-time kernels log the reason as a line of its own, which the cause has with it. */
static bool is_cause(const char *line, size_t len, const char *panic, size_t n)
{
	static const char split[] = "Kernel panic - not syncing:";
	size_t head = strlen(split);

	if (len >= n)
		return memcmp(line, panic, n) == 0;
	return len == head && memcmp(line, split, head) == 0 && strncmp(panic, split, head) == 0;
}

/* The line of the cause: the last one that is the same. */
static void find_cause(struct log_facts *f, const char *log, const char *panic)
{
	size_t at = 0, len, n = strlen(panic);

	f->cause = SIZE_MAX;
	while (n && log[at]) {
		size_t begin = at;
		const char *line = log_line(log, &at, &len);

		if (!is_cause(line, len, panic, n))
			continue;
		f->cause = begin;
		f->has_uptime = log[begin] == '[';
		if (f->has_uptime)
			f->uptime_s = strtod(log + begin + 1, NULL);
	}
}

/* The first trace from the cause on, or the last one before it. */
static size_t find_trace(const struct log_facts *f, const char *log)
{
	size_t at = 0, len, found = SIZE_MAX;

	while (log[at]) {
		size_t begin = at;
		const char *line = log_line(log, &at, &len);

		if (!begins(line, len, "Call Trace:") && !begins(line, len, "Call trace:"))
			continue;
		found = begin;
		if (f->cause != SIZE_MAX && begin > f->cause)
			break;
	}
	return found;
}

/* A line of the trace; false: the trace is over. */
static bool take_frame(struct log_facts *f, const char *line, size_t len)
{
	while (len && *line == ' ') {
		line++;
		len--;
	}
	if (begins(line, len, "</TASK>"))
		return false;
	if (begins(line, len, "<TASK>"))
		return true;
	if (begins(line, len, "? ")) {
		f->unsure++;
		return true;
	}
	if (f->nframes < LOG_FRAMES_MAX)
		take(f->frames[f->nframes++].text, sizeof(f->frames[0].text), line, len);
	else
		f->more = true;
	return true;
}

static void read_trace(struct log_facts *f, const char *log, size_t at)
{
	size_t len;

	log_line(log, &at, &len);
	for (unsigned n = 0; log[at] && n < TRACE_LINES_MAX; n++) {
		const char *line = log_line(log, &at, &len);

		/* registers of the task may stand in the middle */
		if (!begins(line, len, " ")) {
			if (begins(line, len, "---[") || begins(line, len, "Modules linked in"))
				return;
			continue;
		}
		if (!take_frame(f, line, len))
			return;
	}
}

/* "CPU: 1 PID: 132 Comm: sh Kdump: loaded Not tainted 6.1..." to the end of the command's name. */
static void take_task(struct log_facts *f, const char *line, size_t len)
{
	static const char *const ends[] = { " Kdump:", " Not tainted", " Tainted:" };

	take(f->task, sizeof(f->task), line, len);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		char *end = strstr(f->task, ends[i]);

		if (end)
			*end = '\0';
	}
}

/* What stands around the trace: of the lines of each kind, the last one up to its end. */
static void read_around(struct log_facts *f, const char *log, size_t trace)
{
	size_t at = 0, len;

	while (log[at]) {
		size_t begin = at;
		const char *line = log_line(log, &at, &len);

		if (begins(line, len, "Hardware name: "))
			take(f->hardware, sizeof(f->hardware), line + 15, len - 15);
		else if (!f->hardware[0] && begins(line, len, "DMI: "))
			take(f->hardware, sizeof(f->hardware), line + 5, len - 5);
		if (trace != SIZE_MAX && begin > trace)
			continue;
		if (begins(line, len, "CPU: ") && memmem(line, len, " PID: ", 6))
			take_task(f, line, len);
		/* 0033 is a program's */
		else if (begins(line, len, "RIP: 0010:") &&
			 (f->cause == SIZE_MAX || begin >= f->cause))
			take(f->rip, sizeof(f->rip), line + 10, len - 10);
	}
}

void log_facts(struct log_facts *f, char *log, const char *panic)
{
	size_t trace;

	memset(f, 0, sizeof(*f));
	clean_log(log);
	find_cause(f, log, panic);
	trace = find_trace(f, log);
	if (trace != SIZE_MAX)
		read_trace(f, log, trace);
	read_around(f, log, trace);
}

size_t log_tail(const char *log, unsigned lines)
{
	size_t at = strlen(log);

	if (at && log[at - 1] == '\n')
		at--;
	while (at && (log[at - 1] != '\n' || --lines))
		at--;
	return at;
}
