/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard.h - variables that are released when they go out of scope. errno is kept. For error
 * paths only: a success path closes its file itself and looks at the result. */
#ifndef CRASHPOD_GUARD_H
#define CRASHPOD_GUARD_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void guard_free(void *pp)
{
	int saved = errno;

	free(*(void **)pp);
	errno = saved;
}

static inline void guard_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

#define _cleanup_free_ __attribute__((cleanup(guard_free)))
#define _cleanup_close_ __attribute__((cleanup(guard_close)))

/* Gives the value away: the guard finds nothing to release. */
#define guard_take_ptr(p)                   \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})
#define guard_take_fd(fd)          \
	({                         \
		int taken_ = (fd); \
		(fd) = -1;         \
		taken_;            \
	})

#endif
