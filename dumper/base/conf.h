/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf.h - crashpod.conf: the one parser for the builder's check, PID 1 and the command.
 * In:     hostile text: any bytes, any length; "directive value" lines, '#' comments.
 * Errors: each problem is given to the report function as one line "FILE:LINE: what is wrong" and
 *         the default (or the value before) stands; conf_parse() returns how many there were.
 *         Lines "FILE:LINE: note: ..." go the same way (zstd taken for lzo) and are not counted.
 * Source: kdump.conf(5) for the directives that mean the same there. */
#ifndef CRASHPOD_CONF_H
#define CRASHPOD_CONF_H

#include "types.h"

#define CONF_FILE "/etc/crashpod.conf"
#define CONF_FILE_MAX ((size_t)256 << 10) /* bytes that are read of it, at most */
#define CONF_PATH "/var/crash"		  /* the default of path */
#define CONF_TARGETS_MAX 8
#define CONF_NAME_MAX 256
#define CONF_THREADS_MAX 256 /* as many as the command takes */

enum conf_target_kind { CONF_TARGET_FS, CONF_TARGET_RAW };

struct conf_target {
	enum conf_target_kind kind;
	char fstype[16];	    /* one of CONF_FSTYPES; empty for raw */
	char device[CONF_NAME_MAX]; /* as conf_device.h reads it */
};

enum conf_format { CONF_FORMAT_KDUMP, CONF_FORMAT_ELF };
enum conf_compress { CONF_COMPRESS_NONE, CONF_COMPRESS_ZLIB, CONF_COMPRESS_ZSTD };
enum conf_naming { CONF_NAMING_DEBIAN, CONF_NAMING_RHEL };
enum conf_verify { CONF_VERIFY_NONE, CONF_VERIFY_STRUCTURE, CONF_VERIFY_FULL };
enum conf_action { CONF_REBOOT, CONF_POWEROFF, CONF_HALT };

struct conf {
	struct conf_target targets[CONF_TARGETS_MAX];
	unsigned ntargets;
	char path[CONF_NAME_MAX]; /* absolute, no "." or ".." parts */
	unsigned dump_level;	  /* 0..31 */
	enum conf_format format;
	enum conf_compress compress;
	int compress_level; /* 0: the default of the kind */
	unsigned threads;   /* 0: auto */
	enum conf_verify verify;
	enum conf_naming naming;
	unsigned keep;	    /* complete dumps kept; 0: all */
	unsigned timeout_s; /* the whole capture's deadline */
	enum conf_action failure_action, final_action;
};

typedef void (*conf_report_fn)(void *arg, const char *line);

/* path CONF_PATH, dump_level 31, kdump, zstd, threads auto, verify structure, naming debian,
 * keep 0, timeout 3600, both actions reboot, no target. */
void conf_defaults(struct conf *c);

/* Reads len bytes of text on top of what c holds. name is used in messages. Returns the number of
 * problems reported. */
unsigned conf_parse(struct conf *c, const char *text, size_t len, const char *name,
		    conf_report_fn report, void *arg);

/* Applies crashpod.DIRECTIVE=VALUE words of a kernel command line: a target directive there
 * replaces all targets of the file (crashpod.ext4=UUID=...). Messages begin "command line: ". */
unsigned conf_cmdline(struct conf *c, const char *cmdline, conf_report_fn report, void *arg);

/* The configuration as normalised text, one directive a line, that conf_parse() reads back to the
 * same struct: the number of bytes it needs without the NUL; written up to cap as snprintf does. */
size_t conf_print(const struct conf *c, char *buf, size_t cap);

#endif
