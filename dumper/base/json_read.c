/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json_read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_scan.h"

struct reader {
	struct json_doc *d;
	struct scanner s;
	unsigned depth;
};

static int read_value(struct reader *r, u32 at);

static int add_node(struct json_doc *d, u32 *at)
{
	if (d->n == d->cap) {
		u32 cap = d->cap ? d->cap * 2 : 64;
		struct json_node *nodes;

		if (cap > JSON_NODES_MAX)
			return -E2BIG;
		nodes = realloc(d->nodes, cap * sizeof(*nodes));
		if (!nodes)
			return -ENOMEM;
		d->nodes = nodes;
		d->cap = cap;
	}
	*at = d->n++;
	d->nodes[*at] = (struct json_node){ .key = "", .text = "" };
	return 0;
}

/* Into the room that was made for all: what is read of a string is never longer than it is in the
 * text with its quotes. */
static int read_string(struct reader *r, const char **out)
{
	const char *from;
	char *to = r->d->texts + r->d->used;
	int rc;

	scan_blanks(&r->s);
	from = r->s.p;
	rc = scan_string(&r->s, to, (size_t)(r->s.end - from));
	if (rc)
		return rc;
	*out = to;
	r->d->used += strlen(to) + 1;
	return 0;
}

static int read_number(struct reader *r, struct json_node *node)
{
	char word[40], *end;
	size_t n = 0;

	while (r->s.p < r->s.end && *r->s.p && strchr("0123456789+-.eE", *r->s.p)) {
		if (n + 1 == sizeof(word))
			return -EINVAL;
		word[n++] = *r->s.p++;
	}
	word[n] = '\0';
	node->kind = JSON_NUMBER;
	node->real = strtod(word, &end);
	if (!n || *end || !isfinite(node->real))
		return -EINVAL;
	if (strspn(word, "0123456789") == n) {
		errno = 0;
		node->count = strtoull(word, NULL, 10);
		node->counts = errno == 0;
		if (!node->counts)
			node->count = 0;
	}
	return 0;
}

static int read_word(struct reader *r, struct json_node *node)
{
	static const struct {
		const char *word;
		enum json_kind kind;
		bool yes;
	} words[] = {
		{ "true", JSON_BOOL, true },
		{ "false", JSON_BOOL, false },
		{ "null", JSON_NULL, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t n = strlen(words[i].word);

		if ((size_t)(r->s.end - r->s.p) < n || memcmp(r->s.p, words[i].word, n) != 0)
			continue;
		r->s.p += n;
		node->kind = words[i].kind;
		node->yes = words[i].yes;
		return 0;
	}
	return read_number(r, node);
}

/* The values between brackets; nodes move while they are read. */
static int read_inside(struct reader *r, u32 parent, bool object)
{
	u32 last = 0, at;
	int rc;

	if (scan_take(&r->s, object ? '}' : ']'))
		return 0;
	do {
		const char *key = "";

		if (object) {
			rc = read_string(r, &key);
			if (rc || !scan_take(&r->s, ':'))
				return -EINVAL;
		}
		rc = add_node(r->d, &at);
		if (!rc)
			rc = read_value(r, at);
		if (rc)
			return rc;
		r->d->nodes[at].key = key;
		if (last)
			r->d->nodes[last].next = at;
		else
			r->d->nodes[parent].first = at;
		last = at;
	} while (scan_take(&r->s, ','));
	return scan_take(&r->s, object ? '}' : ']') ? 0 : -EINVAL;
}

static int read_value(struct reader *r, u32 at)
{
	struct json_node *node = &r->d->nodes[at];
	bool object;
	int rc;

	scan_blanks(&r->s);
	if (r->s.p == r->s.end)
		return -EINVAL;
	if (*r->s.p == '"') {
		node->kind = JSON_STRING;
		return read_string(r, &node->text);
	}
	object = *r->s.p == '{';
	if (!object && *r->s.p != '[')
		return read_word(r, node);
	if (r->depth == JSON_DEPTH_MAX)
		return -E2BIG;
	r->s.p++;
	node->kind = object ? JSON_OBJECT : JSON_ARRAY;
	r->depth++;
	rc = read_inside(r, at, object);
	r->depth--;
	return rc;
}

int json_doc_parse(struct json_doc *d, const char *text, size_t len)
{
	struct reader r = { .d = d, .s = { text, text + len } };
	u32 at;
	int rc;

	*d = (struct json_doc){ .texts = malloc(len + 1) };
	rc = d->texts ? add_node(d, &at) : -ENOMEM;
	if (!rc)
		rc = read_value(&r, at);
	scan_blanks(&r.s);
	if (!rc && r.s.p != r.s.end)
		rc = -EINVAL;
	if (rc)
		json_doc_free(d);
	return rc;
}

void json_doc_free(struct json_doc *d)
{
	free(d->nodes);
	free(d->texts);
	*d = (struct json_doc){ 0 };
}

const struct json_node *json_first(const struct json_doc *d, const struct json_node *of)
{
	return of && of->first ? &d->nodes[of->first] : NULL;
}

const struct json_node *json_next(const struct json_doc *d, const struct json_node *after)
{
	return after && after->next ? &d->nodes[after->next] : NULL;
}

const struct json_node *json_at(const struct json_doc *d, const struct json_node *from,
				const char *path)
{
	const struct json_node *node = from ? from : d->nodes;

	while (node && *path) {
		size_t n = strcspn(path, ".");
		bool object = node->kind == JSON_OBJECT;

		for (node = object ? json_first(d, node) : NULL; node; node = json_next(d, node))
			if (strncmp(node->key, path, n) == 0 && !node->key[n])
				break;
		path += n + (path[n] == '.');
	}
	return node;
}

const char *json_text(const struct json_doc *d, const struct json_node *from, const char *path)
{
	const struct json_node *node = json_at(d, from, path);

	return node ? node->text : "";
}

bool json_count(const struct json_doc *d, const struct json_node *from, const char *path, u64 *v)
{
	const struct json_node *node = json_at(d, from, path);

	*v = node ? node->count : 0;
	return node && node->counts;
}

double json_real(const struct json_doc *d, const struct json_node *from, const char *path)
{
	const struct json_node *node = json_at(d, from, path);

	return node ? node->real : 0;
}
