/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loadlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "load.h"
#include "put.h"

#define LOCK_FILE "/run/crashpod/load.lock"

u64 loadlock_now(void)
{
	struct timespec t;

	/* not the clock on the wall, which may be set back */
	if (clock_gettime(CLOCK_BOOTTIME, &t))
		return 0;
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

int loadlock_take(void)
{
	struct err e = { 0 };
	int fd = put_parents(LOCK_FILE, &e)
			 ? -1
			 : open(LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	while (fd >= 0 && flock(fd, LOCK_EX))
		if (errno != EINTR) {
			close(fd);
			return -1;
		}
	return fd;
}

bool loadlock_is_done(const char *root, u64 since)
{
	struct loaded *l = calloc(1, sizeof(*l));
	bool done = false;

	if (l && load_is_loaded(root) && !loaded_read(l, root)) {
		done = since && l->began > since;
		loaded_free(l);
	}
	free(l);
	return done;
}
