/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../dumper/base/guard.h"

/* `crashpod load --cpus N` is a wish: this is what came of it. */
static void find_cpus(struct capture *c)
{
	_cleanup_close_ int fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, c->cpus, sizeof(c->cpus) - 1);

	c->cpus[n > 0 ? n : 0] = '\0';
	c->cpus[strcspn(c->cpus, "\n")] = '\0';
}

void capture_facts(struct capture *c)
{
	struct utsname u;
	struct sysinfo si;

	memset(c, 0, sizeof(*c));
	if (uname(&u) == 0)
		snprintf(c->release, sizeof(c->release), "%.*s", (int)sizeof(c->release) - 1,
			 u.release);
	if (sysinfo(&si) == 0) {
		c->memory_kib = (u64)si.totalram * si.mem_unit / 1024;
		c->free_kib = (u64)si.freeram * si.mem_unit / 1024;
	}
	find_cpus(c);
}
