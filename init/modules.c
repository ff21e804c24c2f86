/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../dumper/base/guard.h"
#include "../dumper/base/io.h"
#include "modparams.h"
#include "steps.h"
#include "watchdog.h"

#define LIST_MAX (256 * 1024)
#define CMDLINE_MAX (64 * 1024)
#define STALL_S 20
#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4 /* linux/module.h, since 5.17 */
#endif
#define HANGS_MAX 8 /* children that did not end, before the rest is left out */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The part of s from *off to the next blank, or to the end where rest is set. */
static size_t part(const char *s, size_t n, size_t *off, bool rest)
{
	size_t from;

	while (*off < n && is_blank(s[*off]))
		++*off;
	from = *off;
	while (*off < n && (rest || !is_blank(s[*off])))
		++*off;
	return from;
}

static int parse_line(const char *s, size_t n, struct module_line *m)
{
	size_t off = 0, path, params, path_len;
	const char *slash = "";

	while (n && is_blank(s[n - 1]))
		n--;
	path = part(s, n, &off, false);
	path_len = off - path;
	if (!path_len || s[path] == '#')
		return 0;
	params = part(s, n, &off, true);
	if (s[path] != '/')
		slash = "/";
	if (path_len + 1 >= sizeof(m->path) || n - params >= sizeof(m->params))
		return -EINVAL;
	snprintf(m->path, sizeof(m->path), "%s%.*s", slash, (int)path_len, s + path);
	snprintf(m->params, sizeof(m->params), "%.*s", (int)(n - params), s + params);
	return 1;
}

int modules_next(const char **text, size_t *len, struct module_line *m)
{
	while (*len) {
		const char *line = *text, *nl = memchr(line, '\n', *len);
		size_t n = nl ? (size_t)(nl - line) : *len;
		int rc = parse_line(line, n, m);

		n += nl ? 1 : 0;
		*text += n;
		*len -= n;
		if (rc)
			return rc;
	}
	return 0;
}

/* A loaded module's file is of no more use; in a ramdisk it takes memory. */
static bool in_ramdisk(void)
{
	struct statfs fs;

	if (statfs("/", &fs))
		return false;
	return (u32)fs.f_type == RAMFS_MAGIC || (u32)fs.f_type == TMPFS_MAGIC;
}

/* Whatever comes after .ko: mkinitrd leaves it only where the kernel unpacks it. */
static bool is_compressed(const char *path)
{
	const char *ko = strstr(path, ".ko.");

	return ko && !strchr(ko, '/');
}

static int load(const struct module_line *m)
{
	int flags = is_compressed(m->path) ? MODULE_INIT_COMPRESSED_FILE : 0;
	_cleanup_close_ int fd = open(m->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, m->params, flags) && errno != EEXIST)
		return -errno;
	return 0;
}

static void load_and_count(struct init *in, struct module_line *m, const char *cmdline,
			   bool unlink_it)
{
	int rc = modparams_add(m->params, sizeof(m->params), m->path, cmdline ? cmdline : "");

	if (rc)
		console_say(&in->con, "module %s: its parameters on the command line are too long",
			    m->path);
	rc = load(m);
	if (rc) {
		atomic_fetch_add(&in->sh->modules_failed, 1);
		console_say(&in->con, "module %s: %s", m->path, err_text(-rc));
		return;
	}
	atomic_fetch_add(&in->sh->modules_loaded, 1);
	if (unlink_it && unlink(m->path))
		console_say(&in->con, "module %s: unlink: %s", m->path, err_text(errno));
}

/* Begins at the line sh->module: those before it are done with. */
int step_modules_child(struct init *in, struct err *e)
{
	_cleanup_free_ char *list = NULL, *cmdline = NULL;
	u32 first = atomic_load(&in->sh->module);
	bool unlink_it = in_ramdisk();
	struct module_line m;
	const char *p;
	size_t len, cmdline_len;
	int rc = io_read_file(MODULES_LIST, LIST_MAX, &list, &len, e);

	p = list;
	if (rc)
		return rc;
	/* without it the modules have the parameters of the list */
	if (io_read_file("/proc/cmdline", CMDLINE_MAX, &cmdline, &cmdline_len, NULL))
		console_say(&in->con, "/proc/cmdline cannot be read");
	for (u32 i = 0; (rc = modules_next(&p, &len, &m)); i++) {
		if (i < first)
			continue;
		atomic_store(&in->sh->module, i);
		if (rc < 0) {
			console_say(&in->con, "%s: module %u: the line is too long", MODULES_LIST,
				    i + 1);
			continue;
		}
		snprintf(in->sh->module_name, sizeof(in->sh->module_name), "%.*s",
			 (int)sizeof(in->sh->module_name) - 1, m.path);
		load_and_count(in, &m, cmdline, unlink_it);
	}
	snprintf(in->sh->said, sizeof(in->sh->said), "modules: %u loaded, %u failed",
		 atomic_load(&in->sh->modules_loaded), atomic_load(&in->sh->modules_failed));
	return 0;
}

static u64 module_beat(void *arg)
{
	struct init *in = arg;

	return atomic_load(&in->sh->module);
}

static const char *module_name(const struct init *in)
{
	return in->sh->module_name[0] ? in->sh->module_name : "not yet begun";
}

/* A driver that hangs while it starts, or crashes twice (once may be chance, and a target's own may
 * be among them), is left out; the modules after it are loaded by another child. */
int step_modules(struct init *in, const struct step *s, struct err *e)
{
	enum child_end end = CHILD_OK;
	u32 crashed = UINT32_MAX;
	int rc = 0;

	if (access(MODULES_LIST, F_OK))
		return STEP_SKIP;
	for (unsigned hangs = 0; hangs < HANGS_MAX; hangs++) {
		struct child_watch w = { .stall_ms = STALL_S * 1000,
					 .beat = module_beat,
					 .tick = watchdog_find,
					 .arg = in };

		rc = step_child_watched(in, s, &w, &end, e);
		if (end != CHILD_STALLED && end != CHILD_CRASHED && end != CHILD_STUCK)
			return rc;
		if (end == CHILD_CRASHED && atomic_load(&in->sh->module) != crashed) {
			crashed = atomic_load(&in->sh->module);
			init_note(in, "module %u, %s, %s: it is tried once more", crashed + 1,
				  module_name(in), e->msg);
			continue;
		}
		init_note(in, "module %s %s; it is left out", module_name(in), child_end_text(end));
		atomic_fetch_add(&in->sh->modules_failed, 1);
		atomic_fetch_add(&in->sh->module, 1);
	}
	return rc;
}
