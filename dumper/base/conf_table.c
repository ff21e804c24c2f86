/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_table.c - every directive: its name, how it is read and how it is written. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf_device.h"
#include "conf_table.h"

struct choice {
	const char *name;
	int value;
};

static const struct choice formats[] = {
	{ "kdump", CONF_FORMAT_KDUMP },
	{ "elf", CONF_FORMAT_ELF },
	{ NULL, 0 },
};

static const struct choice namings[] = {
	{ "debian", CONF_NAMING_DEBIAN },
	{ "rhel", CONF_NAMING_RHEL },
	{ NULL, 0 },
};

static const struct choice verifies[] = {
	{ "none", CONF_VERIFY_NONE },
	{ "structure", CONF_VERIFY_STRUCTURE },
	{ "full", CONF_VERIFY_FULL },
	{ NULL, 0 },
};

static const struct choice actions[] = {
	{ "reboot", CONF_REBOOT },
	{ "poweroff", CONF_POWEROFF },
	{ "halt", CONF_HALT },
	{ NULL, 0 },
};

static const struct compress_choice {
	const char *name;
	enum conf_compress kind;
	int min, max; /* levels; both 0: takes none */
} compressions[] = {
	{ "zstd", CONF_COMPRESS_ZSTD, -7, 19 },
	{ "zlib", CONF_COMPRESS_ZLIB, 1, 9 },
	{ "none", CONF_COMPRESS_NONE, 0, 0 },
};

void conf_out_line(struct conf_out *o, const char *fmt, ...)
{
	bool room = o->len < o->cap;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? o->buf + o->len : NULL, room ? o->cap - o->len : 0, fmt, ap);
	va_end(ap);
	if (n > 0)
		o->len += (size_t)n;
}

int conf_number(const char *value, long min, long max, long *out, const char *what, struct err *e)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(value, &end, 10);
	/* strtol() would skip blanks and take '+'; a level of zstd may be negative */
	if (end == value || *end || errno || strspn(value, "-0123456789") != strlen(value))
		return err_set(e, -EINVAL, "%s: '%s' is not a number", what, value);
	if (v < min || v > max)
		return err_set(e, -EINVAL, "%s: %s is not between %ld and %ld", what, value, min,
			       max);
	*out = v;
	return 0;
}

static int choose(const struct choice *t, const char *what, const char *value, int *out,
		  struct err *e)
{
	char all[64] = "";
	size_t n = 0;

	for (; t->name; t++) {
		if (strcmp(t->name, value) == 0) {
			*out = t->value;
			return 0;
		}
		if (n < sizeof(all))
			n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", n ? ", " : "",
					      t->name);
	}
	return err_set(e, -EINVAL, "%s: '%s' is none of %s", what, value, all);
}

static const char *choice_name(const struct choice *t, int value)
{
	while (t->name && t->value != value)
		t++;
	return t->name ? t->name : "?";
}

/* --- targets --- */

static int parse_target(struct conf_state *st, const char *name, const char *value, struct err *e)
{
	struct conf_device device;
	struct conf_target *t;

	if (conf_device_read(&device, value, e))
		return err_ctx(e, "%s", name);
	if (strcmp(name, "raw") == 0 && device.tag && device.tag->key)
		return err_set(
			e, -EINVAL,
			"%s: '%s' names a file system: use PARTUUID=, PARTLABEL= or /dev/...", name,
			value);
	if (st->replace_targets) {
		st->c.ntargets = 0;
		st->replace_targets = false;
	}
	if (st->c.ntargets >= CONF_TARGETS_MAX)
		return err_set(e, -EINVAL, "%s: more than %d targets", name, CONF_TARGETS_MAX);
	t = &st->c.targets[st->c.ntargets++];
	memset(t, 0, sizeof(*t));
	t->kind = strcmp(name, "raw") == 0 ? CONF_TARGET_RAW : CONF_TARGET_FS;
	if (t->kind == CONF_TARGET_FS)
		snprintf(t->fstype, sizeof(t->fstype), "%s", name);
	snprintf(t->device, sizeof(t->device), "%s", value);
	return 0;
}

static void print_targets(const struct conf *c, struct conf_out *o)
{
	for (unsigned i = 0; i < c->ntargets && i < CONF_TARGETS_MAX; i++) {
		const struct conf_target *t = &c->targets[i];

		conf_out_line(o, "%s %s\n", t->kind == CONF_TARGET_RAW ? "raw" : t->fstype,
			      t->device);
	}
}

/* --- path --- */

/* Copies one part of a path after a '/'; "." and ".." are refused. */
static int append_part(char *out, const char *part, size_t n, const char *path, struct err *e)
{
	size_t len = strlen(out);

	if ((n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
		return err_set(e, -EINVAL, "path: '%s' has '.' or '..' in it", path);
	if (part[n - 1] == ' ')
		return err_set(e, -EINVAL, "path: a part of '%s' ends in a blank", path);
	if (n >= CONF_NAME_MAX - 1 - len)
		return err_set(e, -EINVAL, "path: longer than %d bytes", CONF_NAME_MAX - 1);
	out[len] = '/';
	memcpy(out + len + 1, part, n);
	out[len + 1 + n] = '\0';
	return 0;
}

static int parse_path(struct conf_state *st, const char *name, const char *value, struct err *e)
{
	char out[CONF_NAME_MAX] = "";
	const char *p = value;

	if (*p != '/')
		return err_set(e, -EINVAL, "%s: '%s' does not begin with '/'", name, value);
	while (*p) {
		size_t n;
		int rc;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (!n)
			break;
		rc = append_part(out, p, n, value, e);
		if (rc)
			return rc;
		p += n;
	}
	snprintf(st->c.path, sizeof(st->c.path), "%s", *out ? out : "/");
	return 0;
}

static void print_path(const struct conf *c, struct conf_out *o)
{
	conf_out_line(o, "path %s\n", c->path);
}

/* --- numbers and choices --- */

static int parse_number(const char *name, const char *value, long min, long max, unsigned *out,
			struct err *e)
{
	long v;
	int rc = conf_number(value, min, max, &v, name, e);

	if (!rc)
		*out = (unsigned)v;
	return rc;
}

static int parse_dump_level(struct conf_state *st, const char *name, const char *value,
			    struct err *e)
{
	return parse_number(name, value, 0, 31, &st->c.dump_level, e);
}

static void print_dump_level(const struct conf *c, struct conf_out *o)
{
	conf_out_line(o, "dump_level %u\n", c->dump_level);
}

static int parse_keep(struct conf_state *st, const char *name, const char *value, struct err *e)
{
	return parse_number(name, value, 0, 10000, &st->c.keep, e);
}

static void print_keep(const struct conf *c, struct conf_out *o)
{
	conf_out_line(o, "keep %u\n", c->keep);
}

/* From ten seconds, below which nothing could be saved, to a week. */
static int parse_timeout(struct conf_state *st, const char *name, const char *value, struct err *e)
{
	return parse_number(name, value, 10, 604800, &st->c.timeout_s, e);
}

static void print_timeout(const struct conf *c, struct conf_out *o)
{
	conf_out_line(o, "timeout %u\n", c->timeout_s);
}

static int parse_threads(struct conf_state *st, const char *name, const char *value, struct err *e)
{
	if (strcmp(value, "auto") == 0) {
		st->c.threads = 0;
		return 0;
	}
	return parse_number(name, value, 1, CONF_THREADS_MAX, &st->c.threads, e);
}

static void print_threads(const struct conf *c, struct conf_out *o)
{
	if (c->threads)
		conf_out_line(o, "threads %u\n", c->threads);
	else
		conf_out_line(o, "threads auto\n");
}

static int parse_format(struct conf_state *st, const char *name, const char *value, struct err *e)
{
	int v = 0, rc = choose(formats, name, value, &v, e);

	if (!rc)
		st->c.format = (enum conf_format)v;
	return rc;
}

static void print_format(const struct conf *c, struct conf_out *o)
{
	conf_out_line(o, "format %s\n", choice_name(formats, (int)c->format));
}

static int parse_verify(struct conf_state *st, const char *name, const char *value, struct err *e)
{
	int v = 0, rc = choose(verifies, name, value, &v, e);

	if (!rc)
		st->c.verify = (enum conf_verify)v;
	return rc;
}

static void print_verify(const struct conf *c, struct conf_out *o)
{
	conf_out_line(o, "verify %s\n", choice_name(verifies, (int)c->verify));
}

static int parse_naming(struct conf_state *st, const char *name, const char *value, struct err *e)
{
	int v = 0, rc = choose(namings, name, value, &v, e);

	if (!rc)
		st->c.naming = (enum conf_naming)v;
	return rc;
}

static void print_naming(const struct conf *c, struct conf_out *o)
{
	conf_out_line(o, "naming %s\n", choice_name(namings, (int)c->naming));
}

static int parse_compress(struct conf_state *st, const char *name, const char *value, struct err *e)
{
	size_t n = strcspn(value, ":");
	long level = 0;

	for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
		const struct compress_choice *k = &compressions[i];
		int rc;

		if (strlen(k->name) != n || strncmp(k->name, value, n) != 0)
			continue;
		if (value[n] == ':' && !k->max)
			return err_set(e, -EINVAL, "%s: %s takes no level", name, k->name);
		if (value[n] == ':') {
			rc = conf_number(value + n + 1, k->min, k->max, &level, name, e);
			if (rc)
				return rc;
			if (!level)
				return err_set(e, -EINVAL, "%s: there is no level 0", name);
		}
		st->c.compress = k->kind;
		st->c.compress_level = (int)level;
		return 0;
	}
	return err_set(e, -EINVAL, "%s: '%s' is none of zstd[:N], zlib[:N], none", name, value);
}

static void print_compress(const struct conf *c, struct conf_out *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
		const struct compress_choice *k = &compressions[i];

		if (k->kind != c->compress)
			continue;
		if (c->compress_level)
			conf_out_line(o, "compress %s:%d\n", k->name, c->compress_level);
		else
			conf_out_line(o, "compress %s\n", k->name);
	}
}

static int parse_action(struct conf_state *st, const char *name, const char *value, struct err *e)
{
	bool failure = strcmp(name, "failure_action") == 0;
	int v = 0, rc;

	if (strcmp(value, "shell") == 0 || strcmp(value, "dump_to_rootfs") == 0)
		return err_set(e, -EINVAL,
			       "%s: kdump.conf's '%s' is not supported; use reboot, poweroff or "
			       "halt, and list a second target to fall back on",
			       name, value);
	rc = choose(actions, name, value, &v, e);
	if (rc)
		return rc;
	*(failure ? &st->c.failure_action : &st->c.final_action) = (enum conf_action)v;
	return 0;
}

static void print_actions(const struct conf *c, struct conf_out *o)
{
	conf_out_line(o, "failure_action %s\n", choice_name(actions, (int)c->failure_action));
	conf_out_line(o, "final_action %s\n", choice_name(actions, (int)c->final_action));
}

#define FS_TARGET(fstype) { fstype, true, parse_target, NULL },

const struct conf_directive conf_directives[] = {
	/* the file systems, a row each */
	CONF_FSTYPES(FS_TARGET)
	/* and what has none */
	{ "raw", true, parse_target, print_targets },
	{ "path", false, parse_path, print_path },
	{ "dump_level", false, parse_dump_level, print_dump_level },
	{ "format", false, parse_format, print_format },
	{ "compress", false, parse_compress, print_compress },
	{ "threads", false, parse_threads, print_threads },
	{ "verify", false, parse_verify, print_verify },
	{ "naming", false, parse_naming, print_naming },
	{ "keep", false, parse_keep, print_keep },
	{ "timeout", false, parse_timeout, print_timeout },
	{ "failure_action", false, parse_action, print_actions },
	{ "final_action", false, parse_action, NULL },
	{ "core_collector", false, conf_collector, NULL },
	{ NULL, false, NULL, NULL },
};

_Static_assert(ARRAY_SIZE(conf_directives) <= CONF_DIRECTIVES_MAX, "struct conf_state.seen");
