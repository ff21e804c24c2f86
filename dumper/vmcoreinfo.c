/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vmcoreinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"

#define VMCOREINFO_KEY_MAX 128

struct vmcoreinfo_line {
	const char *key; /* into text, NUL-terminated */
	const char *value;
};

struct vmcoreinfo {
	char *text;
	struct vmcoreinfo_line *lines; /* sorted by key; of two with one key the first one wins */
	size_t nlines, bad;
};

static int line_compare(const void *pa, const void *pb)
{
	const struct vmcoreinfo_line *a = pa, *b = pb;
	int c = strcmp(a->key, b->key);

	/* Keys lie in one text: a stable order for equal ones is their place in it. */
	return c ? c : (a->key > b->key) - (a->key < b->key);
}

/* Cuts the text into NUL-terminated keys and values. */
static void index_lines(struct vmcoreinfo *vi, size_t len)
{
	char *p = vi->text, *end = vi->text + len;

	while (p < end) {
		char *nl = memchr(p, '\n', (size_t)(end - p));
		char *stop = nl ? nl : end;
		char *eq = memchr(p, '=', (size_t)(stop - p));

		*stop = '\0';
		if (eq && eq > p && strlen(p) == (size_t)(stop - p)) {
			*eq = '\0';
			vi->lines[vi->nlines].key = p;
			vi->lines[vi->nlines].value = eq + 1;
			vi->nlines++;
		} else if (stop > p) {
			vi->bad++;
		}
		p = stop + 1;
	}
	qsort(vi->lines, vi->nlines, sizeof(*vi->lines), line_compare);
}

int vmcoreinfo_open(struct vmcoreinfo **out, const void *buf, size_t len, struct err *e)
{
	struct vmcoreinfo *vi = calloc(1, sizeof(*vi));
	size_t lines = 1;

	if (!vi)
		return err_sys(e, -ENOMEM, "VMCOREINFO");
	for (size_t i = 0; i < len; i++)
		lines += ((const char *)buf)[i] == '\n';
	vi->text = malloc(len + 1);
	vi->lines = calloc(lines, sizeof(*vi->lines));
	if (!vi->text || !vi->lines) {
		vmcoreinfo_free(vi);
		return err_sys(e, -ENOMEM, "VMCOREINFO of %zu bytes", len);
	}
	memcpy(vi->text, buf, len);
	vi->text[len] = '\0';
	index_lines(vi, len);
	if (vi->nlines == 0) {
		vmcoreinfo_free(vi);
		return err_set(e, -EINVAL, "VMCOREINFO: no KEY=VALUE line in %zu bytes", len);
	}
	*out = vi;
	return 0;
}

void vmcoreinfo_free(struct vmcoreinfo *vi)
{
	if (!vi)
		return;
	free(vi->text);
	free(vi->lines);
	free(vi);
}

static const char *line_value(const struct vmcoreinfo *vi, const char *key)
{
	size_t lo = 0, hi = vi->nlines;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(vi->lines[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == vi->nlines || strcmp(vi->lines[lo].key, key) != 0)
		return NULL;
	return vi->lines[lo].value;
}

/* "TYPE(name)" -> its value, or NULL */
static const char *typed_value(const struct vmcoreinfo *vi, const char *type, const char *name)
{
	char key[VMCOREINFO_KEY_MAX];
	int n = snprintf(key, sizeof(key), "%s(%s)", type, name);

	return n < 0 || (size_t)n >= sizeof(key) ? NULL : line_value(vi, key);
}

static int parse_unsigned(const char *text, int base, u64 *v)
{
	char *end;

	if (!text)
		return -ENOENT;
	if (*text < '0' || *text > 'f') /* no sign and no space: strtoull would take them */
		return -EINVAL;
	errno = 0;
	*v = strtoull(text, &end, base);
	return errno || *end ? -EINVAL : 0;
}

int vmcoreinfo_symbol(const struct vmcoreinfo *vi, const char *name, u64 *va)
{
	return parse_unsigned(typed_value(vi, "SYMBOL", name), 16, va);
}

int vmcoreinfo_offset(const struct vmcoreinfo *vi, const char *name, u64 *bytes)
{
	return parse_unsigned(typed_value(vi, "OFFSET", name), 10, bytes);
}

int vmcoreinfo_size(const struct vmcoreinfo *vi, const char *name, u64 *bytes)
{
	return parse_unsigned(typed_value(vi, "SIZE", name), 10, bytes);
}

int vmcoreinfo_length(const struct vmcoreinfo *vi, const char *name, u64 *elements)
{
	return parse_unsigned(typed_value(vi, "LENGTH", name), 10, elements);
}

int vmcoreinfo_number(const struct vmcoreinfo *vi, const char *name, s64 *value)
{
	const char *text = typed_value(vi, "NUMBER", name);
	bool negative = text && *text == '-';
	u64 v;
	int rc;

	if (negative)
		text++;
	/* decimal for most; 0x hex for some (kernel_init's va range, sme_mask on some releases) */
	rc = parse_unsigned(text, 0, &v);
	if (rc)
		return rc;
	*value = (s64)(negative ? 0 - v : v);
	return 0;
}

int vmcoreinfo_string(const struct vmcoreinfo *vi, const char *key, char *buf, size_t cap)
{
	const char *value = line_value(vi, key);

	if (!value)
		return -ENOENT;
	snprintf(buf, cap, "%s", value);
	for (char *p = buf; *p; p++) {
		if ((u8)*p < 0x20 || (u8)*p >= 0x7f)
			*p = '?';
	}
	return 0;
}

int vmcoreinfo_hex(const struct vmcoreinfo *vi, const char *key, u64 *value)
{
	return parse_unsigned(line_value(vi, key), 16, value);
}

int vmcoreinfo_decimal(const struct vmcoreinfo *vi, const char *key, u64 *value)
{
	return parse_unsigned(line_value(vi, key), 10, value);
}

size_t vmcoreinfo_lines(const struct vmcoreinfo *vi, size_t *bad)
{
	if (bad)
		*bad = vi->bad;
	return vi->nlines;
}
