/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "summary.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 512
#define LINE_FULL 90 /* no step is added to a line of this length */

static size_t add(char *buf, size_t cap, size_t n, const struct step_log *l, bool first)
{
	u64 hundredths = (l->took_ms + 5) / 10;
	const char *how = !l->ok ? " failed" : l->part ? " incomplete" : "";
	int len;

	if (n >= cap)
		return n;
	len = snprintf(buf + n, cap - n, "%s%s %llu.%02llu%s", first ? "" : ", ", l->name,
		       (unsigned long long)(hundredths / 100),
		       (unsigned long long)(hundredths % 100), how);
	return n + (size_t)MAX(len, 0);
}

bool summary_line(const struct init *in, unsigned *from, char *buf, size_t cap)
{
	const struct step_log *first = &in->log[*from];
	size_t n, begin;

	if (*from >= in->nlog)
		return false;
	snprintf(buf, cap, "seconds%s%.200s: ", first->target ? " on " : "",
		 first->target ? first->target : "");
	begin = n = strlen(buf);
	for (; *from < in->nlog; ++*from) {
		const struct step_log *l = &in->log[*from];

		/* a name is not compared: the same device may be a target twice */
		if (l->target != first->target || n - begin >= LINE_FULL)
			break;
		n = add(buf, cap, n, l, l == first);
	}
	return true;
}

void summary_say(struct init *in)
{
	char line[LINE_MAX_BYTES];

	for (unsigned from = 0; summary_line(in, &from, line, sizeof(line));)
		console_say(&in->con, "%s", line);
}
