// SPDX-License-Identifier: GPL-2.0-or-later
/* footprint.c - started as rdinit= of a capture kernel: becomes PID 1's own program, and leaves a
 * child behind that watches free memory and tells, each time there is less of it than ever
 * before, where the rest is. Lines go to the kernel's log: "footprint: NAME KiB ...". */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP_KIB 128 /* less news than that is none */

static const char *const wanted[] = {
	"MemTotal", "MemFree",	"Buffers",     "Cached",     "Shmem",  "AnonPages", "Mapped",
	"Slab",	    "SReclaimable", "KernelStack", "PageTables", "Percpu",
};

static ssize_t slurp(const char *path, char *buf, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, cap - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

static long field(const char *meminfo, const char *name)
{
	const char *p = meminfo;
	size_t n = strlen(name);

	while (p && strncmp(p, name, n) | (p[n] != ':'))
		p = (p = strchr(p, '\n')) ? p + 1 : NULL;
	return p ? atol(p + n + 1) : 0;
}

/* Code and data of the modules that are loaded. */
static long modules_kib(void)
{
	static char buf[16384];
	long bytes = 0;

	slurp("/proc/modules", buf, sizeof(buf));
	for (char *p = buf; p && *p; p = (p = strchr(p, '\n')) ? p + 1 : NULL)
		if (strchr(p, ' '))
			bytes += atol(strchr(p, ' '));
	return bytes / 1024;
}

static void tell(int kmsg, const char *meminfo)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "<5>footprint:");

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %s %ld", wanted[i],
			      field(meminfo, wanted[i]));
	n += snprintf(line + n, sizeof(line) - (size_t)n, " Modules %ld\n", modules_kib());
	if (write(kmsg, line, (size_t)n) < 0)
		return;
}

static void watch(void)
{
	static char meminfo[8192];
	long least = 1L << 40;
	int kmsg = -1;

	for (;; usleep(2000)) {
		long kib;

		if (slurp("/proc/meminfo", meminfo, sizeof(meminfo)) <= 0)
			continue;
		if (kmsg < 0)
			kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
		kib = field(meminfo, "MemFree");
		if (kmsg < 0 || kib > least - STEP_KIB)
			continue;
		least = kib;
		tell(kmsg, meminfo);
	}
}

int main(void)
{
	static char *const argv[] = { "/init", NULL };
	static char *const envp[] = { NULL };

	if (fork() == 0)
		watch();
	execve(argv[0], argv, envp);
	return 1;
}
