/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf_device.h"
#include "base/guard.h"
#include "base/io.h"
#include "base/resolve.h"

#define TEXT_BYTES_MAX ((size_t)4 << 20)

int tree_path(char buf[static PATH_MAX], const char *root, const char *fmt, ...)
{
	int n = snprintf(buf, PATH_MAX, "%s", root), m;
	va_list ap;

	if (n < 0 || n >= PATH_MAX)
		return -ENAMETOOLONG;
	va_start(ap, fmt);
	m = vsnprintf(buf + n, PATH_MAX - (size_t)n, fmt, ap);
	va_end(ap);
	return m < 0 || m >= PATH_MAX - n ? -ENAMETOOLONG : 0;
}

int tree_head(const char *root, const char *path, char *buf, size_t cap)
{
	char full[PATH_MAX];
	ssize_t n;
	int rc = tree_path(full, root, "%s", path);

	if (rc)
		return rc;
	_cleanup_close_ int fd = open(full, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	n = io_pread_full(fd, buf, cap - 1, 0);
	if (n < 0)
		return (int)n;
	buf[n] = '\0';
	return 0;
}

int tree_line(const char *root, const char *path, char *buf, size_t cap)
{
	int rc = tree_head(root, path, buf, cap);

	if (rc)
		return rc;
	buf[strcspn(buf, "\n")] = '\0';
	return buf[0] ? 0 : -ENODATA;
}

int tree_text(const char *root, const char *path, char **text)
{
	char full[PATH_MAX];
	size_t len;
	int rc = tree_path(full, root, "%s", path);

	return rc ? rc : io_read_file(full, TEXT_BYTES_MAX, text, &len, NULL);
}

int tree_number(const char *root, const char *path, s64 *value)
{
	char line[64], *end;
	long long v;
	int rc = tree_line(root, path, line, sizeof(line));

	if (rc)
		return rc;
	errno = 0;
	v = strtoll(line, &end, 10);
	if (errno || end == line || *end)
		return -EINVAL;
	*value = v;
	return 0;
}

static const char *const kernel_places[] = {
	"/boot/vmlinuz-%s",
	"/lib/modules/%s/vmlinuz",
	"/usr/lib/modules/%s/vmlinuz",
};

int tree_kernel(char buf[static PATH_MAX], const char *root, const char *kver, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_places); i++) {
		const char *rest = strstr(kernel_places[i], "%s");
		int before = (int)(rest - kernel_places[i]);

		if (!tree_path(buf, root, "%.*s%s%s", before, kernel_places[i], kver, rest + 2) &&
		    !access(buf, R_OK))
			return 0;
	}
	return err_set(e, -ENOENT,
		       "no kernel image of %s: not /boot/vmlinuz-%s, not vmlinuz in "
		       "/lib/modules/%s or /usr/lib/modules/%s; give it with --kernel",
		       kver, kver, kver, kver);
}

/* Names of udev's links: what is not a letter, a digit, one of "#+-.:=@_" or beyond ASCII is
 * written as \xNN. */
static void udev_escape(char *out, size_t cap, const char *name)
{
	size_t len = 0;

	for (; *name && cap - len > 4; name++) {
		unsigned char c = (unsigned char)*name;

		if (c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || strchr("#+-.:=@_", c))
			out[len++] = *name;
		else
			len += (size_t)snprintf(out + len, cap - len, "\\x%02x", c);
	}
	out[len] = '\0';
}

int tree_device(char buf[static PATH_MAX], const char *root, const char *device)
{
	static const struct resolve_roots real = { .sys = "/sys", .dev = "/dev" };
	char name[4 * CONF_NAME_MAX + 1];
	struct conf_device d;
	int rc = conf_device_read(&d, device, NULL);

	if (rc)
		return rc;
	if (d.tag) {
		udev_escape(name, sizeof(name), d.value);
		rc = tree_path(buf, root, "%s%s", d.tag->links, name);
	} else {
		rc = tree_path(buf, root, "%s", d.value);
	}
	if (rc || !access(buf, F_OK))
		return rc;
	if (!d.tag || root[0])
		return -errno;
	return resolve_device(&real, device, buf, PATH_MAX, NULL);
}
