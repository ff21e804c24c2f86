/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>

#define LINE 64

struct probe {
	sigjmp_buf out;
	const u8 *from;
	size_t len;
	volatile size_t at; /* how far it has come */
};

/* Of this thread. A signal handler knows nothing else, so that it cannot be handed down. */
static _Thread_local struct probe *volatile running;

/* The kernel does not always tell the address (of a machine check it does not): the probe knows. */
static void on_sigbus(int signal_no)
{
	struct probe *pr = running;

	if (pr)
		siglongjmp(pr->out, 1);
	/* what raised it is run once more, and ends the process */
	signal(signal_no, SIG_DFL);
}

int probe_init(void)
{
	/* SA_NODEFER: the handler is left by a jump, and must find the next one as well */
	struct sigaction sa = { .sa_handler = on_sigbus, .sa_flags = SA_NODEFER };

	return sigaction(SIGBUS, &sa, NULL) ? -errno : 0;
}

static void look(struct probe *pr, size_t i)
{
	pr->at = i;
	(void)*(const volatile u8 *)(pr->from + i);
}

/* A function of its own: what has been kept in registers is not known after the jump. */
static bool look_at_all(struct probe *pr)
{
	if (sigsetjmp(pr->out, 0)) {
		running = NULL;
		return false;
	}
	running = pr;
	for (size_t i = 0; i < pr->len; i += LINE)
		look(pr, i);
	look(pr, pr->len - 1);
	running = NULL;
	return true;
}

size_t probe_bytes(const u8 *p, size_t len)
{
	struct probe pr = { .from = p, .len = len };
	size_t in_page;

	if (!len || look_at_all(&pr))
		return len;
	in_page = (uintptr_t)(p + pr.at) % PAGE_SIZE;
	return pr.at > in_page ? pr.at - in_page : 0;
}
