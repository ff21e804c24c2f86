/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/guard.h"
#include "run.h"
#include "tree.h"

/* include/uapi/linux/kexec.h */
#define KEXEC_FILE_UNLOAD 0x1UL
#define KEXEC_FILE_ON_CRASH 0x2UL
#define KEXEC_FILE_NO_INITRAMFS 0x4UL

/* The kernel has one lock for all of it, held while files are read and summed, and even by who
 * reads how much is reserved; nobody waits for it there, so that is done here. */
#define BUSY_NAP_NS 100000000L
#define BUSY_NAPS 600

static const struct {
	int code;
	const char *reason;
} reasons[] = {
	{ ENOSYS, "this kernel has no kexec (CONFIG_KEXEC_FILE or CONFIG_KEXEC)" },
	{ EADDRNOTAVAIL, "it does not fit into the reserved memory, or none is reserved: boot with "
			 "a larger crashkernel=" },
	{ ENOMEM, "out of memory, or it does not fit into the reserved memory: boot with a larger "
		  "crashkernel=" },
	{ ENOEXEC, "the kernel image's format is not accepted: give the bzImage (vmlinuz) of an "
		   "x86_64 kernel with --kernel" },
	{ EINVAL, "the running kernel refuses the image or the command line (too long, or not a "
		  "relocatable kernel); dmesg may say more" },
	{ EBUSY, "another kexec load has been under way for a minute: see what it waits for" },
	{ EKEYREJECTED, "the kernel image's signature is not by a key that this kernel trusts: use "
			"the distribution's signed kernel, or enrol its key" },
	{ ENOKEY, "the kernel image is signed with a key that this kernel does not know: use the "
		  "distribution's signed kernel, or enrol its key; or a key that is named in "
		  "/sys/kernel/config/crash_dm_crypt_keys is not in a keyring" },
	{ ENODATA, "the kernel image is not signed and this kernel wants a signature: use the "
		   "distribution's signed kernel" },
	{ EBADMSG, "the kernel image's signature is damaged: install the kernel again" },
	{ ELIBBAD, "the kernel image is damaged: install the kernel again" },
	{ ENOPKG, "the kernel image's signature uses an algorithm that this kernel has not" },
	{ EFBIG, "a file is larger than kexec takes" },
	{ ETXTBSY, "a file is being written: try again when it is whole" },
	{ EACCES, "a security policy (IMA, SELinux or another) refuses it" },
};

static const char *reason_eperm(const struct kexec_may *may)
{
	if (!may->privileged)
		return "needs root (CAP_SYS_BOOT)";
	if (may->disabled)
		return "kernel.kexec_load_disabled is 1, which stands until the next boot: load "
		       "before it is set";
	if (may->locked)
		return "kernel lockdown allows only signed kernels: use the distribution's signed "
		       "kernel and Secure Boot keys";
	return "the kernel does not allow it (CAP_SYS_BOOT missing in a container, a kexec limit "
	       "reached, or a security policy)";
}

int kexec_explain(struct err *e, int code, const char *what, const struct kexec_may *may)
{
	if (code == -EPERM)
		return err_set(e, code, "%s: %s", what, reason_eperm(may));
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].code == -code)
			return err_set(e, code, "%s: %s", what, reasons[i].reason);
	return err_sys(e, code, "%s", what);
}

static int explain_here(struct err *e, int code, const char *what)
{
	struct kexec_may may = { .privileged = geteuid() == 0 };
	char lockdown[128];
	s64 disabled = 0;

	may.disabled = !tree_number("", "/proc/sys/kernel/kexec_load_disabled", &disabled) &&
		       disabled;
	/* "none [integrity] confidentiality" */
	may.locked = !tree_line("", "/sys/kernel/security/lockdown", lockdown, sizeof(lockdown)) &&
		     !strstr(lockdown, "[none]");
	return kexec_explain(e, code, what, &may);
}

/* The old call needs purgatory code and an ELF header made in user space: kexec-tools does it. */
int kexec_load_by_tool(const struct kexec_image *image, struct err *e)
{
	char line[4096], initrd[4096];
	const char *argv[] = { "kexec", "-p", line, initrd, image->kernel, NULL };
	int n = snprintf(line, sizeof(line), "--command-line=%s", image->cmdline);
	int m = snprintf(initrd, sizeof(initrd), "--initrd=%s", image->initrd);

	if (n < 0 || m < 0 || (size_t)n >= sizeof(line) || (size_t)m >= sizeof(initrd))
		return err_set(e, -ENAMETOOLONG, "name or command line too long for kexec");
	if (run_wait(argv, e))
		return err_ctx(e, "this kernel has no kexec_file_load, and kexec-tools");
	return 0;
}

/* False: it has been long enough. */
static bool wait_turn(unsigned *naps)
{
	return ++*naps <= BUSY_NAPS &&
	       (nanosleep(&(struct timespec){ .tv_nsec = BUSY_NAP_NS }, NULL), true);
}

int kexec_reserved(const char *root, s64 *bytes)
{
	unsigned naps = 0;
	int rc;

	do
		rc = tree_number(root, KEXEC_SIZE_FILE, bytes);
	while (rc == -EBUSY && wait_turn(&naps));
	return rc;
}

/* kexec_file_load(2), when it is our turn. */
static int call(int kernel, int initrd, const char *cmdline, unsigned long flags)
{
	size_t len = cmdline ? strlen(cmdline) + 1 : 0;
	unsigned naps = 0;
	long rc;

	do
		rc = syscall(SYS_kexec_file_load, kernel, initrd, len, cmdline, flags);
	while (rc && errno == EBUSY && wait_turn(&naps));
	return rc ? -errno : 0;
}

static int file_open(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, -errno, "%s", path) : fd;
}

int kexec_load(const struct kexec_image *image, struct err *e)
{
	_cleanup_close_ int kernel = -1;
	_cleanup_close_ int initrd = -1;
	int rc;

	kernel = file_open(image->kernel, e);
	if (kernel < 0)
		return kernel;
	initrd = file_open(image->initrd, e);
	if (initrd < 0)
		return initrd;
	rc = call(kernel, initrd, image->cmdline, KEXEC_FILE_ON_CRASH);
	if (rc == -ENOSYS)
		return kexec_load_by_tool(image, e);
	return rc ? explain_here(e, rc, image->kernel) : 0;
}

int kexec_unload(struct err *e)
{
	const char *argv[] = { "kexec", "-p", "-u", NULL };
	int rc = call(-1, -1, NULL,
		      KEXEC_FILE_UNLOAD | KEXEC_FILE_ON_CRASH | KEXEC_FILE_NO_INITRAMFS);

	if (rc != -ENOSYS)
		return rc ? explain_here(e, rc, "unload") : 0;
	if (run_wait(argv, e))
		return err_ctx(e, "this kernel has no kexec_file_load, and kexec-tools");
	return 0;
}
