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

#define SLABS 12
#define STEP_KIB 128 /* less news than that is none */

static const char *const wanted[] = {
	"MemTotal", "MemFree", "Buffers",      "Cached",      "Shmem",	    "AnonPages",
	"Mapped",   "Slab",    "SReclaimable", "KernelStack", "PageTables", "Percpu",
};

static size_t slurp(const char *path, char *buf, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	if (fd >= 0)
		close(fd);
	return len;
}

static long field(const char *meminfo, const char *name)
{
	const char *p = meminfo;
	size_t n = strlen(name);

	while (p && (strncmp(p, name, n) || p[n] != ':'))
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

/* The caches of the slab allocator that hold most. */
static void tell_slabs(int kmsg)
{
	static char buf[65536];
	char line[512];
	long told = 1L << 40;
	int n = snprintf(line, sizeof(line), "<5>footprint-slab:");

	slurp("/proc/slabinfo", buf, sizeof(buf));
	for (int i = 0; i < SLABS; i++) {
		char name[40], best[40] = "";
		long most = 0, active, objs, size;

		for (char *p = buf; p && *p; p = (p = strchr(p, '\n')) ? p + 1 : NULL) {
			if (sscanf(p, "%39s %ld %ld %ld", name, &active, &objs, &size) != 4)
				continue;
			if (objs * size > most && objs * size < told) {
				most = objs * size;
				memcpy(best, name, sizeof(best));
			}
		}
		if (!most)
			break;
		told = most;
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %s %ld", best, most / 1024);
	}
	n += snprintf(line + n, sizeof(line) - (size_t)n, "\n");
	if (write(kmsg, line, (size_t)n) < 0)
		return;
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
	tell_slabs(kmsg);
}

static void watch(void)
{
	static char meminfo[8192];
	long least = 1L << 40;
	int kmsg = -1;

	for (;; usleep(2000)) {
		long kib;

		if (slurp("/proc/meminfo", meminfo, sizeof(meminfo)) == 0)
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
