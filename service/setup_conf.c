/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup_conf.c - the configuration: the file system that holds CONF_PATH, found by what is mounted
 * there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf_device.h"
#include "base/guard.h"
#include "base/cryptkeys.h"
#include "base/layers_crypt.h"
#include "encrypted.h"
#include "keys.h"
#include "fsuuid.h"
#include "made.h"
#include "setup.h"
#include "tree.h"

#define KEEP 5

static bool is_target_fs(const char *fstype)
{
	static const char *const known[] = {
#define ROW(name) name,
		CONF_FSTYPES(ROW)
#undef ROW
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i], fstype))
			return true;
	return false;
}

/* One of os-release's words for itself or for what it is like. */
static bool os_is(const char *text, const char *word)
{
	static const char *const keys[] = { "ID=", "ID_LIKE=" };
	size_t len = strlen(word);

	for (const char *line = text; line && *line;) {
		size_t n = strcspn(line, "\n");

		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			if (strncmp(line, keys[k], strlen(keys[k])))
				continue;
			for (const char *p = line + strlen(keys[k]); p < line + n; p++)
				if (!strncmp(p, word, len) && strchr("\"' =\n", p[-1]) &&
				    strchr("\"' \n", p[len]))
					return true;
		}
		line += n + (line[n] == '\n');
	}
	return false;
}

static const char *naming(const struct setup *s)
{
	static const char *const rhel[] = { "rhel", "fedora", "centos", "openEuler" };
	_cleanup_free_ char *text = NULL;

	if (tree_text(s->root, "/etc/os-release", &text) &&
	    tree_text(s->root, "/usr/lib/os-release", &text))
		return "debian";
	for (size_t i = 0; i < ARRAY_SIZE(rhel); i++)
		if (os_is(text, rhel[i]))
			return "rhel";
	return "debian";
}

/* Whether a capture kernel cannot open what lies below: said. */
static bool is_closed(struct setup *s, const char *dir, const struct mounts_holder *h)
{
	struct encrypted_list l;
	bool closed = false;

	encrypted_below(&l, s->root, h);
	for (unsigned i = 0; i < l.n; i++) {
		char desc[LAYERS_CRYPT_DESC_CAP];
		struct err e = { 0 };

		if (!keys_check(desc, s->root, &l.found[i], cryptkeys_find, &e))
			continue;
		setup_line(&s->problems,
			   "%s is on %s, of which dm-crypt %s; or write %s with a target that is "
			   "not encrypted: a file system on a partition of its own, or a raw "
			   "partition (crashpod raw format DEVICE)",
			   dir, h->source, e.msg, CONF_FILE);
		closed = true;
	}
	return closed;
}

char *setup_conf_text(struct setup *s, const char *dir, const char *settings)
{
	struct mounts_holder *h = calloc(1, sizeof(*h));
	char uuid[FSUUID_CAP], *text = NULL;
	int rc = h ? mounts_holding(h, s->root, dir) : -ENOMEM;

	if (rc)
		setup_line(&s->problems, "%s: what is mounted there cannot be told: %s", dir,
			   strerror(-rc));
	else if (!is_target_fs(h->fstype))
		setup_line(&s->problems,
			   "%s is on %s, which a capture kernel cannot write to: write %s with a "
			   "target on ext4, xfs, btrfs or a raw partition",
			   dir, h->fstype, CONF_FILE);
	else if (is_closed(s, dir, h))
		rc = -ENOTSUP;
	else if ((rc = fsuuid_find(uuid, s->root, h)))
		setup_line(&s->problems,
			   "%s is on %s, whose UUID cannot be found (%s): write %s with its device",
			   dir, h->source, strerror(-rc), CONF_FILE);
	else if (asprintf(
			 &text,
			 "# %s, made by crashpod setup: where the dump of a dead kernel goes.\n"
			 "# All directives: the example crashpod.conf. A change takes effect with\n"
			 "# `crashpod refresh`, or at the next boot.\n"
			 "%s UUID=%s\npath %s\nnaming %s\n%s",
			 CONF_FILE, h->fstype, uuid, h->path, naming(s), settings) < 0)
		text = NULL;
	if (!text && !s->problems.n)
		s->changes.failed = true;
	free(h);
	return text;
}

static void check_present(struct setup *s, const char *text)
{
	struct conf c;

	conf_defaults(&c);
	if (conf_parse(&c, text, strlen(text), CONF_FILE, NULL, NULL))
		setup_line(&s->problems, "%s has errors: crashpod conf %s tells them", CONF_FILE,
			   CONF_FILE);
	else if (!c.ntargets)
		setup_line(&s->problems, "%s names no target: add a line as 'ext4 UUID=...'",
			   CONF_FILE);
}

/* A configuration that a person wrote is not replaced. */
static void replace(struct setup *s, const char *text)
{
	struct made made = { 0 };
	struct change *a = changes_file(&s->changes, CONF_FILE, text, 0644, MADE_FILE);

	if (a && a->old && !made_read(&made, s->root, NULL) &&
	    !made_has_file(&made, s->root, CONF_FILE))
		setup_line(&s->problems,
			   "%s is there already: move it away, or run crashpod setup without "
			   "--from-kdump",
			   CONF_FILE);
	made_free(&made);
}

void setup_conf(struct setup *s)
{
	_cleanup_free_ char *text = NULL;
	char keep[32];

	changes_step(&s->changes, "configuration and initramfs");
	if (s->from_kdump)
		text = setup_kdump_conf(s);
	if (s->from_kdump && s->problems.n)
		return;
	if (text) {
		replace(s, text);
		return;
	}
	if (!tree_text(s->root, CONF_FILE, &text)) {
		check_present(s, text);
		return;
	}
	snprintf(keep, sizeof(keep), "keep %d\n", KEEP);
	text = setup_conf_text(s, CONF_PATH, keep);
	if (text)
		changes_file(&s->changes, CONF_FILE, text, 0644, MADE_FILE);
}
