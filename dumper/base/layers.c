/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "layers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers_crypt.h"

#define WORDS_MAX 6

/* What is not here has state beside its table (cache, snapshots). */
static const char *const targets[] = {
	"linear", "striped", "error", "zero", "thin-pool", "thin", LAYERS_CRYPT,
};

struct word {
	const char *s;
	size_t n;
};

struct parser {
	struct layers *l;
	bool mine; /* the section is the one that is sought */
	bool found;
	unsigned n;    /* nodes of this section, whosever it is */
	unsigned maps; /* of the last node */
	u64 end;       /* sectors that these cover */
	bool in_dm, in_section;
};

bool layers_target_known(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (strcmp(type, targets[i]) == 0)
			return true;
	return false;
}

/* Words of printable characters; the last one of max is the rest of the line. */
static unsigned split(const char *s, size_t n, struct word *w, unsigned max)
{
	unsigned count = 0;
	size_t i = 0;

	while (count < max) {
		while (i < n && s[i] == ' ')
			i++;
		if (i == n)
			break;
		w[count].s = s + i;
		if (count + 1 == max) {
			w[count++].n = n - i;
			break;
		}
		while (i < n && s[i] != ' ')
			i++;
		w[count].n = (size_t)(s + i - w[count].s);
		count++;
	}
	return count;
}

static bool is(const struct word *w, const char *text)
{
	return w->n == strlen(text) && memcmp(w->s, text, w->n) == 0;
}

static bool copy(char *to, size_t cap, const struct word *w)
{
	if (w->n >= cap)
		return false;
	memcpy(to, w->s, w->n);
	to[w->n] = '\0';
	return true;
}

static bool number(const struct word *w, u64 max, u64 *out)
{
	u64 v = 0;

	if (!w->n || w->n > 20)
		return false;
	for (size_t i = 0; i < w->n; i++) {
		unsigned digit = (unsigned char)w->s[i] - '0';

		if (digit > 9 || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

/* A name becomes a part of a path, and is one of a device. */
static bool good_name(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/');
}

static const char *add_node(struct parser *p, const struct layer *node)
{
	if (!p->in_section)
		return "before the first 'for'";
	if (p->in_dm && !p->maps)
		return "the dm before it has no map";
	if (p->n == LAYERS_MAX)
		return "too many devices";
	p->n++;
	p->in_dm = node->kind == LAYER_DM;
	p->maps = 0;
	p->end = 0;
	if (!p->mine)
		return NULL;
	p->l->node[p->l->n] = *node;
	p->l->node[p->l->n++].map = p->l->nmaps;
	return NULL;
}

static const char *line_leaf(struct parser *p, const struct word *w, unsigned n)
{
	struct layer node = { .kind = LAYER_LEAF };

	if (n != 3 || !copy(node.name, sizeof(node.name), &w[1]) ||
	    !copy(node.uuid, sizeof(node.uuid), &w[2]))
		return "not 'leaf TYPE UUID'";
	return add_node(p, &node);
}

static const char *line_md(struct parser *p, const struct word *w, unsigned n)
{
	struct layer node = { .kind = LAYER_MD };
	u64 members;

	if (n != 5 || !copy(node.name, sizeof(node.name), &w[1]) || !good_name(node.name) ||
	    strncmp(node.name, "md", 2) != 0 || !copy(node.uuid, sizeof(node.uuid), &w[2]) ||
	    !copy(node.level, sizeof(node.level), &w[3]) || !number(&w[4], 1024, &members))
		return "not 'md NAME UUID LEVEL MEMBERS'";
	node.members = (unsigned)members;
	return add_node(p, &node);
}

static const char *line_dm(struct parser *p, const struct word *w, unsigned n)
{
	struct layer node = { .kind = LAYER_DM };

	if (n != 3 || !copy(node.name, sizeof(node.name), &w[1]) || !good_name(node.name) ||
	    !copy(node.uuid, sizeof(node.uuid), &w[2]))
		return "not 'dm NAME UUID'";
	if (strcmp(node.uuid, "-") == 0)
		node.uuid[0] = '\0';
	return add_node(p, &node);
}

static const char *line_lvm(struct parser *p, const struct word *w, unsigned n)
{
	char check[sizeof(p->l->node[0].check)];

	if (n != 2 || !copy(check, sizeof(check), &w[1]))
		return "not 'lvm CHECK'";
	if (!p->in_dm || p->maps)
		return "lvm belongs to the dm before it";
	if (p->mine)
		memcpy(p->l->node[p->l->n - 1].check, check, sizeof(check));
	return NULL;
}

static const char *add_map(struct parser *p, const struct layer_map *m)
{
	struct layers *l = p->l;

	/* grown by doubling */
	if ((l->nmaps & (l->nmaps - 1)) == 0) {
		size_t want = l->nmaps ? (size_t)l->nmaps * 2 : 1;
		struct layer_map *grown = reallocarray(l->maps, want, sizeof(*grown));

		if (!grown)
			return "no memory";
		l->maps = grown;
	}
	l->maps[l->nmaps++] = *m;
	l->node[l->n - 1].nmaps++;
	return NULL;
}

/* What a map's arguments have, beside the devices' numbers. */
static const char *check_args(const struct parser *p, const struct layer_map *m)
{
	size_t off = 0;
	int ref;

	while ((ref = layers_next_ref(m, &off)) >= 0)
		if ((unsigned)ref + 1 >= p->n)
			return "it maps a device that does not come before it";
	return strcmp(m->type, LAYERS_CRYPT) == 0 ? layers_crypt_check(m->args, m->args_len) : NULL;
}

static const char *line_map(struct parser *p, const struct word *w, unsigned n)
{
	struct layer_map m = { 0 };
	const char *why;

	if (n < 4 || !number(&w[1], INT64_MAX, &m.start) || !number(&w[2], INT64_MAX, &m.length) ||
	    !copy(m.type, sizeof(m.type), &w[3]))
		return "not 'map START LENGTH TYPE ARGS'";
	if (!p->in_dm)
		return "map belongs to the dm before it";
	if (!layers_target_known(m.type))
		return "a target type that cannot be built up again";
	if (m.start != p->end || !m.length || m.length > INT64_MAX - m.start)
		return "maps leave a gap, or overlap";
	if (n == 5) {
		m.args = w[4].s;
		m.args_len = w[4].n;
	}
	why = check_args(p, &m);
	if (why)
		return why;
	if (p->maps == LAYERS_MAPS_MAX || p->l->nmaps == LAYERS_MAPS_MAX)
		return "too many maps";
	p->end = m.start + m.length;
	p->maps++;
	return p->mine ? add_map(p, &m) : NULL;
}

static const char *line_for(struct parser *p, const struct word *w, unsigned n, const char *spec)
{
	if (n != 2)
		return "not 'for SPEC'";
	if (p->in_dm && !p->maps)
		return "the dm before it has no map";
	p->mine = !p->found && is(&w[1], spec);
	p->found = p->found || p->mine;
	p->in_section = true;
	p->in_dm = false;
	p->n = 0;
	return NULL;
}

static const char *parse_line(struct parser *p, const char *s, size_t n, const char *spec)
{
	static const struct {
		const char *word;
		unsigned words; /* the last of these is the rest of the line */
		const char *(*fn)(struct parser *p, const struct word *w, unsigned n);
	} table[] = {
		{ "leaf", 4, line_leaf }, { "md", 6, line_md },	  { "dm", 4, line_dm },
		{ "lvm", 3, line_lvm },	  { "map", 5, line_map },
	};
	struct word w[WORDS_MAX];

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return "a control character";
	if (!split(s, n, w, 2))
		return "an empty line";
	if (is(&w[0], "for"))
		return line_for(p, w, split(s, n, w, 2), spec);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (is(&w[0], table[i].word))
			return table[i].fn(p, w, split(s, n, w, table[i].words));
	return "an unknown word";
}

int layers_parse(struct layers *l, const char *text, size_t len, const char *spec, struct err *e)
{
	struct parser p = { .l = l };
	unsigned line = 0;

	memset(l, 0, sizeof(*l));
	if (len > LAYERS_BYTES_MAX)
		return err_set(e, -EINVAL, "%zu bytes are too many", len);
	while (len) {
		const char *nl = memchr(text, '\n', len), *why = NULL;
		size_t n = nl ? (size_t)(nl - text) : len;

		if (line++)
			why = parse_line(&p, text, n, spec);
		else if (n != strlen(LAYERS_HEAD) || memcmp(text, LAYERS_HEAD, n) != 0)
			why = "not '" LAYERS_HEAD "'";
		if (!why && !nl)
			why = "it has no end";
		if (why) {
			layers_deinit(l);
			return err_set(e, -EINVAL, "line %u: %s", line, why);
		}
		text = nl + 1;
		len -= n + 1;
	}
	if (p.in_dm && !p.maps) {
		layers_deinit(l);
		return err_set(e, -EINVAL, "line %u: the dm before it has no map", line + 1);
	}
	return p.found ? 0 : err_set(e, -ENOENT, "no layers are known of %s", spec);
}

void layers_deinit(struct layers *l)
{
	free(l->maps);
	l->maps = NULL;
	l->n = l->nmaps = 0;
}

/* A word @N at off, with nothing of a word before it; *len is its own. */
static int ref_at(const struct layer_map *m, size_t off, size_t *len)
{
	struct word w = { m->args + off + 1, 0 };
	u64 v;

	if (m->args[off] != '@' || (off && m->args[off - 1] != ' '))
		return -1;
	while (off + 1 + w.n < m->args_len && w.s[w.n] != ' ')
		w.n++;
	*len = w.n + 1;
	/* what is no number is a device that is not there */
	return number(&w, INT32_MAX - 1, &v) ? (int)v : INT32_MAX;
}

int layers_next_ref(const struct layer_map *m, size_t *off)
{
	for (; *off < m->args_len; ++*off) {
		size_t len;
		int ref = ref_at(m, *off, &len);

		if (ref >= 0) {
			*off += len;
			return ref;
		}
	}
	return -1;
}

int layers_args(const struct layer_map *m,
		int (*device)(void *arg, unsigned n, char *out, size_t cap), void *arg, char *out,
		size_t cap)
{
	size_t used = 0;

	for (size_t i = 0; i < m->args_len;) {
		size_t len;
		int ref = ref_at(m, i, &len), rc;

		if (used + 1 >= cap)
			return -ENAMETOOLONG;
		if (ref < 0) {
			out[used++] = m->args[i++];
			continue;
		}
		rc = device(arg, (unsigned)ref, out + used, cap - used);
		if (rc)
			return rc;
		used += strlen(out + used);
		i += len;
	}
	if (used >= cap)
		return -ENAMETOOLONG;
	out[used] = '\0';
	return 0;
}
