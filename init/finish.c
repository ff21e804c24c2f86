/* SPDX-License-Identifier: GPL-2.0-or-later */
/* finish.c - the end of the machine, one way or another. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "../dumper/base/clock.h"
#include "outcome.h"
#include "steps.h"
#include "summary.h"
#include "watchdog.h"

/* What a driver's shutdown may take before the machine is ended without it. */
#define SHUTDOWN_S 30

static const struct {
	unsigned command;
	char sysrq; /* the way without drivers; 0: none */
} actions[] = {
	[CONF_REBOOT] = { RB_AUTOBOOT, 'b' },
	[CONF_POWEROFF] = { RB_POWER_OFF, 'o' },
	[CONF_HALT] = { RB_HALT_SYSTEM, 0 },
};

/* What was released is on its disk; a target that hangs would only make all of it wait. */
int step_sync(struct init *in, const struct step *s, struct err *e)
{
	return in->hung ? STEP_SKIP : step_child(in, s, e);
}

int step_sync_child(struct init *in, struct err *e)
{
	(void)in;
	(void)e;
	sync();
	return 0;
}

static void sysrq(char key)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, &key, 1) != 1)
		clock_sleep_ms(1000);
	close(fd);
}

/* reboot(2) waits for every driver, and one of them may wait for ever. */
static void guard_shutdown(char key)
{
	if (!key || fork() != 0)
		return;
	clock_sleep_ms(SHUTDOWN_S * 1000);
	sysrq(key);
	_exit(0);
}

/* Returns only when the kernel can do none of it; main() then sleeps for ever. */
int step_finish(struct init *in, const struct step *s, struct err *e)
{
	bool good = in->outcome == OUTCOME_COMPLETE;
	enum conf_action a = outcome_action(in);
	u64 took_ms = clock_ms() - in->start_ms;

	(void)s;
	summary_say(in);
	console_say(&in->con, "%s after %llu.%llu s: %s", good ? "done" : "failed",
		    (unsigned long long)(took_ms / 1000),
		    (unsigned long long)(took_ms % 1000 / 100), outcome_action_name(a));
	console_drain(&in->con);
	if (a == CONF_REBOOT)
		watchdog_pet(in);
	else
		watchdog_stop(in);
	guard_shutdown(actions[a].sysrq);
	reboot((int)actions[a].command);
	err_sys(e, -errno, "%s", outcome_action_name(a));
	console_say(&in->con, "%s", e->msg);
	if (actions[a].sysrq)
		sysrq(actions[a].sysrq);
	return -EIO;
}
