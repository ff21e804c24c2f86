/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_GROW 512

void json_init(struct json *j)
{
	*j = (struct json){ .first = true };
}

void json_deinit(struct json *j)
{
	free(j->buf);
	*j = (struct json){ .first = true };
}

static void json_put(struct json *j, const char *text, size_t len)
{
	if (j->failed)
		return;
	if (j->cap - j->len <= len) {
		size_t cap = MAX(j->cap * 2, j->len + len + JSON_GROW);
		char *buf = cap > len ? realloc(j->buf, cap) : NULL;

		if (!buf) {
			j->failed = true;
			return;
		}
		j->buf = buf;
		j->cap = cap;
	}
	memcpy(j->buf + j->len, text, len);
	j->len += len;
	j->buf[j->len] = '\0';
}

static void json_puts(struct json *j, const char *text)
{
	json_put(j, text, strlen(text));
}

static void json_newline(struct json *j)
{
	json_puts(j, "\n");
	for (unsigned i = 0; i < j->depth; i++)
		json_puts(j, "  ");
}

/* Length of the UTF-8 sequence at s (NUL-terminated, so a short one ends in a byte that is not a
 * continuation), 0 where it is not UTF-8: overlong forms, surrogates, above U+10FFFF. */
static size_t json_utf8(const u8 *s)
{
	static const struct {
		u8 lead_min, lead_max, second_min, second_max, len;
	} form[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(form); i++) {
		size_t n = 2;

		if (s[0] < form[i].lead_min || s[0] > form[i].lead_max)
			continue;
		if (s[1] < form[i].second_min || s[1] > form[i].second_max)
			return 0;
		while (n < form[i].len && (s[n] & 0xc0) == 0x80)
			n++;
		return n == form[i].len ? n : 0;
	}
	return 0;
}

/* The number of a character of n bytes that acts on a terminal or on the lines around it instead of
 * being shown: C1 controls (U+009B begins an escape sequence), line and paragraph separators, and
 * what turns the direction of text; 0 for others. */
static unsigned json_hidden(const u8 *s, size_t n)
{
	unsigned c;

	if (n == 2)
		return s[0] == 0xc2 && s[1] < 0xa0 ? s[1] : 0;
	if (n != 3)
		return 0;
	c = (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	return (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ? c : 0;
}

/* A byte that is not part of UTF-8 becomes the character of the same number (U+0080 to U+00FF):
 * the text stays valid and nothing is lost. */
static void json_quote(struct json *j, const char *text)
{
	const u8 *s = (const u8 *)text;
	char esc[16];

	json_puts(j, "\"");
	while (*s) {
		unsigned hidden;
		size_t n = 1;

		if (*s >= 0x80)
			n = json_utf8(s);
		hidden = json_hidden(s, n);
		if (*s == '"' || *s == '\\') {
			snprintf(esc, sizeof(esc), "\\%c", *s);
			json_puts(j, esc);
		} else if (*s == '\n') {
			json_puts(j, "\\n");
		} else if (*s == '\t') {
			json_puts(j, "\\t");
		} else if (*s < 0x20 || *s == 0x7f || n == 0) {
			snprintf(esc, sizeof(esc), "\\u%04x", *s);
			json_puts(j, esc);
			n = 1;
		} else if (hidden) {
			snprintf(esc, sizeof(esc), "\\u%04x", hidden);
			json_puts(j, esc);
		} else {
			json_put(j, (const char *)s, n);
		}
		s += n;
	}
	json_puts(j, "\"");
}

static void json_item(struct json *j, const char *key)
{
	if (j->depth) {
		if (!j->first)
			json_puts(j, ",");
		json_newline(j);
	}
	j->first = false;
	if (key) {
		json_quote(j, key);
		json_puts(j, ": ");
	}
}

static void json_open(struct json *j, const char *key, const char *bracket)
{
	json_item(j, key);
	json_puts(j, bracket);
	j->depth++;
	j->first = true;
}

static void json_shut(struct json *j, const char *bracket)
{
	bool empty = j->first;

	if (j->depth)
		j->depth--;
	if (!empty)
		json_newline(j);
	json_puts(j, bracket);
	j->first = false;
}

void json_object(struct json *j, const char *key)
{
	json_open(j, key, "{");
}

void json_object_end(struct json *j)
{
	json_shut(j, "}");
}

void json_array(struct json *j, const char *key)
{
	json_open(j, key, "[");
}

void json_array_end(struct json *j)
{
	json_shut(j, "]");
}

void json_string(struct json *j, const char *key, const char *value)
{
	json_item(j, key);
	json_quote(j, value);
}

void json_u64(struct json *j, const char *key, u64 value)
{
	char num[24];

	snprintf(num, sizeof(num), "%" PRIu64, value);
	json_item(j, key);
	json_puts(j, num);
}

void json_s64(struct json *j, const char *key, s64 value)
{
	char num[24];

	snprintf(num, sizeof(num), "%" PRId64, value);
	json_item(j, key);
	json_puts(j, num);
}

void json_bool(struct json *j, const char *key, bool value)
{
	json_item(j, key);
	json_puts(j, value ? "true" : "false");
}

void json_seconds(struct json *j, const char *key, double value)
{
	char num[32];

	/* JSON knows no NaN and no infinity. */
	if (isfinite(value) && fabs(value) < 1e15)
		snprintf(num, sizeof(num), "%.3f", value);
	else
		snprintf(num, sizeof(num), "null");
	json_item(j, key);
	json_puts(j, num);
}

int json_end(struct json *j)
{
	json_puts(j, "\n");
	return j->failed ? -ENOMEM : 0;
}
