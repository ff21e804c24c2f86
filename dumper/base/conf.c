/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf.c - lines of the file and words of the command line, given to the table of directives. */
#include "conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf_device.h"
#include "conf_table.h"

/* More than any valid line: a core_collector with all its options stays far below. */
#define LINE_MAX_BYTES 1024
#define CMDLINE_PREFIX "crashpod."
#define WORD(fstype) fstype " "
#define ONLY_TARGETS "only " CONF_FSTYPES(WORD) "and raw are targets"

struct reporter {
	conf_report_fn report;
	void *arg;
	const char *name; /* of the file; NULL: the command line */
	unsigned problems;
};

/* Directives of kdump.conf(5) that crashpod has not, and what to do instead. */
static const struct {
	const char *name, *hint;
} kdump_conf_only[] = {
	{ "nfs", "network targets are not supported; name a local one" },
	{ "ssh", "network targets are not supported; name a local one" },
	{ "sshkey", "network targets are not supported" },
	{ "virtiofs", ONLY_TARGETS },
	{ "minix", ONLY_TARGETS },
	{ "default", "the old name of failure_action" },
	{ "extra_bins", "the ramdisk holds one program; take the line out" },
	{ "extra_modules", "give the modules to mkinitrd --add-modules" },
	{ "kdump_pre", "the ramdisk runs no scripts; take the line out" },
	{ "kdump_post", "the ramdisk runs no scripts; take the line out" },
	{ "dracut_args", "the ramdisk is not made by dracut; take the line out" },
	{ "fence_kdump_args", "fencing is not supported; take the line out" },
	{ "fence_kdump_nodes", "fencing is not supported; take the line out" },
	{ "force_rebuild", "take the line out and run mkinitrd" },
	{ "force_no_rebuild", "take the line out" },
	{ "override_resettable", "take the line out" },
	{ "auto_reset_crashkernel", "take the line out; `crashpod estimate` says what to reserve" },
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return true;
}

static void say(struct reporter *r, unsigned line, const char *what, const char *message)
{
	char buf[ERR_MSG_MAX + 320];

	if (r->name)
		snprintf(buf, sizeof(buf), "%.255s:%u: %s%s", r->name, line, what, message);
	else
		snprintf(buf, sizeof(buf), "command line: %s%s", what, message);
	if (r->report)
		r->report(r->arg, buf);
}

static void problem(struct reporter *r, unsigned line, const char *message)
{
	r->problems++;
	say(r, line, "", message);
}

static int unknown_directive(const char *name, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(kdump_conf_only); i++)
		if (strcmp(kdump_conf_only[i].name, name) == 0)
			return err_set(e, -EINVAL, "unknown directive '%s': %s", name,
				       kdump_conf_only[i].hint);
	return err_set(e, -EINVAL, "unknown directive '%s'", name);
}

int conf_set(struct conf_state *st, const char *name, const char *value, struct err *e)
{
	const struct conf_directive *d = conf_directives;
	unsigned *seen;
	int rc;

	while (d->name && strcmp(d->name, name) != 0)
		d++;
	if (!d->name)
		return unknown_directive(name, e);
	if (!*value)
		return err_set(e, -EINVAL, "%s: a value is missing", name);
	/* only the command line can say this; printed, it would read back as a comment */
	if (*value == '#' || strstr(value, " #"))
		return err_set(e, -EINVAL, "%s: '#' after a blank", name);
	seen = &st->seen[d - conf_directives];
	if (*seen && !d->many && *seen == CONF_CMDLINE_LINE)
		return err_set(e, -EINVAL, "%s is set twice", name);
	if (*seen && !d->many)
		return err_set(e, -EINVAL, "%s was already set by line %u", name, *seen);
	rc = d->parse(st, name, value, e);
	if (!rc)
		*seen = st->line;
	return rc;
}

/* Applies a directive to a copy, so that a bad value changes nothing. */
static void set_or_report(struct reporter *r, struct conf_state *st, const char *name,
			  const char *value)
{
	struct conf_state copy = *st;
	struct err e = { 0 };

	copy.note[0] = '\0';
	if (conf_set(&copy, name, value, &e)) {
		problem(r, st->line, e.msg);
		return;
	}
	if (copy.note[0])
		say(r, st->line, "note: ", copy.note);
	*st = copy;
}

/* '#' begins a comment at the start of a line or after a blank. */
static size_t without_comment(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] == '#' && (i == 0 || is_blank(s[i - 1])))
			return i;
	return n;
}

static void parse_line(struct reporter *r, struct conf_state *st, const char *s, size_t n)
{
	char line[LINE_MAX_BYTES], *value;

	n = without_comment(s, n);
	while (n && (is_blank(s[n - 1]) || s[n - 1] == '\r'))
		n--;
	while (n && is_blank(*s)) {
		s++;
		n--;
	}
	if (!n)
		return;
	if (n >= sizeof(line)) {
		problem(r, st->line, "the line is too long");
		return;
	}
	memcpy(line, s, n);
	line[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (line[i] == '\t')
			line[i] = ' ';
	if (!is_printable(line, n)) {
		problem(r, st->line, "the line has bytes that are not printable ASCII");
		return;
	}
	value = line + strcspn(line, " ");
	if (*value)
		*value++ = '\0';
	set_or_report(r, st, line, value + strspn(value, " "));
}

void conf_defaults(struct conf *c)
{
	*c = (struct conf){
		.path = CONF_PATH,
		.dump_level = 31,
		.format = CONF_FORMAT_KDUMP,
		.compress = CONF_COMPRESS_ZSTD,
		.verify = CONF_VERIFY_STRUCTURE,
		.naming = CONF_NAMING_DEBIAN,
		.timeout_s = 3600,
		.failure_action = CONF_REBOOT,
		.final_action = CONF_REBOOT,
	};
}

unsigned conf_parse(struct conf *c, const char *text, size_t len, const char *name,
		    conf_report_fn report, void *arg)
{
	struct reporter r = { .report = report, .arg = arg, .name = name };
	struct conf_state st = { .c = *c };

	while (len) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl ? (size_t)(nl - text) : len;

		st.line++;
		parse_line(&r, &st, text, n);
		n += nl ? 1 : 0;
		text += n;
		len -= n;
	}
	*c = st.c;
	return r.problems;
}

/* One word of the command line, quoted as the kernel does: a quote anywhere protects blanks; it is
 * taken off where the word or its value begins with it. Returns where the word ends. */
static const char *word_end(const char *p)
{
	bool quoted = false;

	for (; *p && (quoted || (!is_blank(*p) && *p != '\n')); p++)
		if (*p == '"')
			quoted = !quoted;
	return p;
}

static void unquote(char *s)
{
	size_t n = strlen(s);

	if (n < 1 || s[0] != '"')
		return;
	if (n > 1 && s[n - 1] == '"')
		s[n - 1] = '\0';
	memmove(s, s + 1, strlen(s));
}

static void parse_word(struct reporter *r, struct conf_state *st, const char *s, size_t n)
{
	char word[LINE_MAX_BYTES], *value;

	if (n >= sizeof(word)) {
		problem(r, st->line, "a crashpod. word is too long");
		return;
	}
	memcpy(word, s, n);
	word[n] = '\0';
	if (!is_printable(word, n)) {
		problem(r, st->line, "a crashpod. word has bytes that are not printable ASCII");
		return;
	}
	unquote(word);
	value = word + strcspn(word, "=");
	if (*value)
		*value++ = '\0';
	unquote(value);
	value += strspn(value, " ");
	n = strlen(value);
	while (n && value[n - 1] == ' ')
		value[--n] = '\0';
	set_or_report(r, st, word + strlen(CMDLINE_PREFIX), value);
}

unsigned conf_cmdline(struct conf *c, const char *cmdline, conf_report_fn report, void *arg)
{
	struct reporter r = { .report = report, .arg = arg };
	struct conf_state st = { .c = *c, .line = CONF_CMDLINE_LINE, .replace_targets = true };
	const char *p = cmdline;

	while (*p) {
		const char *end = word_end(p), *name = p + (*p == '"');

		if (strncmp(name, CMDLINE_PREFIX, strlen(CMDLINE_PREFIX)) == 0)
			parse_word(&r, &st, p, (size_t)(end - p));
		p = *end ? end + 1 : end;
	}
	*c = st.c;
	return r.problems;
}

size_t conf_print(const struct conf *c, char *buf, size_t cap)
{
	struct conf_out o = { .buf = buf, .cap = cap };

	for (const struct conf_directive *d = conf_directives; d->name; d++)
		if (d->print)
			d->print(c, &o);
	return o.len;
}
