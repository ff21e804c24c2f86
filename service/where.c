/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "where.h"

#include <errno.h>

#include "base/guard.h"
#include "base/io.h"
#include "mounts.h"
#include "tree.h"

int where_conf(struct conf *c, const char *root, const char *file, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len;
	int rc = tree_path(path, root, "%s", CONF_FILE);

	conf_defaults(c);
	if (!rc)
		rc = io_read_file(file ? file : path, CONF_FILE_MAX, &text, &len, file ? e : NULL);
	if (!rc)
		conf_parse(c, text, len, file ? file : CONF_FILE, NULL, NULL);
	return file ? rc : 0;
}

int where_dumps(struct dumps *d, char dir[static PATH_MAX], const char *root, const struct conf *c,
		bool raw, struct err *note, struct err *e)
{
	struct err unsure = { 0 };
	int rc = mounts_dump_dir(dir, root, c, &unsure);

	if (rc)
		return err_sys(e, rc, "%s", c->path);
	if (note)
		*note = unsure;
	rc = dumps_scan(d, dir, e);
	if (rc == -ENOENT)
		rc = 0;
	if (!rc && raw) {
		rc = dumps_raw(d, root, c);
		if (rc)
			err_sys(e, rc, "raw targets");
	}
	dumps_sort(d);
	return rc;
}
