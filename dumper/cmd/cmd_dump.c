/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/io.h"
#include "../base/json.h"
#include "../classify.h"
#include "../dump.h"
#include "cmd.h"

struct dump_args {
	struct dump_opts opts;
	const char *stats, *vmcore, *out;
	bool quiet, partial;
};

enum { OPT_STATS = 256, OPT_SYNC, OPT_LEVEL, OPT_THREADS, OPT_PARTIAL, OPT_VERIFY, OPT_DIRECT };

static const struct option long_options[] = {
	{ "stats", required_argument, NULL, OPT_STATS },
	{ "sync", no_argument, NULL, OPT_SYNC },
	{ "direct", no_argument, NULL, OPT_DIRECT },
	{ "level", required_argument, NULL, OPT_LEVEL },
	{ "num-threads", required_argument, NULL, OPT_THREADS },
	{ "partial", no_argument, NULL, OPT_PARTIAL },
	{ "verify", required_argument, NULL, OPT_VERIFY },
	{ NULL, 0, NULL, 0 },
};

static bool parse_int(const char *text, long min, long max, long *v)
{
	char *end;

	errno = 0;
	*v = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *v >= min && *v <= max;
}

/* A level of the compression chosen: zstd -7..19, zlib 1..9. */
static const char *check_level(const struct dump_opts *o)
{
	int v = o->compress_level;

	if (v == 0)
		return NULL;
	if (o->compress == COMPRESS_ZLIB && (v < 1 || v > 9))
		return "a zlib level is 1 to 9";
	if (o->compress == COMPRESS_ZSTD && (v < -7 || v > 19))
		return "a zstd level is -7 to 19";
	if (o->compress == COMPRESS_NONE)
		return "-n has no level";
	return NULL;
}

static const char *set_compress(struct dump_opts *o, enum compress_kind kind, const char *level)
{
	long v = 0;

	if (level && !parse_int(level, -7, 19, &v))
		return "the compression level is not a number of its range";
	o->compress = kind;
	if (level)
		o->compress_level = (int)v;
	return NULL;
}

static const char *set_verify(struct dump_opts *o, const char *arg)
{
	for (u32 depth = VERIFY_NONE; depth <= VERIFY_FULL; depth++) {
		if (strcmp(arg, verify_depth_name(depth)) == 0) {
			o->verify = (enum verify_depth)depth;
			return NULL;
		}
	}
	return "--verify takes none, structure or full";
}

/* Returns NULL, or what is wrong. */
static const char *take_option(struct dump_args *a, int opt, const char *arg)
{
	struct dump_opts *o = &a->opts;
	long v;

	switch (opt) {
	case 'd':
		if (!parse_int(arg, 0, LEVEL_MAX, &v))
			return "-d takes a dump level of 0 to 31";
		o->level = (unsigned)v;
		return NULL;
	case 'z':
		return set_compress(o, COMPRESS_ZSTD, arg);
	case 'c':
		return set_compress(o, COMPRESS_ZLIB, arg);
	case 'n':
		return set_compress(o, COMPRESS_NONE, NULL);
	case OPT_LEVEL:
		return set_compress(o, o->compress, arg);
	case 'E':
		o->format = DUMP_ELF;
		return NULL;
	case 'F':
		o->flattened = true;
		return NULL;
	case 'e':
		o->exclude_vmemmap = true;
		return NULL;
	case 'j':
	case OPT_THREADS:
		if (!parse_int(arg, 1, 256, &v))
			return "the number of threads is 1 to 256";
		o->threads = (unsigned)v;
		return NULL;
	case OPT_STATS:
		a->stats = arg;
		return NULL;
	case OPT_DIRECT:
		o->direct = true;
		return NULL;
	case OPT_SYNC:
		o->sync = true;
		return NULL;
	case OPT_VERIFY:
		return set_verify(o, arg);
	case OPT_PARTIAL:
		a->partial = true;
		return NULL;
	case 'q':
		a->quiet = true;
		return NULL;
	default:
		return "unknown option, or its value is missing";
	}
}

static const char *parse_args(struct dump_args *a, int argc, char **argv)
{
	const char *bad = NULL;
	int opt;

	memset(a, 0, sizeof(*a));
	dump_opts_init(&a->opts);
	optind = 1;
	opterr = 0;
	while (!bad && (opt = getopt_long(argc, argv, "d:z::c::nEFej:q", long_options, NULL)) != -1)
		bad = take_option(a, opt, optarg);
	if (!bad)
		bad = check_level(&a->opts);
	if (bad)
		return bad;
	if (argc - optind != 2 || !argv[optind][0] || !argv[optind + 1][0])
		return "VMCORE and OUT are needed";
	a->vmcore = argv[optind];
	a->out = argv[optind + 1];
	if (strcmp(a->out, "-") == 0 && !a->opts.flattened)
		return "standard output takes only the flattened format (-F)";
	return NULL;
}

static void print_progress(void *arg, const struct dump_progress *p)
{
	u64 total = atomic_load(&p->pages_total), done = atomic_load(&p->pages_done);

	(void)arg;
	fprintf(stderr, "\r%s %llu%%, %llu MB written ", dump_phase_name(atomic_load(&p->phase)),
		(unsigned long long)(total ? done * 100 / total : 0),
		(unsigned long long)(atomic_load(&p->bytes_written) >> 20));
}

/* Opened before the dump, so that a name that cannot be written costs nothing. Never the vmcore; a
 * name that is also OUT then exists, and OUT is refused. */
static int open_stats(const char *path, const char *vmcore, int *fd, struct err *e)
{
	struct stat st, core;

	*fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
	if (*fd < 0)
		return err_sys(e, -errno, "--stats %s", path);
	if (fstat(*fd, &st) == 0 && stat(vmcore, &core) == 0 && st.st_dev == core.st_dev &&
	    st.st_ino == core.st_ino) {
		close(*fd);
		return err_set(e, -EINVAL, "--stats %s is the vmcore", path);
	}
	return 0;
}

static int write_stats(int fd, const char *path, const struct dump_stats *st, struct err *e)
{
	struct json j;
	int rc;

	json_init(&j);
	dump_stats_json(st, NULL, &j);
	rc = json_end(&j);
	if (rc == 0 && ftruncate(fd, 0) && errno != EINVAL)
		rc = -errno;
	if (rc == 0)
		rc = io_write_all(fd, j.buf, j.len);
	if (close(fd) && rc == 0)
		rc = -errno;
	json_deinit(&j);
	return rc ? err_sys(e, rc, "--stats %s", path) : 0;
}

static void print_summary(const struct dump_args *a, const struct dump_stats *st)
{
	const struct dump_pages *p = &st->pages;
	char out[4096];

	fprintf(stderr,
		"%s: %s, %llu of %llu pages, %llu bytes in %.2f s (level %u, %s, %u threads)\n",
		cmd_shown(out, sizeof(out), a->out), st->complete ? "complete" : "incomplete",
		(unsigned long long)p->dumped, (unsigned long long)p->ram,
		(unsigned long long)st->bytes_written, st->s_total, st->level_used, st->compression,
		st->threads);
	if (p->unreadable || p->unknown || p->no_memmap)
		fprintf(stderr,
			"%llu pages unreadable, %llu with page descriptors not understood, "
			"%llu without\n",
			(unsigned long long)p->unreadable, (unsigned long long)p->unknown,
			(unsigned long long)p->no_memmap);
}

static enum dump_result run_dump(struct dump_args *a, struct dump_stats *st)
{
	struct dump_progress progress = { 0 };
	enum dump_result result;
	struct core *core;
	struct err e = { 0 };
	char reason[sizeof(st->reason)];

	memset(st, 0, sizeof(*st));
	a->opts.progress = &progress;
	if (core_open(&core, a->vmcore, a->partial ? CORE_PARTIAL : 0, &e)) {
		cmd_fail("dump", DUMP_FAILED, &e);
		return DUMP_FAILED;
	}
	result = dump_run(core, a->out, &a->opts, st, &e);
	core_close(core);
	if (a->opts.tick)
		fputc('\n', stderr);
	if (result != DUMP_COMPLETE)
		cmd_fail("dump", result, &e);
	else if (st->reason[0])
		fprintf(stderr, "crashpod dump: warning: %s\n",
			cmd_shown(reason, sizeof(reason), st->reason));
	if (result != DUMP_FAILED && !a->quiet)
		print_summary(a, st);
	return result;
}

int cmd_dump(int argc, char **argv)
{
	struct dump_args a;
	struct dump_stats st;
	struct err e = { 0 };
	enum dump_result result;
	const char *bad = parse_args(&a, argc, argv);
	int stats_fd = -1;

	if (bad)
		return cmd_usage("dump", bad);
	/* a full disk, a limit or a closed pipe is an error to tell, not the end */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (!a.quiet && isatty(STDERR_FILENO))
		a.opts.tick = print_progress;
	a.opts.fit = true;
	if (a.stats && open_stats(a.stats, a.vmcore, &stats_fd, &e))
		return cmd_fail("dump", DUMP_FAILED, &e);
	result = run_dump(&a, &st);
	if (a.stats && write_stats(stats_fd, a.stats, &st, &e))
		cmd_fail("dump", result, &e);
	return result;
}
