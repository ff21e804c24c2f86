/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crashkernel.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define NAME "crashkernel="
#define BLANKS " \t\r\n"
#define ENDS BLANKS "\"'"

/* A number with K, M, G or T behind; *text goes on behind it. False: none. */
static bool size_read(const char **text, u64 *size)
{
	char *end;
	unsigned shift = 0;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*size = strtoull(*text, &end, 0);
	if (errno)
		return false;
	switch (*end) {
	case 'k':
	case 'K':
		shift = 10;
		break;
	case 'm':
	case 'M':
		shift = 20;
		break;
	case 'g':
	case 'G':
		shift = 30;
		break;
	case 't':
	case 'T':
		shift = 40;
		break;
	}
	if (*size > UINT64_MAX >> shift)
		return false;
	*size <<= shift;
	*text = end + (shift != 0);
	return true;
}

/* RANGE:SIZE[,RANGE:SIZE,...]; a RANGE is START-[END]. */
static u64 ranges_read(const char *p, u64 ram)
{
	for (;;) {
		u64 start, end = UINT64_MAX, size;

		if (!size_read(&p, &start) || *p++ != '-')
			return 0;
		if (*p != ':' && !size_read(&p, &end))
			return 0;
		if (*p++ != ':' || !size_read(&p, &size))
			return 0;
		if (ram >= start && ram < end)
			return size;
		if (*p++ != ',')
			return 0;
	}
}

static u64 value_read(const char *value, u64 ram)
{
	const char *p = value;
	u64 size;

	if (value[strcspn(value, "-:@")] == '-')
		return ranges_read(value, ram);
	return size_read(&p, &size) && (!*p || *p == '@' || *p == ',') ? size : 0;
}

/* SIZE,low and SIZE,cma come beside one that counts. */
static bool is_extra(const char *value)
{
	const char *comma = strchr(value, ',');

	return comma && (!strcmp(comma, ",low") || !strcmp(comma, ",cma"));
}

static bool begins_word(const char *text, const char *at)
{
	return at == text || strchr(ENDS, at[-1]);
}

/* Whether at is in a line that begins with '#'. */
static bool is_comment(const char *text, const char *at)
{
	while (at > text && at[-1] != '\n')
		at--;
	return at[strspn(at, " \t")] == '#';
}

/* Where the last word crashkernel= that counts begins; NULL: there is none. */
static const char *find_last(const char *text)
{
	const char *last = NULL;

	for (const char *p = text; (p = strstr(p, NAME)); p += strlen(NAME)) {
		char one[CRASHKERNEL_WORD];

		snprintf(one, sizeof(one), "%.*s", (int)MIN(strcspn(p, ENDS), sizeof(one) - 1), p);
		if (begins_word(text, p) && !is_comment(text, p) && !is_extra(one + strlen(NAME)))
			last = p;
	}
	return last;
}

u64 crashkernel_read(const char *text, u64 ram, char word[static CRASHKERNEL_WORD])
{
	const char *p = find_last(text);

	word[0] = '\0';
	if (!p)
		return 0;
	snprintf(word, CRASHKERNEL_WORD, "%.*s",
		 (int)MIN(strcspn(p, ENDS), (size_t)CRASHKERNEL_WORD - 1), p);
	return value_read(word + strlen(NAME), ram);
}

/* Where a word is added: behind the last one, in the quotes. */
static size_t end_of_words(const char *line)
{
	size_t end = strlen(line);

	while (end && strchr(BLANKS, line[end - 1]))
		end--;
	if (end && strchr("\"'", line[end - 1]))
		end--;
	while (end && line[end - 1] == ' ')
		end--;
	return end;
}

char *crashkernel_replace(const char *line, const char *word)
{
	const char *at = find_last(line), *blank = "";
	size_t from = at ? (size_t)(at - line) : end_of_words(line);
	size_t len = at ? strcspn(at, ENDS) : 0;
	char *out;

	/* a quote behind a backslash is the end of a word, not of the quotes before it */
	if (!at && from && (!strchr(ENDS, line[from - 1]) || (from > 1 && line[from - 2] == '\\')))
		blank = " ";
	if (asprintf(&out, "%.*s%s%s%s", (int)from, line, blank, word, line + from + len) < 0)
		return NULL;
	return out;
}
