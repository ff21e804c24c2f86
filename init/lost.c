/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lost.c - no target took the dump: what is known of the death goes where it may still be found. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../dumper/base/guard.h"
#include "../dumper/base/io.h"
#include "steps.h"

/* Three seconds of a fast serial line, half a minute of a slow one. */
#define CONSOLE_BYTES ((size_t)32 << 10)
/* Firmware stores are small. */
#define PSTORE_BYTES ((size_t)16 << 10)
#define PSTORE_RECORD 1000

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

int step_lost_pstore_child(struct init *in, struct err *e)
{
	_cleanup_close_ int fd = -1;
	const char *text;
	size_t len = 0, all;

	if (mount("pstore", "/sys/fs/pstore", "pstore", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) &&
	    errno != EBUSY)
		return err_sys(e, -errno, "mount pstore");
	fd = open("/dev/pmsg0", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, -errno, "/dev/pmsg0");
	text = newest(in, PSTORE_BYTES, &len);
	for (all = len; len;) {
		size_t n = MIN(len, (size_t)PSTORE_RECORD);
		int rc = io_write_all(fd, text, n);

		if (rc)
			return err_sys(e, rc, "write /dev/pmsg0");
		text += n;
		len -= n;
	}
	snprintf(in->sh->said, sizeof(in->sh->said), "%zu bytes of the log are in pstore", all);
	return 0;
}
