/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "layers_crypt.h"

#include <stdio.h>
#include <string.h>

#include "types.h"

#define LUKS2 "CRYPT-LUKS2-"
#define SETUP "cryptsetup:"
#define KEY "user:" SETUP
#define KEY_BYTES_MAX 256 /* of the kernel's interface for keys */
#define OPTIONS_MAX 9
/* CIPHER KEY IV DEVICE OFFSET, a count, and so many options */
#define WORDS_MAX (6 + OPTIONS_MAX)

/* Of those that change nothing of what is on the disk, and that need nothing else. A size of
 * sectors does, and is a number. */
static const char *const options[] = {
	"allow_discards",    "same_cpu_crypt",	   "high_priority",    "submit_from_crypt_cpus",
	"no_read_workqueue", "no_write_workqueue", "iv_large_sectors",
};

struct word {
	const char *s;
	size_t n;
};

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool layers_crypt_desc(const char *dm_uuid, char out[static LAYERS_CRYPT_DESC_CAP])
{
	const char *p = dm_uuid + strlen(LUKS2);
	size_t n = strlen(SETUP);

	if (strncmp(dm_uuid, LUKS2, strlen(LUKS2)) != 0)
		return false;
	memcpy(out, SETUP, n);
	for (unsigned i = 0; i < 32; i++) {
		if (!is_hex(p[i]))
			return false;
		if (i == 8 || i == 12 || i == 16 || i == 20)
			out[n++] = '-';
		out[n++] = p[i];
	}
	out[n] = '\0';
	return p[32] == '-';
}

static bool is_uuid(const char *s, size_t n)
{
	if (n != 36)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !is_hex(s[i]))
			return false;
	}
	return true;
}

/* 0: too many, or none */
static unsigned split(const char *s, size_t len, struct word *w)
{
	unsigned n = 0;

	for (size_t i = 0; i < len;) {
		size_t from;

		while (i < len && s[i] == ' ')
			i++;
		from = i;
		while (i < len && s[i] != ' ')
			i++;
		if (i == from)
			break;
		if (n == WORDS_MAX)
			return 0;
		w[n++] = (struct word){ s + from, i - from };
	}
	return n;
}

static bool is_number(const struct word *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->s[i] < '0' || w->s[i] > '9')
			return false;
	return w->n > 0 && w->n <= 20;
}

/* ":BYTES:" at the beginning of a key: how long that is, and the number. */
static size_t key_bytes(const struct word *w, unsigned *bytes)
{
	size_t i = 1;

	*bytes = 0;
	if (w->s[0] != ':')
		return 0;
	for (; i < w->n && i < 5 && w->s[i] >= '0' && w->s[i] <= '9'; i++)
		*bytes = *bytes * 10 + (unsigned)(w->s[i] - '0');
	if (i == w->n || w->s[i] != ':' || !*bytes || *bytes > KEY_BYTES_MAX)
		return 0;
	return i + 1;
}

static bool option_ok(const struct word *w)
{
	static const char size[] = "sector_size:";

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (w->n == strlen(options[i]) && memcmp(w->s, options[i], w->n) == 0)
			return true;
	if (w->n > strlen(size) && memcmp(w->s, size, strlen(size)) == 0)
		return is_number(&(struct word){ w->s + strlen(size), w->n - strlen(size) });
	return false;
}

/* What is beside the key. */
static const char *frame_check(const struct word *w, unsigned n)
{
	if (n < 5 || !is_number(&w[2]) || !is_number(&w[4]))
		return "not 'CIPHER KEY IV DEVICE OFFSET'";
	for (size_t i = 0; i < w[0].n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_:.,()", w[0].s[i]))
			return "its cipher's name";
	if (n > 5 && (w[5].n != 1 || w[5].s[0] < '0' || (unsigned)(w[5].s[0] - '0') != n - 6))
		return "its number of options";
	for (unsigned i = 6; i < n; i++)
		if (!option_ok(&w[i]))
			return "an option that the capture kernel cannot be given, as those of "
			       "integrity are";
	return NULL;
}

const char *layers_crypt_check(const char *args, size_t len)
{
	struct word w[WORDS_MAX];
	unsigned n = args ? split(args, len, w) : 0, bytes;
	const char *why = frame_check(w, n);
	size_t type = strlen(KEY), at;

	if (why)
		return why;
	at = key_bytes(&w[1], &bytes);
	if (!at || w[1].n - at < type || memcmp(w[1].s + at, KEY, type) != 0 ||
	    !is_uuid(w[1].s + at + type, w[1].n - at - type))
		return "a key that is no reference";
	return NULL;
}

static bool put(char *out, size_t cap, size_t *used, const char *s, size_t n)
{
	if (n + 2 > cap - *used)
		return false;
	if (*used)
		out[(*used)++] = ' ';
	memcpy(out + *used, s, n);
	*used += n;
	out[*used] = '\0';
	return true;
}

const char *layers_crypt_args(const char *args, const char *desc, char *out, size_t cap)
{
	struct word w[WORDS_MAX];
	unsigned n = split(args, strlen(args), w), bytes;
	const char *why = frame_check(w, n);
	size_t used = 0;
	char key[80];

	if (why)
		return why;
	if (!key_bytes(&w[1], &bytes))
		return "its key is in its table, not in a keyring, as with --disable-keyring";
	snprintf(key, sizeof(key), ":%u:user:%s", bytes, desc);
	for (unsigned i = 0; i < n; i++)
		if (i == 1 ? !put(out, cap, &used, key, strlen(key))
			   : !put(out, cap, &used, w[i].s, w[i].n))
			return "its table is too long";
	return layers_crypt_check(out, used);
}
