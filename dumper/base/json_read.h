/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json_read.h - reads a whole JSON text, such as a record (docs/record.md).
 * In:     hostile text. Strings come with '?' for what is not printable ASCII, so that they may be
 *         shown; a value of another kind than asked for is as if it were not there.
 * Errors: 0; -EINVAL: not JSON; -E2BIG: nested too deep, or of too many values; -ENOMEM.
 * Owner:  json_doc_free(). What it gave lives as long. A doc of zeros has nothing in it. */
#ifndef CRASHPOD_JSON_READ_H
#define CRASHPOD_JSON_READ_H

#include "types.h"

#define JSON_DEPTH_MAX 16
#define JSON_NODES_MAX 65536

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_node {
	enum json_kind kind;
	const char *key;  /* of a member; "" in arrays */
	const char *text; /* of a string; "" otherwise */
	double real;	  /* of a number; finite */
	u64 count;	  /* of a number without sign, point and exponent that has room; else 0 */
	bool counts, yes;
	u32 first, next; /* the first value in it, the next one beside it; 0: none */
};

struct json_doc {
	struct json_node *nodes; /* nodes[0] is the whole */
	u32 n, cap;
	char *texts;
	size_t used;
};

int json_doc_parse(struct json_doc *d, const char *text, size_t len);
void json_doc_free(struct json_doc *d);

/* The value at a path of keys, as "dump.pages.ram", below from (NULL: the whole); or NULL. */
const struct json_node *json_at(const struct json_doc *d, const struct json_node *from,
				const char *path);
/* The first value of an array or object, and the one after; NULL at the end. */
const struct json_node *json_first(const struct json_doc *d, const struct json_node *of);
const struct json_node *json_next(const struct json_doc *d, const struct json_node *after);

/* A string at a path; "" where there is none. */
const char *json_text(const struct json_doc *d, const struct json_node *from, const char *path);
/* A count at a path; false, and 0, where there is none. */
bool json_count(const struct json_doc *d, const struct json_node *from, const char *path, u64 *v);
double json_real(const struct json_doc *d, const struct json_node *from, const char *path);

#endif
