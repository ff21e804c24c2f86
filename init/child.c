/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../dumper/base/clock.h"

#define TICK_MS 250
/* What SIGKILL is given to take effect: a task in the kernel ends only when it wakes up. */
#define KILL_MS 3000
/* For how long a process that cannot be started is tried again. */
#define FORK_MS 5000

/* Waits until the child ended or a tick has passed: 1 ended, 0 not, and *status is the child's. */
static int wait_tick(pid_t pid, const sigset_t *chld, u64 ms, int *status)
{
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000),
			       .tv_nsec = (long)(ms % 1000) * 1000000 };
	pid_t got = waitpid(pid, status, WNOHANG);

	/* an end between the two is seen: SIGCHLD is blocked and so stays pending */
	if (got == 0) {
		sigtimedwait(chld, NULL, &ts);
		got = waitpid(pid, status, WNOHANG);
	}
	/* ECHILD: someone has set SIGCHLD to be ignored; the child is gone all the same */
	if (got < 0 && errno == ECHILD) {
		*status = 0xff00;
		return 1;
	}
	return got == pid;
}

static bool wait_until(pid_t pid, const sigset_t *chld, const struct child_watch *w, u64 until,
		       int *status)
{
	for (;;) {
		u64 now = clock_ms();

		if (wait_tick(pid, chld, TICK_MS, status))
			return true;
		if (w->tick)
			w->tick(w->arg);
		if (now >= until)
			return false;
	}
}

/* Asks first where that is possible, then kills. */
static enum child_end stop(pid_t pid, const sigset_t *chld, const struct child_watch *w,
			   enum child_end why)
{
	int status;

	if (w->cancel) {
		atomic_store(w->cancel, 1);
		if (wait_until(pid, chld, w, clock_ms() + w->grace_ms, &status))
			return why;
	}
	kill(pid, SIGKILL);
	return wait_until(pid, chld, w, clock_ms() + KILL_MS, &status) ? why : CHILD_STUCK;
}

static enum child_end supervise(pid_t pid, const sigset_t *chld, const struct child_watch *w,
				int *signal_no)
{
	u64 start = clock_ms(), changed = start, beat = w->beat ? w->beat(w->arg) : 0;
	int status;

	while (!wait_tick(pid, chld, TICK_MS, &status)) {
		u64 now = clock_ms(), b = w->beat ? w->beat(w->arg) : 0;

		if (w->tick)
			w->tick(w->arg);
		if (b != beat) {
			beat = b;
			changed = now;
		}
		if (now - start >= w->deadline_ms)
			return stop(pid, chld, w, CHILD_TIMEOUT);
		if (w->stall_ms && now - changed >= w->stall_ms)
			return stop(pid, chld, w, CHILD_STALLED);
	}
	if (WIFSIGNALED(status)) {
		if (signal_no)
			*signal_no = WTERMSIG(status);
		return CHILD_CRASHED;
	}
	return WEXITSTATUS(status) == 0 ? CHILD_OK : CHILD_ERROR;
}

/* Memory, or a limit, may be there again in a moment. */
static pid_t fork_patiently(const struct child_watch *w)
{
	u64 start = clock_ms();
	pid_t pid;

	while ((pid = fork()) < 0 && clock_ms() - start < FORK_MS) {
		if (w->tick)
			w->tick(w->arg);
		clock_sleep_ms(TICK_MS);
	}
	return pid;
}

enum child_end child_run(int (*fn)(void *arg), void *arg, const struct child_watch *w,
			 int *signal_no)
{
	enum child_end end = CHILD_NO_FORK;
	sigset_t chld, old;
	pid_t pid;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &old);
	pid = fork_patiently(w);
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		_exit(fn(arg));
	}
	if (pid > 0)
		end = supervise(pid, &chld, w, signal_no);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return end;
}

const char *child_end_text(enum child_end end)
{
	switch (end) {
	case CHILD_OK:
		return "done";
	case CHILD_ERROR:
		return "failed";
	case CHILD_CRASHED:
		return "crashed";
	case CHILD_TIMEOUT:
		return "ran into its deadline";
	case CHILD_STALLED:
		return "made no progress";
	case CHILD_STUCK:
		return "hangs in the kernel and was left behind";
	case CHILD_NO_FORK:
		return "could not be started: no memory for a process";
	}
	return "?";
}
