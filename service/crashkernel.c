/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crashkernel.h"

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
	*size = strtoull(*text, &end, 0);
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

u64 crashkernel_read(const char *text, u64 ram, char word[static CRASHKERNEL_WORD])
{
	u64 bytes = 0;

	word[0] = '\0';
	for (const char *p = text; (p = strstr(p, NAME)); p += strlen(NAME)) {
		char one[CRASHKERNEL_WORD];

		if (!begins_word(text, p) || is_comment(text, p))
			continue;
		snprintf(one, sizeof(one), "%.*s", (int)MIN(strcspn(p, ENDS), sizeof(one) - 1), p);
		if (is_extra(one + strlen(NAME)))
			continue;
		memcpy(word, one, sizeof(one));
		bytes = value_read(word + strlen(NAME), ram);
	}
	return bytes;
}

char *crashkernel_replace(const char *line, const char *word)
{
	size_t len = strlen(line), n = 0, end;
	char *out = malloc(len + (word ? strlen(word) : 0) + 2), quote;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len;) {
		if (!strncmp(line + i, NAME, strlen(NAME)) && begins_word(line, line + i)) {
			i += strcspn(line + i, ENDS);
			/* and the blanks on one side of it */
			while (line[i] && strchr(" \t", line[i]) &&
			       (!n || strchr(ENDS, out[n - 1])))
				i++;
			continue;
		}
		out[n++] = line[i++];
	}
	for (end = n; end && strchr(BLANKS, out[end - 1]);)
		end--;
	quote = end && strchr("\"'", out[end - 1]) ? out[end - 1] : '\0';
	end -= quote != '\0';
	while (end && out[end - 1] == ' ')
		end--;
	n = end;
	if (word)
		n += (size_t)sprintf(out + n, "%s%s", n && !strchr(ENDS, out[n - 1]) ? " " : "",
				     word);
	if (quote)
		out[n++] = quote;
	out[n] = '\0';
	return out;
}
