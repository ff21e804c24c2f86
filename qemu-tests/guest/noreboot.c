/* SPDX-License-Identifier: GPL-2.0-or-later */
/* noreboot.c - PID 1 before PID 1: reboot(2) of everything after it fails, or never returns, as
 * noreboot=fail or noreboot=hang of the kernel's command line has it. Then it becomes /init. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A listener that never answers keeps the caller in the kernel; a child holds it. */
static int filter(unsigned action, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_reboot, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

int main(int argc, char **argv)
{
	const char *how = getenv("noreboot");
	int fd;

	(void)argc;
	if (how && strcmp(how, "hang") == 0) {
		fd = filter(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
		if (fd < 0)
			return 1;
		if (fork() == 0)
			for (;;)
				pause();
	} else if (filter(SECCOMP_RET_ERRNO | EPERM, 0)) {
		return 1;
	}
	execv("/init", argv);
	return 1;
}
