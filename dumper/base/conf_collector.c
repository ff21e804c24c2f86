/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_collector.c - reads an existing core_collector line. Each of makedumpfile's options is
 * turned into the directive that means the same, so that a setting made twice is found there.
 * Source: makedumpfile(8), kdump.conf(5) */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf_table.h"

static const struct collector_option {
	const char *name;      /* a letter, or a long option */
	const char *directive; /* NULL: read and left alone */
	const char *value;     /* NULL: the option's argument */
	const char *note;
} options[] = {
	{ "d", "dump_level", NULL, NULL },
	{ "c", "compress", "zlib", NULL },
	{ "z", "compress", "zstd", NULL },
	{ "l", "compress", "zstd", "there is no lzo (-l) here: zstd is used" },
	{ "p", "compress", "zstd", "there is no snappy (-p) here: zstd is used" },
	{ "E", "format", "elf", NULL },
	{ "--num-threads", "threads", NULL, NULL },
	{ "--message-level", NULL, NULL, NULL },
};

static const struct collector_option *option_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0)
			return &options[i];
	return NULL;
}

static int unknown(const char *word, struct err *e)
{
	return err_set(e, -EINVAL,
		       "core_collector: option '%s' is not known here (-d -c -z -l -p -E "
		       "--num-threads --message-level are)",
		       word);
}

static int apply(struct conf_state *st, const struct collector_option *o, const char *arg,
		 struct err *e)
{
	long ignored;
	int rc;

	if (!o->value && !*arg)
		return err_set(e, -EINVAL, "core_collector: %s%s needs a number",
			       o->name[1] ? "" : "-", o->name);
	if (!o->directive)
		return conf_number(arg, 0, 1023, &ignored, "core_collector: --message-level", e);
	rc = conf_set(st, o->directive, o->value ? o->value : arg, e);
	if (rc)
		return err_ctx(e, "core_collector");
	if (o->note)
		snprintf(st->note, sizeof(st->note), "core_collector: %s", o->note);
	return 0;
}

/* Takes the next word off *text into word: false at the end. */
static bool next_word(const char **text, char *word, size_t cap)
{
	const char *p = *text + strspn(*text, " \t");
	size_t n = strcspn(p, " \t");

	*text = p + n;
	snprintf(word, cap, "%.*s", (int)n, p);
	return n > 0;
}

static int long_option(struct conf_state *st, char *word, const char **text, struct err *e)
{
	char *eq = strchr(word, '='), arg[32] = "";
	const struct collector_option *o;

	o = option_find(word, eq ? (size_t)(eq - word) : strlen(word));
	if (!o)
		return unknown(word, e);
	if (eq)
		snprintf(arg, sizeof(arg), "%s", eq + 1);
	else
		next_word(text, arg, sizeof(arg));
	return apply(st, o, arg, e);
}

/* Letters may stand together, and an argument may follow its letter with or without a blank. */
static int short_options(struct conf_state *st, const char *word, const char **text, struct err *e)
{
	char arg[32] = "";

	for (const char *p = word + 1; *p; p++) {
		const struct collector_option *o = option_find(p, 1);
		int rc;

		if (!o)
			return unknown(word, e);
		if (o->value) {
			rc = apply(st, o, "", e);
			if (rc)
				return rc;
			continue;
		}
		if (p[1])
			snprintf(arg, sizeof(arg), "%s", p + 1);
		else
			next_word(text, arg, sizeof(arg));
		return apply(st, o, arg, e);
	}
	return 0;
}

int conf_collector(struct conf_state *st, const char *name, const char *value, struct err *e)
{
	const char *text = value, *base;
	char word[128];
	int rc = 0;

	next_word(&text, word, sizeof(word));
	base = strrchr(word, '/') ? strrchr(word, '/') + 1 : word;
	if (strcmp(base, "makedumpfile") != 0)
		return err_set(e, -EINVAL, "%s: '%s' is not makedumpfile, the only one read here",
			       name, word);
	while (!rc && next_word(&text, word, sizeof(word))) {
		if (strncmp(word, "--", 2) == 0)
			rc = long_option(st, word, &text, e);
		else if (word[0] == '-' && word[1])
			rc = short_options(st, word, &text, e);
		else
			rc = unknown(word, e);
	}
	return rc;
}
