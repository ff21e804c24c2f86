/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "marker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/io.h"
#include "base/json.h"
#include "base/json_read.h"
#include "put.h"
#include "tree.h"

int marker_now(struct marker *m, const char *root, struct err *e)
{
	int rc;

	m->when = (s64)time(NULL);
	rc = tree_line(root, "/proc/sys/kernel/random/boot_id", m->boot_id, sizeof(m->boot_id));
	if (!rc)
		rc = tree_line(root, "/proc/sys/kernel/osrelease", m->kernel, sizeof(m->kernel));
	return rc ? err_sys(e, rc, "this boot's id and kernel") : 0;
}

int marker_write(const struct marker *m, const char *root, struct err *e)
{
	char path[PATH_MAX];
	struct json j;
	int rc = tree_path(path, root, "%s", MARKER_FILE);

	if (rc)
		return err_sys(e, rc, "%s", MARKER_FILE);
	json_init(&j);
	json_object(&j, NULL);
	json_u64(&j, "version", 1);
	json_s64(&j, "time", m->when);
	json_string(&j, "boot_id", m->boot_id);
	json_string(&j, "kernel", m->kernel);
	json_object_end(&j);
	rc = json_end(&j);
	rc = rc ? err_sys(e, rc, "%s", MARKER_FILE) : put_file(path, j.buf, j.len, 0600, e);
	json_deinit(&j);
	return rc;
}

int marker_read(struct marker *m, const char *root, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct json_doc doc;
	u64 when;
	int rc = tree_text(root, MARKER_FILE, &text);

	memset(m, 0, sizeof(*m));
	if (!rc)
		rc = json_doc_parse(&doc, text, strlen(text));
	if (rc)
		return err_sys(e, rc, "%s", MARKER_FILE);
	snprintf(m->boot_id, sizeof(m->boot_id), "%s", json_text(&doc, NULL, "boot_id"));
	snprintf(m->kernel, sizeof(m->kernel), "%s", json_text(&doc, NULL, "kernel"));
	if (!json_count(&doc, NULL, "time", &when) || when > INT64_MAX || !m->boot_id[0] ||
	    !m->kernel[0])
		rc = err_set(e, -EINVAL, "%s: is damaged", MARKER_FILE);
	m->when = (s64)when;
	json_doc_free(&doc);
	return rc;
}

void marker_words(const struct marker *m, char *buf, size_t cap)
{
	snprintf(buf, cap, "crashpod: test crash of boot %s", m->boot_id);
}

int marker_log(const struct marker *m, const char *root)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX], words[100], line[120];
	int rc = tree_path(path, root, "/dev/kmsg");

	if (rc)
		return rc;
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	marker_words(m, words, sizeof(words));
	/* of the level that consoles show: 5 is a notice */
	return io_write_all(fd, line, (size_t)snprintf(line, sizeof(line), "<5>%s\n", words));
}
