/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib_core_int.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mk_die(const struct mk_line *l, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u: ", l ? l->file : "mkcore", l ? l->no : 0);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	abort();
}

u64 mk_number(const struct mk_line *l, const char *text)
{
	char *end;
	u64 v = strtoull(text, &end, 0);

	if (*end == 'K')
		v <<= 10;
	else if (*end == 'M')
		v <<= 20;
	else if (*end == 'G')
		v <<= 30;
	if (end == text || (*end && (!strchr("KMG", *end) || end[1])))
		mk_die(l, "%s is no number", text);
	return v;
}

void mk_range(const struct mk_line *l, const char *text, u64 *first, u64 *last)
{
	char a[32];
	size_t len = strcspn(text, "-+");

	if (len >= sizeof(a))
		mk_die(l, "%s is no range", text);
	memcpy(a, text, len);
	a[len] = '\0';
	*first = *last = mk_number(l, a);
	if (text[len] == '-')
		*last = mk_number(l, text + len + 1);
	else if (text[len] == '+')
		*last = *first + mk_number(l, text + len + 1) - 1;
	if (*last < *first)
		mk_die(l, "%s is an empty range", text);
}

const char *mk_option(const struct mk_line *l, const char *key)
{
	size_t len = strlen(key);

	for (unsigned i = 1; i < l->ntok; i++) {
		if (strncmp(l->tok[i], key, len) == 0 && l->tok[i][len] == '=')
			return l->tok[i] + len + 1;
	}
	return NULL;
}

u64 mk_option_number(const struct mk_line *l, const char *key, u64 otherwise)
{
	const char *text = mk_option(l, key);

	return text ? mk_number(l, text) : otherwise;
}

const char *mkcore_info(const struct mkcore *mk, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < mk->ninfo; i++) {
		if (strncmp(mk->info[i], key, len) == 0 && mk->info[i][len] == '=')
			return mk->info[i] + len + 1;
	}
	return NULL;
}

const char *mkcore_info_line(const struct mkcore *mk, size_t i)
{
	return i < mk->ninfo ? mk->info[i] : NULL;
}

u64 mk_info_number(const struct mkcore *mk, const struct mk_line *l, u64 otherwise, const char *fmt,
		   ...)
{
	const char *value;
	char key[80];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(key, sizeof(key), fmt, ap);
	va_end(ap);
	value = mkcore_info(mk, key);
	if (!value && otherwise == ~(u64)0)
		mk_die(l, "VMCOREINFO has no %s", key);
	if (!value)
		return otherwise;
	if (strncmp(key, "SYMBOL", 6) == 0)
		return strtoull(value, NULL, 16);
	return *value == '-' ? (u64)strtoll(value, NULL, 0) : strtoull(value, NULL, 0);
}

/* info KEY=VALUE: a line of the VMCOREINFO; takes the place of one with the same key. */
static void apply_info(struct mkcore *mk, const struct mk_line *l)
{
	size_t len = strcspn(l->rest, "\n"), key = strcspn(l->rest, "=\n");
	size_t at = mk->ninfo;
	char *line = strndup(l->rest, len);

	for (size_t i = 0; key < len && i < mk->ninfo; i++) {
		if (strncmp(mk->info[i], line, key + 1) == 0)
			at = i;
	}
	if (at == MK_LINES)
		mk_die(l, "too many VMCOREINFO lines");
	if (at == mk->ninfo)
		mk->info[mk->ninfo++] = NULL;
	free(mk->info[at]);
	mk->info[at] = line;
}

/* drop KEY: the VMCOREINFO goes without it. */
static void apply_drop(struct mkcore *mk, const struct mk_line *l)
{
	size_t len = strlen(l->tok[1]);

	for (size_t i = 0; i < mk->ninfo; i++) {
		if (strncmp(mk->info[i], l->tok[1], len) || mk->info[i][len] != '=')
			continue;
		free(mk->info[i]);
		memmove(&mk->info[i], &mk->info[i + 1], (mk->ninfo - i - 1) * sizeof(char *));
		mk->ninfo--;
		return;
	}
	mk_die(l, "there is no %s to drop", l->tok[1]);
}

/* expect CLASS RANGE...: what pages are. */
static void apply_expect(struct mkcore *mk, const struct mk_line *l)
{
	for (unsigned i = 2; i < l->ntok; i++) {
		struct mkcore_expect *x = &mk->expects[mk->nexpects++];

		if (mk->nexpects == MK_LINES)
			mk_die(l, "too many expectations");
		mk_range(l, l->tok[i], &x->first, &x->last);
		snprintf(x->class, sizeof(x->class), "%s", l->tok[1]);
	}
}

/* kept LEVEL RANGE...: pages of a dump at this level. */
static void apply_kept(struct mkcore *mk, const struct mk_line *l)
{
	for (unsigned i = 2; i < l->ntok; i++) {
		struct mkcore_expect *x = &mk->kepts[mk->nkepts++];

		if (mk->nkepts == MK_LINES)
			mk_die(l, "too many expectations");
		mk_range(l, l->tok[i], &x->first, &x->last);
		x->level = (unsigned)mk_number(l, l->tok[1]);
	}
}

static void apply_nothing(struct mkcore *mk, const struct mk_line *l)
{
	(void)mk;
	(void)l;
}

static const struct mk_directive text_directives[] = {
	{ "info", MK_LAYOUT, 1, apply_info },
	{ "drop", MK_FILL, 1, apply_drop },
	/* the same once memory is made: the kernel has it but does not tell, or tells a lie */
	{ "forget", MK_PATCH, 1, apply_drop },
	{ "lie", MK_PATCH, 1, apply_info },
	{ "expect", MK_LAYOUT, 2, apply_expect },
	{ "kept", MK_LAYOUT, 2, apply_kept },
	{ "include", MK_LAYOUT, 1, apply_nothing }, /* done when the text is read */
	{ 0 },
};

static const struct mk_directive *find_directive(const struct mk_line *l)
{
	const struct mk_directive *const tables[] = { text_directives, mk_mem_directives,
						      mk_page_directives, mk_elf_directives };

	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		for (const struct mk_directive *d = tables[t]; d->name; d++) {
			if (strcmp(d->name, l->tok[0]) == 0)
				return d;
		}
	}
	mk_die(l, "unknown directive %s", l->tok[0]);
}

static char *read_text(const char *dir, const char *file)
{
	char path[4096], *text;
	FILE *f;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "r");
	if (!f) {
		fprintf(stderr, "%s: cannot be opened (run tests where they were built)\n", path);
		abort();
	}
	text = calloc(1, 1 << 20);
	assert(text);
	len = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	text[len] = '\0';
	return text;
}

/* Cuts a line into its tokens; an info line keeps its text as it is. */
static void cut_tokens(struct mk_line *l, const char *text, size_t len)
{
	char *save = NULL;

	l->copy = strndup(text, len);
	assert(l->copy);
	if (strncmp(l->copy, "info ", 5) != 0 && strchr(l->copy, '#'))
		*strchr(l->copy, '#') = '\0';
	for (char *t = strtok_r(l->copy, " \t", &save); t; t = strtok_r(NULL, " \t", &save)) {
		if (l->ntok == MK_TOKENS)
			mk_die(l, "too many words");
		l->tok[l->ntok++] = t;
	}
	if (l->ntok)
		l->rest = strdup(text + MIN(strlen(l->tok[0]) + 1, len));
}

static void add_text(struct mkcore *mk, const char *text, const char *file, const char *dir)
{
	unsigned no = 0;

	for (const char *p = text; p && *p;) {
		size_t len = strcspn(p, "\n");
		struct mk_line l = { .file = file, .no = ++no };

		cut_tokens(&l, p, len);
		p += len + (p[len] == '\n');
		if (l.ntok == 0) {
			free(l.copy);
			continue;
		}
		mk->lines = reallocarray(mk->lines, mk->nlines + 1, sizeof(l));
		assert(mk->lines);
		mk->lines[mk->nlines++] = l;
		if (strcmp(l.tok[0], "include") == 0) {
			char *more = read_text(dir, l.tok[1]);

			add_text(mk, more, l.tok[1], dir);
			free(more);
		}
	}
}

struct mkcore *mkcore_make(const char *text, const char *more, const char *dir)
{
	struct mkcore *mk = calloc(1, sizeof(*mk));

	assert(mk);
	add_text(mk, text, "text", dir);
	add_text(mk, more, "more", dir);
	for (unsigned phase = 0; phase < MK_FILE; phase++) {
		for (size_t i = 0; i < mk->nlines; i++) {
			const struct mk_line *l = &mk->lines[i];
			const struct mk_directive *d = find_directive(l);

			if (l->ntok - 1 < d->min_tok)
				mk_die(l, "%s wants %u words", d->name, d->min_tok);
			if (d->phase == phase)
				d->apply(mk, l);
		}
	}
	return mk;
}

struct mkcore *mkcore_load(const char *dir, const char *file, const char *more)
{
	char *text = read_text(dir, file);
	struct mkcore *mk = mkcore_make(text, more, dir);

	free(text);
	return mk;
}

void mkcore_free(struct mkcore *mk)
{
	for (size_t i = 0; i < mk->nlines; i++) {
		free(mk->lines[i].copy);
		free((char *)mk->lines[i].rest);
	}
	for (size_t i = 0; i < mk->ninfo; i++)
		free(mk->info[i]);
	for (size_t i = 0; i < mk->nram; i++)
		free(mk->ram[i].bytes);
	free(mk->lines);
	free(mk);
}

const struct mkcore_expect *mkcore_expects(const struct mkcore *mk, size_t *n)
{
	*n = mk->nexpects;
	return mk->expects;
}

const struct mkcore_expect *mkcore_kepts(const struct mkcore *mk, size_t *n)
{
	*n = mk->nkepts;
	return mk->kepts;
}
