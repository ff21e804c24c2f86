/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lost.c - no target took the dump: what is known of the death goes where it may still be found. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../dumper/base/guard.h"
#include "../dumper/base/io.h"
#include "kmsg.h"
#include "steps.h"

/* Three seconds of a fast serial line, half a minute of a slow one. */
#define CONSOLE_BYTES ((size_t)32 << 10)
/* Firmware stores are small. */
#define PSTORE_BYTES ((size_t)16 << 10)
#define PSTORE_RECORD 1000
/* pstore.kmsg_bytes is 10 KiB by default, with a stamp on each line. */
#define KMSG_BYTES ((size_t)8 << 10)
/* KMSG_DUMP_SHUTDOWN. Source: Documentation/admin-guide/ramoops.rst */
#define RAMOOPS_SHUTDOWN 4

/* The newest part of the log, from the start of a line. */
static const char *newest(const struct init *in, size_t max, size_t *len)
{
	size_t all = MIN(atomic_load(&in->sh->text_len), in->text_cap), n = MIN(all, max);
	const char *p = in->text + (all - n), *nl;

	if (n < all) {
		nl = memchr(p, '\n', n);
		if (nl) {
			n -= (size_t)(nl + 1 - p);
			p = nl + 1;
		}
	}
	*len = n;
	return p;
}

int step_lost(struct init *in, const struct step *s, struct err *e)
{
	return in->text && atomic_load(&in->sh->text_len) ? step_child(in, s, e) : STEP_SKIP;
}

int step_lost_console_child(struct init *in, struct err *e)
{
	const char *text;
	size_t len = 0;

	(void)e;
	text = newest(in, CONSOLE_BYTES, &len);
	console_say(&in->con, "the dead kernel's log, its last %zu bytes:", len);
	console_text(&in->con, text, len);
	console_say(&in->con, "end of the dead kernel's log");
	return 0;
}

/* A sysfs parameter or sysctl as text without its newline; empty where it is not there. */
static void read_word(const char *path, char *out, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, cap - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

static void write_word(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, word, strlen(word)) < 0) {
		/* then the kernel's own setting stands */
	}
	close(fd);
}

static int to_pmsg(int fd, const char *text, size_t len, struct err *e)
{
	while (len) {
		size_t n = MIN(len, (size_t)PSTORE_RECORD);
		int rc = io_write_all(fd, text, n);

		if (rc)
			return err_sys(e, rc, "write /dev/pmsg0");
		text += n;
		len -= n;
	}
	return 0;
}

/* Kernels without /dev/pmsg0 (Debian's are): pstore stores the end of the kernel's own log when it
 * panics, and with always_kmsg_dump also when it is shut down. So the dead one's goes in there. */
static int to_own_log(const char *backend, const char *text, size_t len, struct err *e)
{
	char reason[16], devkmsg[16];
	int rc;

	read_word("/sys/module/ramoops/parameters/max_reason", reason, sizeof(reason));
	if (strcmp(backend, "ramoops") == 0 && *reason && strcmp(reason, "0") != 0 &&
	    atoi(reason) < RAMOOPS_SHUTDOWN)
		return err_set(e, -ENOTSUP,
			       "ramoops takes panics only: its module needs max_reason=4");
	write_word("/sys/module/printk/parameters/always_kmsg_dump", "Y");
	write_word("/proc/sys/kernel/printk_devkmsg", "on"); /* no rate limit */
	read_word("/proc/sys/kernel/printk_devkmsg", devkmsg, sizeof(devkmsg));
	if (strcmp(devkmsg, "on") != 0)
		return err_set(e, -EPERM, "the command line has printk.devkmsg=%s", devkmsg);
	rc = kmsg_write_lines(text, len);
	return rc ? err_sys(e, rc, "write /dev/kmsg") : 0;
}

int step_lost_pstore_child(struct init *in, struct err *e)
{
	_cleanup_close_ int fd = open("/dev/pmsg0", O_WRONLY | O_CLOEXEC);
	char backend[32];
	const char *text;
	size_t len = 0;
	int rc;

	read_word("/sys/module/pstore/parameters/backend", backend, sizeof(backend));
	if (!*backend || strcmp(backend, "(null)") == 0)
		return err_set(e, -ENODEV, "this kernel has no pstore");
	text = newest(in, fd < 0 ? KMSG_BYTES : PSTORE_BYTES, &len);
	rc = fd < 0 ? to_own_log(backend, text, len, e) : to_pmsg(fd, text, len, e);
	if (rc)
		return rc;
	snprintf(in->sh->said, sizeof(in->sh->said), "%zu bytes of the log %s pstore (%s)%s", len,
		 fd < 0 ? "go to" : "are in", backend, fd < 0 ? " with the kernel's end" : "");
	return 0;
}
