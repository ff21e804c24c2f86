/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *figure_bytes(char buf[static FIGURE_MAX], u64 bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double v = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(buf, FIGURE_MAX, "%" PRIu64 " B", bytes);
		return buf;
	}
	for (; v >= 1023.95 && unit + 1 < ARRAY_SIZE(units); unit++)
		v /= 1024;
	snprintf(buf, FIGURE_MAX, v < 99.95 ? "%.1f %s" : "%.0f %s", v, units[unit]);
	return buf;
}

const char *figure_count(char buf[static FIGURE_MAX], u64 n)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = '\0';
	return buf;
}

const char *figure_share(char buf[static FIGURE_MAX], u64 part, u64 whole)
{
	double percent = whole ? 100.0 * (double)part / (double)whole : 0;

	if (part && whole && percent < 0.05)
		snprintf(buf, FIGURE_MAX, "<0.1%%");
	else
		snprintf(buf, FIGURE_MAX, "%.1f%%", percent > 999 ? 999.0 : percent);
	return buf;
}
