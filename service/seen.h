/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seen.h - which dumps somebody has looked at (SEEN_FILE, a directory a line), and the notice of
 * those that nobody has (NOTICE_FILE, which pam_motd shows at login).
 * In:     root: "" or another root directory, as in tree.h.
 * Errors: 0 or -errno; without SEEN_FILE nothing was seen.
 * Owner:  seen_free().
 * Source: pam_motd(8): /etc/motd.d, /run/motd.d and /usr/lib/motd.d are shown without an option, by
 *         Debian's `noupdate` line as well; what is in /run is gone with the system that it is of.
 */
#ifndef CRASHPOD_SEEN_H
#define CRASHPOD_SEEN_H

#include "dumps.h"

#define SEEN_FILE "/var/lib/crashpod/seen"
#define NOTICE_FILE "/run/motd.d/crashpod"
#define NOTICE_MAX 1024

struct seen {
	char *text; /* NUL-terminated; may be NULL */
};

void seen_read(struct seen *s, const char *root);
bool seen_has(const struct seen *s, const struct dump_entry *entry);
/* All of these, and no others, have been seen. */
int seen_write(const char *root, const struct dumps *d, struct err *e);
void seen_free(struct seen *s);

/* One line without '\n' about the newest of crashpod's own dumps that nobody has seen, and how many
 * more there are; false, and "", where there is none. d is sorted. */
bool notice_line(char line[static NOTICE_MAX], const struct dumps *d, const struct seen *s);
/* Writes or removes NOTICE_FILE. */
int notice_put(const char *root, const char *line, struct err *e);

#endif
