/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json.h - writes JSON text into a growing buffer. Control characters (C1 as well), quotes,
 * characters that break or turn a line, and bytes that are not UTF-8 are escaped, so text from the
 * dead kernel cannot break out of its string, nor steer the terminal that shows it.
 * Keys are NULL inside arrays. Errors: sticky; json_end() tells. Owner: json_deinit() frees. */
#ifndef CRASHPOD_JSON_H
#define CRASHPOD_JSON_H

#include "types.h"

struct json {
	char *buf; /* NUL-terminated text so far; may be NULL before the first write */
	size_t len, cap;
	unsigned depth;
	bool first;  /* nothing yet in the object or array being written */
	bool failed; /* out of memory */
};

void json_init(struct json *j);
void json_deinit(struct json *j);
void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);
void json_string(struct json *j, const char *key, const char *value);
void json_u64(struct json *j, const char *key, u64 value);
void json_s64(struct json *j, const char *key, s64 value);
void json_bool(struct json *j, const char *key, bool value);
/* value with three digits after the point */
void json_seconds(struct json *j, const char *key, double value);
/* Ends the text with a newline: 0, or -ENOMEM when any write failed. */
int json_end(struct json *j);

#endif
