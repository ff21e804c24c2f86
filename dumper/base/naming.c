/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RHEL_PREFIX "127.0.0.1-"

/* '0' stands for any digit. */
#define DEBIAN_SHAPE "000000000000"
#define RHEL_SHAPE "0000-00-00-00:00:00" /* after the prefix */

#define DEBIAN_STAMP (sizeof(DEBIAN_SHAPE) - 1)
#define RHEL_STAMP (sizeof(RHEL_SHAPE) - 1)

static void debian_files(struct naming *n)
{
	snprintf(n->dump, sizeof(n->dump), "dump.%.*s", (int)DEBIAN_STAMP, n->dir);
	snprintf(n->dmesg, sizeof(n->dmesg), "dmesg.%.*s", (int)DEBIAN_STAMP, n->dir);
}

static void rhel_files(struct naming *n)
{
	snprintf(n->dump, sizeof(n->dump), "vmcore");
	snprintf(n->dmesg, sizeof(n->dmesg), "vmcore-dmesg.txt");
}

void naming_make(struct naming *n, enum conf_naming style, time_t when, unsigned serial)
{
	struct tm tm = { 0 };
	unsigned y, mo, d;
	size_t len;

	gmtime_r(&when, &tm);
	y = (unsigned)(tm.tm_year + 1900) % 10000;
	mo = (unsigned)tm.tm_mon + 1;
	d = (unsigned)tm.tm_mday;
	memset(n, 0, sizeof(*n));
	if (style == CONF_NAMING_RHEL) {
		snprintf(n->dir, sizeof(n->dir), RHEL_PREFIX "%04u-%02u-%02u-%02d:%02d:%02d", y, mo,
			 d, tm.tm_hour, tm.tm_min, tm.tm_sec);
		rhel_files(n);
	} else {
		snprintf(n->dir, sizeof(n->dir), "%04u%02u%02u%02d%02d", y, mo, d, tm.tm_hour,
			 tm.tm_min);
		debian_files(n);
	}
	len = strlen(n->dir);
	if (serial)
		snprintf(n->dir + len, sizeof(n->dir) - len, "-%u", serial);
}

/* Matches the shape, then nothing or "-" and a number of one to six digits that has no zero in
 * front. */
static bool has_shape(const char *s, const char *shape)
{
	size_t digits;

	for (; *shape; s++, shape++) {
		bool digit = *s >= '0' && *s <= '9';

		if (*shape == '0' ? !digit : *s != *shape)
			return false;
	}
	if (!*s)
		return true;
	if (*s++ != '-' || *s == '0')
		return false;
	digits = strspn(s, "0123456789");
	return digits >= 1 && digits <= 6 && !s[digits];
}

static unsigned number(const char *s, unsigned digits)
{
	unsigned v = 0;

	while (digits--)
		v = v * 10 + (unsigned)(*s++ - '0');
	return v;
}

static bool in_range(unsigned month, unsigned day, unsigned hour, unsigned minute)
{
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59;
}

bool naming_parse(struct naming *n, const char *dir)
{
	const char *s;

	memset(n, 0, sizeof(*n));
	if (strlen(dir) >= sizeof(n->dir))
		return false;
	memcpy(n->dir, dir, strlen(dir));
	if (has_shape(dir, DEBIAN_SHAPE)) {
		debian_files(n);
		return in_range(number(dir + 4, 2), number(dir + 6, 2), number(dir + 8, 2),
				number(dir + 10, 2));
	}
	s = dir + strlen(RHEL_PREFIX);
	if (strncmp(dir, RHEL_PREFIX, strlen(RHEL_PREFIX)) == 0 && has_shape(s, RHEL_SHAPE)) {
		rhel_files(n);
		return in_range(number(s + 5, 2), number(s + 8, 2), number(s + 11, 2),
				number(s + 14, 2)) &&
		       number(s + 17, 2) <= 60;
	}
	return false;
}

/* Both styles have the digits of the stamp in the same order. */
void naming_age(const char *dir, u64 *stamp, u64 *serial)
{
	bool rhel = strncmp(dir, RHEL_PREFIX, strlen(RHEL_PREFIX)) == 0;
	const char *p = dir + (rhel ? strlen(RHEL_PREFIX) : 0);
	const char *end = p + MIN(strlen(p), rhel ? RHEL_STAMP : DEBIAN_STAMP);

	for (*stamp = 0; p < end; p++)
		if (*p >= '0' && *p <= '9')
			*stamp = *stamp * 10 + (u64)(*p - '0');
	if (!rhel)
		*stamp *= 100;
	*serial = *p == '-' ? strtoull(p + 1, NULL, 10) : 0;
}
