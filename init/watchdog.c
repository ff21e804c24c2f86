/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../dumper/base/clock.h"
#include "steps.h"

#define TIMEOUT_S 60
#define PET_MS 1000

static int watchdog_open(struct init *in)
{
	int timeout_s = TIMEOUT_S;

	in->watchdog_fd = open("/dev/watchdog", O_WRONLY | O_CLOEXEC);
	if (in->watchdog_fd < 0)
		return -errno;
	/* drivers that cannot be set keep their own time, which is at least some seconds */
	ioctl(in->watchdog_fd, WDIOC_SETTIMEOUT, &timeout_s);
	watchdog_pet(in);
	return 0;
}

static const char opened[] = "the watchdog is open";

/* In the table twice: the device may come with a module. */
int step_watchdog(struct init *in, const struct step *s, struct err *e)
{
	int rc;

	(void)s;
	if (in->watchdog_fd >= 0)
		return STEP_SKIP;
	rc = watchdog_open(in);
	if (rc == -ENOENT && !in->watchdog_sought) {
		in->watchdog_sought = true;
		return STEP_SKIP;
	}
	if (rc == -ENOENT) {
		snprintf(in->sh->said, sizeof(in->sh->said), "there is no watchdog");
		return 0;
	}
	if (rc)
		return err_sys(e, rc, "/dev/watchdog");
	snprintf(in->sh->said, sizeof(in->sh->said), opened);
	return 0;
}

void watchdog_find(void *arg)
{
	struct init *in = arg;

	if (in->watchdog_fd < 0 && watchdog_open(in) == 0)
		init_note(in, opened);
	watchdog_pet(in);
}

void watchdog_pet(struct init *in)
{
	u64 now = clock_ms();

	if (in->watchdog_fd < 0 || (in->watchdog_ms && now - in->watchdog_ms < PET_MS))
		return;
	in->watchdog_ms = now;
	if (ioctl(in->watchdog_fd, WDIOC_KEEPALIVE, 0) && write(in->watchdog_fd, "\1", 1) < 0)
		console_say(&in->con, "the watchdog cannot be petted");
}

void watchdog_stop(struct init *in)
{
	if (in->watchdog_fd < 0)
		return;
	/* 'V' just before close() means that the close is meant */
	if (write(in->watchdog_fd, "V", 1) != 1)
		console_say(&in->con, "the watchdog cannot be stopped");
	close(in->watchdog_fd);
	in->watchdog_fd = -1;
}
