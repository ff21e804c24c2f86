/* SPDX-License-Identifier: GPL-2.0-or-later */
/* logfacts.h - what a dead kernel's log says of its death: when, where, by which way.
 * In:     the log as text (dmesg.h), NUL-terminated; hostile, and cleaned here: of control
 *         characters only '\n' stays.
 * Units:  seconds since the boot. */
#ifndef CRASHPOD_LOGFACTS_H
#define CRASHPOD_LOGFACTS_H

#include "base/types.h"

#define LOG_FRAMES_MAX 48

struct log_frame {
	char text[112]; /* "sysrq_handle_crash+0x16/0x20", or a mark as "<IRQ>" */
};

struct log_facts {
	bool has_uptime;
	double uptime_s; /* at the death */
	char task[160];	 /* "CPU: 1 PID: 132 Comm: sh" */
	char hardware[160];
	char rip[160]; /* of the kernel; "" where the log has none */
	struct log_frame frames[LOG_FRAMES_MAX];
	unsigned nframes;
	unsigned unsure; /* entries with a question mark, which are not among the frames */
	bool more;	 /* frames than have room */
	size_t cause;	 /* offset of the line that says why; SIZE_MAX: not found */
};

/* panic: that line, without its stamp; may be empty. */
void log_facts(struct log_facts *f, char *log, const char *panic);

/* Offset from which the last lines of the text are. */
size_t log_tail(const char *log, unsigned lines);

/* A line at *at: its text without the stamp, and its length; *at goes to the next line. */
const char *log_line(const char *log, size_t *at, size_t *len);

#endif
