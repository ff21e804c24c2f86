/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cryptkeys.h"
#include "base/guard.h"
#include "base/io.h"
#include "cpus.h"
#include "kexec.h"
#include "keys.h"
#include "loadlock.h"
#include "spare.h"
#include "tree.h"

#define HELD_NAME 40

static const struct option longopts[] = {
	{ "kernel", required_argument, NULL, 'K' }, { "initrd", required_argument, NULL, 'i' },
	{ "cpus", required_argument, NULL, 'n' }, /* of the capture kernel */
	{ "append", required_argument, NULL, 'a' }, { "cmdline", required_argument, NULL, 'c' },
	{ "again", no_argument, NULL, 'A' },	    { NULL, 0, NULL, 0 },
};

static int opts_check(const struct load_opts *o, int argc, struct err *e)
{
	if (o->again && argc > 2)
		return err_set(e, -EINVAL, "--again takes the options of the load before");
	if (o->append && o->cmdline)
		return err_set(e, -EINVAL, "--append and --cmdline exclude each other");
	if (o->cpus && o->cmdline)
		return err_set(e, -EINVAL, "--cpus and --cmdline exclude each other");
	if (o->cpus && cmdline_has(o->append, "nr_cpus"))
		return err_set(e, -EINVAL, "--cpus and nr_cpus= in --append exclude each other");
	if (o->kver && (strchr(o->kver, '/') || !o->kver[0]))
		return err_set(e, -EINVAL, "-k: not a kernel release");
	if (argc - 1 > LOADED_OPTIONS_MAX)
		return err_set(e, -EINVAL, "too many options");
	return 0;
}

int load_opts_read(struct load_opts *o, int argc, char **argv, struct err *e)
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
		case 'A':
			o->again = true;
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
	return opts_check(o, argc, e);
}

static int check_reserved(struct err *e)
{
	s64 bytes;
	int rc = kexec_reserved("", &bytes);

	if (rc == -ENOENT)
		return err_set(e, -ENOSYS,
			       "this kernel has no kexec for crashes (CONFIG_KEXEC_FILE, "
			       "CONFIG_CRASH_DUMP)");
	if (rc)
		return err_sys(e, rc, KEXEC_SIZE_FILE);
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

	if (o->cmdline) {
		rc = cmdline_take(line, o->cmdline, e);
		return rc < 0 ? rc : 0;
	}
	rc = io_read_file("/proc/cmdline", 1 << 16, &running, &len, e);
	if (!rc && o->cpus)
		rc = cpus_words(cpus, "", o->cpus, running, o->append, e);
	if (rc)
		return rc;
	spare_word(spare, "");
	rc = cmdline_make(line, running, cpus, spare, o->append, e);
	return rc < 0 ? rc : 0;
}

static int check_initrd(const char *path, const char *kver, struct err *e)
{
	if (!access(path, R_OK))
		return 0;
	return err_set(e, -errno, "no initramfs %s: %s; make it with crashpod refresh -k %s", path,
		       strerror(errno), kver);
}

/* A path as given, from the root on: the record is read in another directory. */
static int path_take(char out[static PATH_MAX], const char *path, struct err *e)
{
	_cleanup_free_ char *real = path[0] == '/' ? NULL : realpath(path, NULL);
	int n;

	if (path[0] != '/' && !real)
		return err_sys(e, -errno, "%s", path);
	n = snprintf(out, PATH_MAX, "%s", real ? real : path);
	return n < 0 || n >= PATH_MAX ? err_sys(e, -ENAMETOOLONG, "%s", path) : 0;
}

static int find_files(struct loaded *l, const struct load_opts *o, struct err *e)
{
	int rc = o->kernel ? path_take(l->kernel, o->kernel, e)
			   : tree_kernel(l->kernel, "", l->release, e);

	if (rc)
		return rc;
	if (o->initrd)
		rc = path_take(l->initrd, o->initrd, e);
	else if ((rc = tree_path(l->initrd, "", TREE_INITRD, l->release)))
		err_sys(e, rc, "initramfs of %s", l->release);
	return rc ? rc : check_initrd(l->initrd, l->release, e);
}

bool load_is_loaded(const char *root)
{
	s64 loaded = 0, bytes;

	if (tree_number(root, "/sys/kernel/kexec_crash_loaded", &loaded))
		return false;
	/* while one is loaded in the place of another there is none: what comes of it counts */
	if (!loaded && !kexec_reserved(root, &bytes))
		tree_number(root, "/sys/kernel/kexec_crash_loaded", &loaded);
	return loaded == 1;
}

bool load_was_lost(const char *root)
{
	_cleanup_free_ struct loaded *l = calloc(1, sizeof(*l));
	s64 loaded;
	bool lost = l && !tree_number(root, "/sys/kernel/kexec_crash_loaded", &loaded) &&
		    !load_is_loaded(root) && !loaded_read(l, root);

	if (lost)
		loaded_free(l);
	return lost;
}

/* The kernel's own word on it. */
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

/* Several make one line, as far as it goes. */
static void add_warning(void *arg, const char *line)
{
	struct err *w = arg;
	size_t n = strlen(w->msg);

	snprintf(w->msg + n, sizeof(w->msg) - n, "%s%s", n ? "; " : "", line);
}

static void record(struct loaded *l, struct err *warning)
{
	struct err e = { 0 };

	/* it is loaded: a record less makes nothing worse, but that it was of something else */
	if (!loaded_write(l, "", &e))
		return;
	add_warning(warning, e.msg);
	loaded_remove("", NULL);
}

/* The file under a name that stays that of this file, for this process and its children, whatever
 * is put in its place meanwhile. */
static int hold(const char *path, char name[static HELD_NAME], struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, -errno, "%s", path);
	snprintf(name, HELD_NAME, "/proc/%d/fd/%d", (int)getpid(), fd);
	return fd;
}

/* What is recorded is what was loaded: both are read from the same open files. */
static int load_held(struct loaded *l, const char *line, struct err *warning, struct err *e)
{
	char kernel_name[HELD_NAME], initrd_name[HELD_NAME];
	_cleanup_close_ int kernel = -1;
	_cleanup_close_ int initrd = -1;
	int rc;

	kernel = hold(l->kernel, kernel_name, e);
	if (kernel < 0)
		return kernel;
	initrd = hold(l->initrd_from ? l->initrd_from : l->initrd, initrd_name, e);
	if (initrd < 0)
		return initrd;
	l->kernel_from = kernel_name;
	l->initrd_from = initrd_name;
	rc = kexec_load(&(struct kexec_image){ kernel_name, initrd_name, line, l->kernel }, e);
	if (!rc)
		rc = check_loaded(1, e);
	if (!rc)
		record(l, warning);
	l->kernel_from = l->initrd_from = NULL;
	return rc;
}

int load_run(const struct load_opts *o, char **argv, struct loaded *l,
	     char line[static CMDLINE_CAP], struct err *warning, struct err *e)
{
	struct utsname u;
	int rc = uname(&u) ? err_sys(e, -errno, "uname") : check_reserved(e);

	memset(l, 0, sizeof(*l));
	if (rc)
		return rc;
	snprintf(l->release, sizeof(l->release), "%s", o->kver ? o->kver : u.release);
	l->when = time(NULL);
	l->began = loadlock_now();
	for (unsigned i = 0; i < LOADED_OPTIONS_MAX && argv[i]; i++)
		l->options[i] = argv[i];
	rc = find_files(l, o, e);
	if (!rc)
		rc = make_cmdline(line, o, e);
	if (rc < 0)
		return rc;
	l->initrd_from = o->initrd_from;
	warning->msg[0] = '\0';
	/* before the call: that is when the kernel copies them */
	keys_hand_over("", cryptkeys_find, add_warning, warning);
	return load_held(l, line, warning, e);
}

int load_again(struct loaded *l, const char *initrd_from, char line[static CMDLINE_CAP],
	       struct err *warning, struct err *e)
{
	char name[] = "load", *argv[LOADED_OPTIONS_MAX + 2] = { name };
	struct load_opts o = { 0 };
	struct loaded before;
	int argc = 1, rc;

	rc = loaded_read(&before, "");
	if (rc)
		return err_sys(e, rc, "how it was loaded is not known: " LOADED_FILE);
	for (unsigned i = 0; before.options[i]; i++)
		argv[argc++] = before.options[i];
	rc = load_opts_read(&o, argc, argv, e);
	if (!rc && o.again)
		rc = err_set(e, -EINVAL, LOADED_FILE ": --again");
	o.initrd_from = initrd_from;
	/* getopt_long() may have changed the order, which is all the same to it */
	if (!rc)
		rc = load_run(&o, argv + 1, l, line, warning, e);
	memset(l->options, 0, sizeof(l->options));
	l->initrd_from = NULL;
	loaded_free(&before);
	return rc;
}

int load_unload(struct err *e)
{
	int rc = kexec_unload(e);

	if (!rc)
		keys_take_back("");
	if (!rc)
		rc = check_loaded(0, e);
	return rc ? rc : loaded_remove("", e);
}
