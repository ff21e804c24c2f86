/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct conf_tag conf_tags[] = {
	{ "UUID=", "/dev/disk/by-uuid/", "UUID", false },
	{ "LABEL=", "/dev/disk/by-label/", "LABEL", true },
	{ "PARTUUID=", "/dev/disk/by-partuuid/", NULL, false },
	{ "PARTLABEL=", "/dev/disk/by-partlabel/", NULL, true },
	{ NULL, NULL, NULL, false },
};

/* Nodes and links that are not there in the ramdisk. */
static const struct {
	const char *prefix, *why;
} refused[] = {
	{ "/dev/disk/", "a link of udev's, which the capture kernel has not: use UUID=" },
	{ "/dev/mapper/",
	  "a name that the capture kernel has not: use UUID= of the file system, or "
	  "/dev/GROUP/VOLUME of LVM" },
	{ "/dev/dm-", "a name that the capture kernel may give to another: use UUID= of the file "
		      "system, or /dev/GROUP/VOLUME of LVM" },
};

static bool has_dotdot(const char *path)
{
	const char *p = path;

	while ((p = strstr(p, ".."))) {
		bool starts = p == path || p[-1] == '/';

		if (starts && (p[2] == '/' || !p[2]))
			return true;
		p += 2;
	}
	return false;
}

/* udev writes a byte that is not safe in a file's name as \xNN. */
static int unescape(char *s)
{
	char *out = s;

	while (*s) {
		if (s[0] == '\\' && s[1] == 'x' && strspn(s + 2, "0123456789abcdefABCDEF") >= 2) {
			char hex[3] = { s[2], s[3], '\0' };

			*out = (char)strtoul(hex, NULL, 16);
			if (!*out++)
				return -EINVAL;
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
	return 0;
}

static int read_node(struct conf_device *d, const char *spec, struct err *e)
{
	if (strncmp(spec, "/dev/", 5) != 0 || !spec[5])
		return err_set(e, -EINVAL,
			       "'%s' is not UUID=, LABEL=, PARTUUID=, PARTLABEL= or /dev/...",
			       spec);
	if (has_dotdot(spec) || strchr(spec, ' '))
		return err_set(e, -EINVAL, "'%s' has '..' or blanks in it", spec);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (strncmp(spec, refused[i].prefix, strlen(refused[i].prefix)) == 0)
			return err_set(e, -EINVAL, "%s: %s", spec, refused[i].why);
	d->tag = NULL;
	snprintf(d->value, sizeof(d->value), "%s", spec);
	return 0;
}

int conf_device_read(struct conf_device *d, const char *spec, struct err *e)
{
	if (strlen(spec) >= sizeof(d->value))
		return err_set(e, -EINVAL, "the device name is too long");
	if (strchr(spec, '"') || strchr(spec, '\''))
		return err_set(e, -EINVAL, "write the device without quotes");
	for (const struct conf_tag *tag = conf_tags; tag->prefix; tag++) {
		bool link = strncmp(spec, tag->links, strlen(tag->links)) == 0;
		const char *form = link ? tag->links : tag->prefix;

		if (strncmp(spec, form, strlen(form)) != 0)
			continue;
		d->tag = tag;
		snprintf(d->value, sizeof(d->value), "%s", spec + strlen(form));
		if (!d->value[0])
			return err_set(e, -EINVAL, "nothing after %s", form);
		if (strchr(d->value, ' ') && (link || !tag->label))
			return err_set(e, -EINVAL, "blanks in %s", spec);
		if (link && (strchr(d->value, '/') || unescape(d->value)))
			return err_set(e, -EINVAL, "%s is not a link that udev makes", spec);
		return 0;
	}
	return read_node(d, spec, e);
}
