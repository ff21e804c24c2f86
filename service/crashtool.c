/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crashtool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/io.h"
#include "prog.h"

static _Noreturn void child(const char *program, const char *const argv[], int in, int out)
{
	setpgid(0, 0);
	/* a .crashrc of the working directory, which may be anybody's, is not to be obeyed */
	if (chdir("/") || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(out, STDERR_FILENO) < 0)
		_exit(126);
	execv(program, (char *const *)argv);
	_exit(127);
}

static s64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (s64)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* All that comes, of which out keeps the first; -ETIMEDOUT: not all came. */
static int read_out(int fd, unsigned limit_s, char *out, size_t cap)
{
	s64 end = now_ms() + (s64)limit_s * 1000;
	size_t len = 0;
	char rest[4096];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		s64 left = end - now_ms();
		bool room = len + 1 < cap;
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return -ETIMEDOUT;
		n = read(fd, room ? out + len : rest, room ? cap - 1 - len : sizeof(rest));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (room)
			len += (size_t)n;
		out[len] = '\0';
	}
}

static int wait_end(pid_t pid, bool kill_it, struct err *e)
{
	int status;

	if (kill_it)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, -errno, "crash: wait");
	if (kill_it)
		return err_set(e, -ETIMEDOUT, "crash does not come to an end");
	if (WIFSIGNALED(status))
		return err_set(e, -EIO, "crash was killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		return err_set(e, -EIO, "crash failed with exit status %d", WEXITSTATUS(status));
	return 0;
}

int crashtool_ask(const char *vmlinux, const char *dump, const char *commands, unsigned limit_s,
		  char *out, size_t cap, struct err *e)
{
	const char *const argv[] = { "crash", "-s", vmlinux, dump, NULL };
	char program[PATH_MAX];
	int in[2], from[2], rc = prog_find(program, "", "crash");
	pid_t pid;

	out[0] = '\0';
	if (rc)
		return err_set(e, rc, "crash is not installed");
	if (pipe2(in, O_CLOEXEC))
		return err_sys(e, -errno, "pipe");
	if (pipe2(from, O_CLOEXEC)) {
		rc = err_sys(e, -errno, "pipe");
		close(in[0]);
		close(in[1]);
		return rc;
	}
	/* it has room for the few bytes that these are; nobody has to read them */
	io_write_all(in[1], commands, strlen(commands));
	pid = fork();
	if (pid == 0)
		child(program, argv, in[0], from[1]);
	rc = pid < 0 ? err_sys(e, -errno, "fork") : 0;
	close(in[0]);
	close(in[1]);
	close(from[1]);
	if (!rc) {
		rc = read_out(from[0], limit_s, out, cap);
		rc = wait_end(pid, rc != 0, e);
	}
	close(from[0]);
	return rc;
}
