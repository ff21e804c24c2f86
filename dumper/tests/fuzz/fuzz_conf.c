/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration. Input: the file's text; what follows a NUL is the kernel command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/conf.h"
#include "fuzz.h"

static void conf_line(void *arg, const char *line)
{
	FUZZ_CHECK(line[0] && !strchr(line, '\n'));
	++*(unsigned *)arg;
}

static bool conf_same_targets(const struct conf *a, const struct conf *b)
{
	if (a->ntargets != b->ntargets)
		return false;
	for (unsigned i = 0; i < a->ntargets; i++) {
		const struct conf_target *x = &a->targets[i], *y = &b->targets[i];

		if (x->kind != y->kind || strcmp(x->fstype, y->fstype) != 0 ||
		    strcmp(x->device, y->device) != 0)
			return false;
	}
	return true;
}

static bool conf_same(const struct conf *a, const struct conf *b)
{
	return conf_same_targets(a, b) && strcmp(a->path, b->path) == 0 &&
	       a->dump_level == b->dump_level && a->format == b->format &&
	       a->compress == b->compress && a->compress_level == b->compress_level &&
	       a->threads == b->threads && a->verify == b->verify && a->naming == b->naming &&
	       a->keep == b->keep && a->timeout_s == b->timeout_s &&
	       a->failure_action == b->failure_action && a->final_action == b->final_action;
}

/* What holds for every configuration, and its text reads back to the same. */
static void conf_check(const struct conf *c)
{
	size_t len = conf_print(c, NULL, 0), more;
	char *text = malloc(len + 1);
	struct conf back;
	unsigned lines = 0;

	FUZZ_CHECK(text && c->ntargets <= CONF_TARGETS_MAX);
	FUZZ_CHECK(c->dump_level <= 31 && c->threads <= CONF_THREADS_MAX);
	FUZZ_CHECK(c->path[0] == '/' && memchr(c->path, '\0', sizeof(c->path)));
	FUZZ_CHECK(!strstr(c->path, "/../") && !strstr(c->path, "/./"));
	more = conf_print(c, text, len + 1);
	FUZZ_CHECK(more == len && strlen(text) == len);
	conf_defaults(&back);
	if (conf_parse(&back, text, len, "printed", conf_line, &lines) || lines ||
	    !conf_same(c, &back)) {
		fprintf(stderr, "printed as:\n%s", text);
		FUZZ_CHECK(!"reads back to the same");
	}
	free(text);
}

static void conf_run_file(struct conf *c, const uint8_t *text, size_t len)
{
	/* of its own and without a NUL, so that a byte past it is found */
	char *copy = malloc(len ? len : 1);
	unsigned problems, lines = 0;

	FUZZ_CHECK(copy);
	if (len)
		memcpy(copy, text, len);
	problems = conf_parse(c, copy, len, "conf", conf_line, &lines);
	FUZZ_CHECK(problems <= lines);
	conf_check(c);
	free(copy);
}

static void conf_run_cmdline(struct conf *c, const uint8_t *text, size_t len)
{
	char *copy = strndup((const char *)text, len);
	unsigned problems, lines = 0;

	FUZZ_CHECK(copy);
	problems = conf_cmdline(c, copy, conf_line, &lines);
	FUZZ_CHECK(problems <= lines);
	conf_check(c);
	free(copy);
}

int FUZZ_TARGET(conf)(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, '\0', size) : NULL;
	size_t text = nul ? (size_t)(nul - data) : size;
	struct conf c;

	conf_defaults(&c);
	conf_run_file(&c, data, text);
	if (nul)
		conf_run_cmdline(&c, nul + 1, size - text - 1);
	return 0;
}
