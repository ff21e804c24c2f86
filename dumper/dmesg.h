/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmesg.h - the dead kernel's log as text, from its printk ring buffer (5.10 on) or its record log
 * (up to 5.9), as `dmesg` prints it.
 * In:     the ring and its descriptors are hostile: every index and length is checked, a walk ends
 *         after as many steps as there are descriptors.
 * Errors: -ENOENT: the kernel's log cannot be found (keys absent); -EINVAL: it makes no sense;
 *         others as kmem_read(). What could be read before an error has been given to the sink.
 * Caller: who wrote a record is shown where the kernel would, "[    1.234567][    T1] text", if the
 *         vmcoreinfo tells: the record log has the field only with CONFIG_PRINTK_CALLER, the ring
 *         buffer always, so there it is left out, as crash's log does.
 * Source: kernel/printk/printk_ringbuffer.c and Documentation/admin-guide/kdump/gdbmacros.txt */
#ifndef CRASHPOD_DMESG_H
#define CRASHPOD_DMESG_H

#include "core.h"

/* Takes len bytes of text; a negative errno stops the walk and is returned. Bytes that are not
 * printable come escaped as \xNN, as dmesg does; '\n' ends each line. */
typedef int (*dmesg_sink_fn)(void *arg, const char *text, size_t len);

int dmesg_write(const struct core *core, dmesg_sink_fn sink, void *arg, struct err *e);

/* The whole text in a malloc'ed, NUL-terminated buffer of at most max bytes (the newest part is
 * kept when there is more; *cut, where not NULL, gets how many bytes of the oldest are not in it).
 * *text may be set even when an error is returned (what was read). */
int dmesg_text(const struct core *core, size_t max, char **text, size_t *len, u64 *cut,
	       struct err *e);

/* Finds the line that says why the kernel died ("Kernel panic - not syncing: ...", "BUG: ...",
 * "Oops: ...", "sysrq: Trigger a crash") in dmesg text; copies it without time stamp into buf.
 * Returns 0, or -ENOENT. */
int dmesg_panic_line(const char *text, size_t len, char *buf, size_t cap);

#endif
