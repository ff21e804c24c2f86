/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/io.h"
#include "base/types.h"
#include "cmd/cmd.h"
#include "cmdline.h"
#include "cpus.h"
#include "kexec.h"
#include "rawcheck.h"
#include "spare.h"
#include "tree.h"

struct load_opts {
	const char *kver, *kernel, *initrd, *append, *cmdline;
	unsigned cpus; /* 0: not asked for */
};

static const struct option longopts[] = {
	{ "kernel", required_argument, NULL, 'K' },
	{ "initrd", required_argument, NULL, 'i' },
	{ "cpus", required_argument, NULL, 'n' }, /* of the capture kernel */
	{ "append", required_argument, NULL, 'a' },
	{ "cmdline", required_argument, NULL, 'c' },
	{ NULL, 0, NULL, 0 },
};

static int opts_check(const struct load_opts *o, struct err *e)
{
	if (o->append && o->cmdline)
		return err_set(e, -EINVAL, "--append and --cmdline exclude each other");
	if (o->cpus && o->cmdline)
		return err_set(e, -EINVAL, "--cpus and --cmdline exclude each other");
	if (o->cpus && cmdline_has(o->append, "nr_cpus"))
		return err_set(e, -EINVAL, "--cpus and nr_cpus= in --append exclude each other");
	if (o->kver && (strchr(o->kver, '/') || !o->kver[0]))
		return err_set(e, -EINVAL, "-k: not a kernel release");
	return 0;
}

/* 0, or -EINVAL with what is wrong. */
static int opts_read(struct load_opts *o, int argc, char **argv, struct err *e)
{
	int c, rc;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":k:", longopts, NULL)) >= 0) {
		switch (c) {
		case 'k':
			o->kver = optarg;
			break;
		case 'K':
			o->kernel = optarg;
			break;
		case 'i':
			o->initrd = optarg;
			break;
		case 'a':
			o->append = optarg;
			break;
		case 'c':
			o->cmdline = optarg;
			break;
		case 'n':
			rc = cpus_parse(optarg, &o->cpus, e);
			if (rc)
				return rc;
			break;
		case ':':
			return err_set(e, -EINVAL, "an option needs a value");
		default:
			return err_set(e, -EINVAL, "unknown option");
		}
	}
	if (optind < argc)
		return err_set(e, -EINVAL, "unknown argument");
	return opts_check(o, e);
}

static int check_reserved(struct err *e)
{
	s64 bytes;
	int rc = tree_number("", "/sys/kernel/kexec_crash_size", &bytes);

	if (rc == -ENOENT)
		return err_set(e, -ENOSYS,
			       "this kernel has no kexec for crashes (CONFIG_KEXEC_FILE, "
			       "CONFIG_CRASH_DUMP)");
	if (rc)
		return err_sys(e, rc, "/sys/kernel/kexec_crash_size");
	if (bytes <= 0)
		return err_set(e, -EADDRNOTAVAIL,
			       "no memory reserved: boot with crashkernel=SIZE on the kernel "
			       "command line");
	return 0;
}

static int make_cmdline(char line[static CMDLINE_CAP], const struct load_opts *o, struct err *e)
{
	_cleanup_free_ char *running = NULL;
	char cpus[CPUS_WORDS_CAP] = "", spare[SPARE_WORD_CAP];
	size_t len;
	int rc;

	if (o->cmdline)
		return cmdline_take(line, o->cmdline, e);
	rc = io_read_file("/proc/cmdline", 1 << 16, &running, &len, e);
	if (!rc && o->cpus)
		rc = cpus_words(cpus, "", o->cpus, running, o->append, e);
	if (rc)
		return rc;
	spare_word(spare, "");
	return cmdline_make(line, running, cpus, spare, o->append, e);
}

static int check_initrd(const char *path, const char *kver, struct err *e)
{
	if (!access(path, R_OK))
		return 0;
	return err_set(e, -errno, "no initramfs %s: %s; make it with crashpod-mkinitrd -k %s", path,
		       strerror(errno), kver);
}

static int load(const struct load_opts *o, const char *kver, struct err *e)
{
	char kernel[PATH_MAX], initrd[PATH_MAX], line[CMDLINE_CAP];
	struct kexec_image image = { o->kernel, o->initrd, line };
	int rc = check_reserved(e);

	if (rc)
		return rc;
	if (!image.kernel) {
		rc = tree_kernel(kernel, "", kver, e);
		if (rc)
			return rc;
		image.kernel = kernel;
	}
	if (!image.initrd) {
		rc = tree_path(initrd, "", TREE_INITRD, kver);
		if (rc)
			return err_sys(e, rc, "initramfs of %s", kver);
		image.initrd = initrd;
	}
	rc = check_initrd(image.initrd, kver, e);
	if (rc)
		return rc;
	rc = make_cmdline(line, o, e);
	if (rc < 0)
		return rc;
	rc = kexec_load(&image, e);
	if (rc)
		return rc;
	printf("loaded %s with %s\ncommand line: %s\n", image.kernel, image.initrd, line);
	return 0;
}

/* The kernel's own word on it: 1 loaded, 0 not. */
static int check_loaded(s64 want, struct err *e)
{
	s64 loaded;
	int rc = tree_number("", "/sys/kernel/kexec_crash_loaded", &loaded);

	if (rc)
		return err_sys(e, rc, "/sys/kernel/kexec_crash_loaded");
	if (loaded != want)
		return err_set(e, -EIO, "the kernel says that a capture kernel is %s loaded",
			       loaded ? "still" : "not");
	return 0;
}

static void warn(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "crashpod load: warning: %s\n", line);
}

int cmd_load(int argc, char **argv)
{
	struct load_opts o = { 0 };
	struct err e = { 0 };
	struct utsname u;

	if (opts_read(&o, argc, argv, &e))
		return cmd_usage(argv[0], e.msg);
	if (uname(&u)) {
		err_sys(&e, -errno, "uname");
		return cmd_fail(argv[0], 1, &e);
	}
	if (load(&o, o.kver ? o.kver : u.release, &e) || check_loaded(1, &e))
		return cmd_fail(argv[0], 1, &e);
	/* other targets may do, and what is in the initramfs may be another configuration */
	rawcheck_all("", warn, NULL);
	return 0;
}

int cmd_unload(int argc, char **argv)
{
	struct err e = { 0 };

	if (argc > 1)
		return cmd_usage(argv[0], "takes no options");
	if (kexec_unload(&e) || check_loaded(0, &e))
		return cmd_fail(argv[0], 1, &e);
	return 0;
}
