/* SPDX-License-Identifier: GPL-2.0-or-later */
/* naming.h - the names of a dump's directory and files, by distribution. Times are UTC.
 *   debian: YYYYMMDDHHMM/ with dump.YYYYMMDDHHMM and dmesg.YYYYMMDDHHMM
 *   rhel:   127.0.0.1-YYYY-MM-DD-HH:MM:SS/ with vmcore and vmcore-dmesg.txt
 * The record is crashpod.json in both. A second dump in the same minute or second gets a directory
 * with "-1", "-2" ... at the end (debian files keep the stamp of the directory without it). */
#ifndef CRASHPOD_NAMING_H
#define CRASHPOD_NAMING_H

#include <time.h>

#include "conf.h"

#define NAMING_RECORD "crashpod.json"
#define NAMING_SERIES "series_first" /* of the record: directory of the first of a series */
#define NAMING_INCOMPLETE "-incomplete"
/* after a dump's name: what the first of two tries has left, while the second is made */
#define NAMING_FIRST "-first" NAMING_INCOMPLETE

struct naming {
	char dir[64], dump[64], dmesg[64];
};

void naming_make(struct naming *n, enum conf_naming style, time_t when, unsigned serial);

/* Whether a directory entry is one that naming_make() could have made, of either style; fills in
 * the names of the files in it. */
bool naming_parse(struct naming *n, const char *dir);

/* When a directory that naming_parse() took was made: stamp is YYYYMMDDHHMMSS as a number (debian
 * names have no seconds: 00), serial the number at the end or 0. */
void naming_age(const char *dir, u64 *stamp, u64 *serial);

#endif
