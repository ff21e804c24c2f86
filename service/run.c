/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/guard.h"

#define RUN_NOT_FOUND 127

static _Noreturn void child(const char *const argv[], int out)
{
	if (out >= 0 && dup2(out, STDOUT_FILENO) < 0)
		_exit(1);
	execvp(argv[0], (char *const *)argv);
	_exit(errno == ENOENT ? RUN_NOT_FOUND : 126);
}

static int reap(pid_t pid, const char *name, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, -errno, "%s: wait", name);
	if (WIFSIGNALED(status))
		return err_set(e, -EIO, "%s was killed by signal %d", name, WTERMSIG(status));
	if (WEXITSTATUS(status) == RUN_NOT_FOUND)
		return err_set(e, -ENOENT, "%s is not installed", name);
	if (WEXITSTATUS(status))
		return err_set(e, -EIO, "%s failed with exit status %d", name, WEXITSTATUS(status));
	return 0;
}

int run_wait(const char *const argv[], struct err *e)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, -errno, "%s: fork", argv[0]);
	if (pid == 0)
		child(argv, -1);
	return reap(pid, argv[0], e);
}

/* Reads to the end, so that the program never waits for us; keeps what fits. */
static void take_output(int fd, char *buf, size_t cap)
{
	char more[512];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, more, sizeof(more))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		for (ssize_t i = 0; i < n && len < cap - 1; i++)
			buf[len++] = more[i];
	}
	buf[len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

int run_line(const char *const argv[], char *buf, size_t cap, struct err *e)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0)
		return err_sys(e, -errno, "%s: pipe", argv[0]);
	_cleanup_close_ int in = ends[0];

	pid = fork();
	if (pid < 0) {
		int rc = -errno;

		close(ends[1]);
		return err_sys(e, rc, "%s: fork", argv[0]);
	}
	if (pid == 0)
		child(argv, ends[1]);
	close(ends[1]);
	take_output(in, buf, cap);
	return reap(pid, argv[0], e);
}
