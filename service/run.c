/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_NOT_FOUND 127

static _Noreturn void child(const char *const argv[])
{
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
		child(argv);
	return reap(pid, argv[0], e);
}
