/* SPDX-License-Identifier: GPL-2.0-or-later */
/* saboteur.c - runs in place of /init in a capture kernel (rdinit=/saboteur): forks a process that
 * does harm at a given moment, then becomes /init, which knows nothing of it.
 *
 * The kernel's command line gives it its orders, as the kernel hands on what it does not know:
 *   sab_when=child:N    when PID 1 starts its Nth child
 *   sab_when=size:KIB   when a dump that is being written has that size
 *   sab_when=nmi        when a dump is being written and QEMU has sent an NMI
 *   sab_what=signal:S   that child gets signal S
 *   sab_what=eat        all memory is taken, until the child is gone; eat:S: and kept for S s more
 *   sab_what=nofork:MS  no process can be started for so long
 *   sab_what=panic      the capture kernel panics; panic:0: and panic= is 0 by then
 *   sab_what=freeze     PID 1 stops
 *   sab_times=N         for the first N children that give the occasion (1)
 *   sab_then=WHEN       the moment for all but the first of them
 *   sab_vmcore=FILE     is mounted over /proc/vmcore; a block device first gets a copy of it
 *   sab_rename=A:B      in the first 64 KiB of that copy all strings that end in A end in B,
 *                       which is as long; "CORE" is not that of VMCOREINFO */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIST "/etc/crashpod.modules"
#define CHUNK ((size_t)256 << 10)

static void say(const char *what)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	dprintf(fd, "<4>saboteur: %s", what);
	close(fd);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		say(path);
	close(fd);
}

static void nap(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static long number(const char *text)
{
	const char *colon = text ? strchr(text, ':') : NULL;

	return colon ? strtol(colon + 1, NULL, 10) : 0;
}

static int is(const char *text, const char *name)
{
	size_t n = strlen(name);

	return text && strncmp(text, name, n) == 0 && (text[n] == ':' || text[n] == '\0');
}

/* --- in place of /proc/vmcore ----------------------------------------------------------- */

/* What PID 1 would do: the disk has to be there before it begins. */
static void load_modules(void)
{
	FILE *f = fopen(LIST, "re");
	char line[1024];

	while (f && fgets(line, sizeof(line), f)) {
		char *options = strpbrk(line, " \n");
		int fd;

		if (options)
			*options++ = '\0';
		fd = open(line, O_RDONLY | O_CLOEXEC);
		syscall(SYS_finit_module, fd, "", 0);
		close(fd);
	}
	if (f)
		fclose(f);
}

static void rename_all(char *p, size_t len, const char *names)
{
	const char *to = strchr(names, ':') + 1;
	size_t n = (size_t)(to - names) - 1;

	for (size_t i = 0; i + n <= len; i++)
		if (memcmp(p + i, names, n) == 0 && (i + n == len || p[i + n] == '\0'))
			memcpy(p + i, to, n);
}

/* As much as the disk takes. */
static void copy_vmcore(const char *disk, const char *names)
{
	static char buf[CHUNK];
	int in = open("/proc/vmcore", O_RDONLY | O_CLOEXEC), out;
	off_t at = 0;
	struct stat st;

	load_modules();
	for (int i = 0; (out = open(disk, O_WRONLY | O_CLOEXEC)) < 0 && i < 100; i++)
		nap(50);
	fstat(in, &st);
	while (at < st.st_size) {
		size_t want = st.st_size - at < (off_t)CHUNK ? (size_t)(st.st_size - at) : CHUNK;
		char *map = mmap(NULL, want, PROT_READ, MAP_PRIVATE, in, at);
		ssize_t n = map == MAP_FAILED ? pread(in, buf, want, at) : (ssize_t)want;

		if (map != MAP_FAILED) {
			memcpy(buf, map, want);
			munmap(map, want);
		}
		if (n <= 0)
			break;
		if (names && at == 0)
			rename_all(buf, (size_t)n < 65536 ? (size_t)n : 65536, names);
		if (pwrite(out, buf, (size_t)n, at) != n)
			break;
		at += n;
	}
	fsync(out);
	close(out);
	close(in);
	put("/proc/sys/vm/drop_caches", "3");
	say("the vmcore is copied");
}

static void replace_vmcore(const char *file)
{
	if (strncmp(file, "/dev/", 5) == 0)
		copy_vmcore(file, getenv("sab_rename"));
	if (mount(file, "/proc/vmcore", NULL, MS_BIND, NULL))
		say("nothing is mounted over /proc/vmcore");
}

/* --- the moment ------------------------------------------------------------------------- */

/* PID 1's newest child other than this process, 0 when there is none. */
static pid_t child_of_init(void)
{
	char text[256] = "", *at = text;
	int fd = open("/proc/1/task/1/children", O_RDONLY | O_CLOEXEC);
	pid_t last = 0;

	if (read(fd, text, sizeof(text) - 1) < 0)
		say("no list of children");
	close(fd);
	for (;;) {
		pid_t pid = (pid_t)strtol(at, &at, 10);

		if (pid <= 0)
			return last;
		if (pid != getpid())
			last = pid;
	}
}

/* The size of the dump that a process has open, in KiB; -1: none. */
static long dump_kib(pid_t pid)
{
	char name[64], to[256];
	struct dirent *d;
	long kib = -1;
	DIR *dir;

	snprintf(name, sizeof(name), "/proc/%d/fd", (int)pid);
	dir = opendir(name);
	while (dir && (d = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), d->d_name, to, sizeof(to) - 1);
		struct stat st;

		to[n > 0 ? n : 0] = '\0';
		if (strstr(to, "/dump.") && strstr(to, "-incomplete") &&
		    fstatat(dirfd(dir), d->d_name, &st, 0) == 0)
			kib = (long)(st.st_blocks / 2);
	}
	if (dir)
		closedir(dir);
	return kib;
}

static int nmi_came(void)
{
	FILE *f = fopen("/proc/interrupts", "re");
	char line[256];
	long n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		char *at = strstr(line, "NMI:");

		if (at)
			n = strtol(at + strlen("NMI:"), NULL, 10);
	}
	if (f)
		fclose(f);
	return n > 0;
}

static int is_moment(const char *when, pid_t pid, long seen)
{
	if (is(when, "child"))
		return seen >= number(when);
	return dump_kib(pid) >= number(when) && (!is(when, "nmi") || nmi_came());
}

static pid_t wait_for_moment(const char *when, pid_t before)
{
	static long seen;
	static pid_t last;

	/* children come and go; a dump takes longer, and is not to be slowed down */
	for (;; nap(is(when, "child") ? 1 : 10)) {
		pid_t pid = child_of_init();

		if (!pid || pid == before)
			continue;
		if (pid != last)
			seen++;
		last = pid;
		if (is_moment(when, pid, seen))
			return pid;
	}
}

/* --- the harm --------------------------------------------------------------------------- */

static void eat(pid_t pid, long keep_s)
{
	put("/proc/self/oom_score_adj", "-1000");
	for (size_t n = 0; kill(pid, 0) == 0; n += CHUNK) {
		char *p = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		for (size_t i = 0; p != MAP_FAILED && i < CHUNK; i += 4096)
			p[i] = 1;
		nap(1);
	}
	nap(keep_s * 1000);
	/* exec gives all of it back */
	execl("/saboteur", "/saboteur", "again", NULL);
}

static void nofork(long ms)
{
	put("/proc/sys/kernel/threads-max", "20");
	nap(ms);
	put("/proc/sys/kernel/threads-max", "1000");
}

static void freeze(void)
{
	int status;

	if (ptrace(PTRACE_SEIZE, 1, NULL, NULL) || ptrace(PTRACE_INTERRUPT, 1, NULL, NULL))
		say("PID 1 cannot be stopped");
	waitpid(1, &status, __WALL);
	say("PID 1 is stopped");
	for (;;)
		pause();
}

static void harm(const char *what, pid_t pid)
{
	say(what);
	if (is(what, "signal")) {
		kill(pid, (int)number(what));
	} else if (is(what, "eat")) {
		eat(pid, number(what));
	} else if (is(what, "nofork")) {
		nofork(number(what));
	} else if (is(what, "panic")) {
		if (strchr(what, ':'))
			put("/proc/sys/kernel/panic", "0");
		put("/proc/sys/kernel/sysrq", "1");
		put("/proc/sysrq-trigger", "c");
	} else if (is(what, "freeze")) {
		freeze();
	}
}

static void sabotage(void)
{
	const char *times = getenv("sab_times"), *when = getenv("sab_when");
	struct sched_param prio = { .sched_priority = 10 };
	pid_t pid = 0;

	/* to see a child before it is gone again; musl's own function does nothing */
	syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &prio);
	for (long n = times ? strtol(times, NULL, 10) : 1; n > 0; n--) {
		pid = wait_for_moment(when, pid);
		harm(getenv("sab_what"), pid);
		when = getenv("sab_then") ? getenv("sab_then") : when;
	}
}

int main(int argc, char **argv)
{
	const char *vmcore = getenv("sab_vmcore");

	(void)argv;
	if (argc > 1 && getpid() != 1)
		return 0;
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	if (vmcore)
		replace_vmcore(vmcore);
	if (getenv("sab_what") && fork() == 0) {
		sabotage();
		return 0;
	}
	execl("/init", "/init", NULL);
	return 1;
}
