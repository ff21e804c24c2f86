/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kept inputs as text, so that they can be read and changed. Lines:
 *   # comment
 *   seed NAME     begin with that seed of the target (without: with nothing)
 *   size N        the input is cut, or filled up with zeros, to N bytes
 *   @OFF BYTE...  bytes (hex) that go to OFF on; the input grows where it must */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define TEXT_MAX ((size_t)4 << 20)

struct text_input {
	const char *seed; /* wanted */
	u8 *data;
	size_t size;
};

static void text_take_seed(void *arg, const char *name, const u8 *data, size_t size)
{
	struct text_input *in = arg;

	if (strcmp(name, in->seed) != 0)
		return;
	memcpy(in->data, data, MIN(size, TEXT_MAX));
	in->size = MIN(size, TEXT_MAX);
}

static void text_seed(struct text_input *in, const char *target, const char *name)
{
	const struct fuzz_seeds *s = fuzz_seeds_find(target);

	FUZZ_CHECK(s && in->size == 0);
	in->seed = name;
	s->make(text_take_seed, in);
	FUZZ_CHECK(in->size);
}

static void text_bytes(struct text_input *in, char *words)
{
	char *save = NULL, *end, *word = strtok_r(words, " \t", &save);
	size_t at = strtoul(word, &end, 0);

	FUZZ_CHECK(end != word && !*end);
	while ((word = strtok_r(NULL, " \t", &save)) && *word != '#') {
		unsigned long byte = strtoul(word, &end, 16);

		FUZZ_CHECK(end != word && !*end && byte < 256 && at < TEXT_MAX);
		in->data[at++] = (u8)byte;
		in->size = MAX(in->size, at);
	}
}

static void text_line(struct text_input *in, const char *target, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '\0' || line[0] == '#')
		return;
	if (strncmp(line, "seed ", 5) == 0) {
		text_seed(in, target, line + 5);
	} else if (strncmp(line, "size ", 5) == 0) {
		in->size = strtoul(line + 5, NULL, 0);
		FUZZ_CHECK(in->size <= TEXT_MAX);
	} else {
		FUZZ_CHECK(line[0] == '@');
		text_bytes(in, line + 1);
	}
}

u8 *fuzz_text_read(const char *target, const char *path, size_t *size)
{
	struct text_input in = { .data = calloc(1, TEXT_MAX) };
	FILE *f = fopen(path, "r");
	char line[1024];
	u8 *exact;

	FUZZ_CHECK(in.data);
	while (f && fgets(line, sizeof(line), f))
		text_line(&in, target, line);
	/* of its own size, so that a byte past it is found */
	exact = f ? malloc(in.size ? in.size : 1) : NULL;
	if (exact)
		memcpy(exact, in.data, in.size);
	if (f)
		fclose(f);
	free(in.data);
	*size = in.size;
	return exact;
}

/* The seed with the fewest differences so far. */
struct text_best {
	const u8 *data;
	size_t size;
	char name[64];
	u8 *seed;
	size_t seed_size, differ;
};

static size_t text_differ(const u8 *a, size_t na, const u8 *b, size_t nb)
{
	size_t n = na > nb ? na - nb : 0;

	for (size_t i = 0; i < MIN(na, nb); i++)
		n += a[i] != b[i];
	return n;
}

static void text_compare_seed(void *arg, const char *name, const u8 *data, size_t size)
{
	struct text_best *b = arg;
	size_t differ = text_differ(b->data, b->size, data, size);

	if (differ >= b->differ)
		return;
	b->differ = differ;
	free(b->seed);
	b->seed = malloc(size);
	FUZZ_CHECK(b->seed);
	memcpy(b->seed, data, size);
	b->seed_size = size;
	snprintf(b->name, sizeof(b->name), "%s", name);
}

static u8 text_base(const struct text_best *b, size_t at)
{
	return at < b->seed_size ? b->seed[at] : 0;
}

void fuzz_text_print(const char *target, const u8 *data, size_t size)
{
	static const u8 nothing[1];
	const struct fuzz_seeds *s = fuzz_seeds_find(target);
	struct text_best b = { .data = data, .size = size };

	FUZZ_CHECK(s);
	b.differ = text_differ(data, size, nothing, 0);
	s->make(text_compare_seed, &b);
	if (b.name[0])
		printf("seed %s\n", b.name);
	printf("size %zu\n", size);
	for (size_t at = 0; at < size;) {
		size_t end = at;

		if (data[at] == text_base(&b, at)) {
			at++;
			continue;
		}
		printf("@%#zx", at);
		for (; end < size && end < at + 24 && data[end] != text_base(&b, end); end++)
			printf(" %02x", data[end]);
		printf("\n");
		at = end;
	}
	free(b.seed);
}
