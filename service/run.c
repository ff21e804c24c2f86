/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/guard.h"

#define RUN_NOT_FOUND 127
#define RUN_OUT_MAX ((size_t)1 << 20)
#define RUN_SAID 400 /* of stderr, its end */

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

/* --- with what it printed --- */

struct pipe_end {
	int fd;
	char *buf;
	size_t len, cap;
	bool keep_end; /* of what does not fit: the end; else that is -EFBIG */
};

/* 1: read; 0: it is at its end; -errno. */
static int end_read(struct pipe_end *p)
{
	char chunk[4096];
	ssize_t n = read(p->fd, chunk, sizeof(chunk));
	size_t got = n > 0 ? (size_t)n : 0;

	if (n <= 0)
		return n < 0 && errno != EINTR ? -errno : n < 0;
	if (got > p->cap - p->len && !p->keep_end)
		return -EFBIG;
	if (got > p->cap) {
		memmove(chunk, chunk + got - p->cap, p->cap);
		got = p->cap;
	}
	if (got > p->cap - p->len) {
		size_t drop = got - (p->cap - p->len);

		memmove(p->buf, p->buf + drop, p->len - drop);
		p->len -= drop;
	}
	memcpy(p->buf + p->len, chunk, got);
	p->len += got;
	return 1;
}

static int ends_read(struct pipe_end *ends)
{
	struct pollfd p[2] = { { .fd = ends[0].fd, .events = POLLIN },
			       { .fd = ends[1].fd, .events = POLLIN } };

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		for (unsigned i = 0; i < 2; i++) {
			int rc = p[i].fd >= 0 && p[i].revents ? end_read(&ends[i]) : 1;

			if (rc < 0)
				return rc;
			if (!rc)
				p[i].fd = -1;
		}
	}
	return 0;
}

static _Noreturn void child_piped(const char *const argv[], int out, int said)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(said, 2) < 0)
		_exit(126);
	child(argv);
}

/* The last line of what was said, as the message. */
static int say_last(struct pipe_end *said, int rc, struct err *e)
{
	char *line;

	while (said->len && said->buf[said->len - 1] == '\n')
		said->len--;
	said->buf[said->len] = '\0';
	line = strrchr(said->buf, '\n');
	line = line ? line + 1 : said->buf;
	return line[0] ? err_set(e, rc, "%s", line) : rc;
}

int run_read(const char *const argv[], char **out, struct err *e)
{
	char said_buf[RUN_SAID + 1];
	struct pipe_end ends[2] = { { .cap = RUN_OUT_MAX },
				    { .buf = said_buf, .cap = RUN_SAID, .keep_end = true } };
	_cleanup_free_ char *buf = malloc(RUN_OUT_MAX + 1);
	int a[2], b[2], rc, reading;
	pid_t pid;

	*out = NULL;
	if (!buf || pipe2(a, O_CLOEXEC))
		return err_sys(e, buf ? -errno : -ENOMEM, "%s", argv[0]);
	if (pipe2(b, O_CLOEXEC)) {
		rc = -errno;
		close(a[0]);
		close(a[1]);
		return err_sys(e, rc, "%s", argv[0]);
	}
	pid = fork();
	if (pid == 0)
		child_piped(argv, a[1], b[1]);
	rc = -errno;
	close(a[1]);
	close(b[1]);
	ends[0].fd = a[0];
	ends[0].buf = buf;
	ends[1].fd = b[0];
	reading = pid > 0 ? ends_read(ends) : 0;
	/* closed before it is waited for: what still writes gets SIGPIPE */
	close(a[0]);
	close(b[0]);
	if (pid < 0)
		return err_sys(e, rc, "%s: fork", argv[0]);
	rc = reap(pid, argv[0], e);
	if (reading)
		return err_sys(e, reading, "%s: what it printed", argv[0]);
	if (rc && rc != -EIO)
		return rc;
	buf[ends[0].len] = '\0';
	*out = guard_take_ptr(buf);
	return rc ? say_last(&ends[1], rc, e) : 0;
}
