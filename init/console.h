/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console.h - what PID 1 says, without stdio: one line a message, on /dev/console, or in the
 * kernel's log where there is no console.
 * In:     text may come from the dead kernel: bytes that are not printable ASCII are escaped.
 * Errors: none. A console that does not take its text in time loses the message; saying something
 *         never blocks for long and never fails. */
#ifndef CRASHPOD_INIT_CONSOLE_H
#define CRASHPOD_INIT_CONSOLE_H

#include "../dumper/base/types.h"

struct console {
	int fd;	    /* -1: nowhere to say anything */
	bool kmsg;  /* fd is /dev/kmsg: one record a write */
	bool tardy; /* it was slow before: it gets little time from now on */
};

void console_init(struct console *c);
/* Opens the console, or else the kernel's log. 0 or -errno. */
int console_open(struct console *c);

/* "crashpod: " and the message and a newline. */
void console_say(struct console *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Many lines of text, as they are but for escapes. */
void console_text(struct console *c, const char *text, size_t len);

/* Waits until the terminal has sent what it took, as long as for a message: at the end of the
 * machine what it still has is lost. */
void console_drain(struct console *c);

/* Writes what can be shown of len bytes of text to out, NUL-terminated: '\n' is kept where
 * newlines is set, everything else outside printable ASCII becomes \xNN. Returns how many bytes of
 * text fitted; *out_len gets the length written. cap is at least 5. */
size_t console_escape(char *out, size_t cap, size_t *out_len, const char *text, size_t len,
		      bool newlines);

#endif
