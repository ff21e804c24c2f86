/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sinks, and dumps into sinks that fail: at every write of a tiny dump, what is left must be
 * nothing, or a file that opens and holds no wrong page. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../base/bits.h"
#include "../dump.h"
#include "../sink.h"
#include "lib_faultsink.h"
#include "lib_golden.h"
#include "lib_threads.h"

static struct scratch scratch;
static struct golden golden;
static const u8 zeros[PAGE_SIZE];

/* What is left of a dump that failed. */
struct remains {
	bool incomplete; /* it says so */
	unsigned right, missing, zero;
};

/* ELF has no other way to say that a page, or the rest of one, was not written. */
static bool right_or_zero(const u8 *bytes, const u8 *want)
{
	for (size_t i = 0; want && i < PAGE_SIZE; i++) {
		if (bytes[i] && bytes[i] != want[i])
			return false;
	}
	return want;
}

static void judge_page(const struct golden_page *p, const char *what, struct source *s,
		       struct window *w, struct remains *r)
{
	const u8 *bytes;
	size_t got;
	struct err e = { 0 };
	int rc = window_get(w, p->pfn << PAGE_SHIFT, PAGE_SIZE, &bytes, &got, &e);

	if (rc == -ENODATA && p->zero && strcmp(s->ops->name, "elf") == 0) {
		r->right++; /* level 1 leaves it out */
	} else if (rc == -ENODATA || (rc == -EBADMSG && s->incomplete)) {
		/* a descriptor of which only half was written is not believed */
		r->missing++;
	} else if (rc || got != PAGE_SIZE) {
		fail_msg("%s: pfn %#llx: %s", what, (unsigned long long)p->pfn, e.msg);
	} else if (memcmp(bytes, p->bytes ? p->bytes : zeros, PAGE_SIZE) == 0) {
		r->right++;
	} else {
		if (strcmp(s->ops->name, "elf") != 0 || !right_or_zero(bytes, p->bytes))
			fail_msg("%s: pfn %#llx: wrong bytes", what, (unsigned long long)p->pfn);
		r->zero++;
	}
}

/* Opens what is left and looks at each page the dump should have. A stream that could not be ended
 * is only read by who asks for it. */
static struct remains judge_remains(const char *what, const char *path, unsigned level, bool stream)
{
	struct remains r = { 0 };
	struct source *s;
	struct window w;
	struct err e = { 0 };
	int rc = source_open(&s, path, 0, &e);

	if (rc && stream && strstr(e.msg, "ends early"))
		rc = source_open(&s, path, SOURCE_PARTIAL, &e);
	if (rc)
		fail_msg("%s: does not open: %s", what, e.msg);
	r.incomplete = s->incomplete;
	assert_int_equal(window_open(&w, s, 64 << 10, &e), 0);
	for (size_t i = 0; i < golden.npages; i++) {
		if (golden_kept(&golden.pages[i], level))
			judge_page(&golden.pages[i], what, s, &w, &r);
	}
	window_close(&w);
	source_close(s);
	return r;
}

/* After a dump into scratch/out: that result, directory and file agree. Returns the result. */
static enum dump_result judge(const char *what, enum dump_result result, const struct dump_opts *o,
			      const struct err *e)
{
	char names[256], path[256];
	struct remains r;

	scratch_list(&scratch, names, sizeof(names));
	switch (result) {
	case DUMP_FAILED:
		if (strcmp(names, "vmcore") != 0)
			fail_msg("%s: failed (%s), but there is %s", what, e->msg, names);
		break;
	case DUMP_INCOMPLETE:
		if (strcmp(names, "out-incomplete vmcore") != 0)
			fail_msg("%s: incomplete (%s), but there is %s", what, e->msg, names);
		scratch_path(&scratch, path, sizeof(path), "out-incomplete");
		r = judge_remains(what, path, o->level, o->flattened);
		/* the one thing worse than a page that is missing is not to say so */
		if (!r.incomplete && (r.missing || r.zero))
			fail_msg("%s: %u pages are missing, and it does not say so", what,
				 r.missing + r.zero);
		unlink(path);
		break;
	case DUMP_COMPLETE:
		if (strcmp(names, "out vmcore") != 0)
			fail_msg("%s: complete, but there is %s", what, names);
		scratch_path(&scratch, path, sizeof(path), "out");
		r = judge_remains(what, path, o->level, false);
		if (r.incomplete || r.missing || r.zero)
			fail_msg("%s: complete, but %u pages are missing", what, r.missing);
		unlink(path);
		break;
	}
	return result;
}

static struct dump_opts make_opts(enum dump_format format, unsigned level, unsigned threads)
{
	struct dump_opts o;

	dump_opts_init(&o);
	o.format = format;
	o.level = level;
	o.threads = test_threads(threads);
	o.sync = true;
	return o;
}

/* Fails each call of one dump in turn; returns how many there were. */
static unsigned fail_each_call(const struct dump_opts *o, const struct fault *how)
{
	unsigned seen[4] = { 0 };

	for (unsigned at = 1;; at++) {
		struct fault f = *how;
		struct dump_stats st;
		struct sink *file;
		struct err e = { 0 };
		enum dump_result result;
		char what[128], out[256];

		f.at = at;
		snprintf(what, sizeof(what), "%s -d %u, call %u fails (%s%s%s)",
			 o->format == DUMP_ELF ? "ELF" : "kdump", o->level, at, strerror(-f.code),
			 f.forever ? ", for ever" : "", f.torn ? ", torn" : "");
		scratch_path(&scratch, out, sizeof(out), "out");
		assert_int_equal(sink_file_open(&file, out, false, &e), 0);
		result = dump_run_sink(golden.core, fault_sink_open(file, &f), o, &st, &e);
		judge(what, result, o, &e);
		seen[result]++;
		if (!f.where) {
			assert_int_equal(result, DUMP_COMPLETE);
			break;
		}
		if (result == DUMP_COMPLETE)
			fail_msg("%s: %s failed and nobody noticed", what, f.where);
		if (!strstr(st.reason, strerror(-f.code)))
			fail_msg("%s: reason: %s", what, st.reason);
		assert_false(st.complete);
	}
	assert_int_equal(seen[DUMP_COMPLETE], 1);
	assert_true(seen[DUMP_FAILED] > 0 && seen[DUMP_INCOMPLETE] > 0);
	return seen[DUMP_FAILED] + seen[DUMP_INCOMPLETE];
}

static void test_every_call_fails(void **state)
{
	static const struct fault hows[] = {
		{ .code = -ENOSPC, .forever = true },
		{ .code = -ENOSPC, .forever = true, .torn = true },
		{ .code = -EIO },
		{ .code = -EIO, .torn = true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
		for (unsigned k = 0; k < 8; k++) {
			struct dump_opts o = make_opts(k % 2 ? DUMP_ELF : DUMP_KDUMP,
						       k & 2 ? 31 : 0, k & 4 ? 2 : 1);

			assert_true(fail_each_call(&o, &hows[i]) > 5);
		}
	}
}

/* The file may grow to limit bytes, as when a disk is full. */
static enum dump_result run_limited(const struct dump_opts *o, u64 limit)
{
	struct rlimit old, now;
	struct dump_stats st;
	struct err e = { 0 };
	enum dump_result result;
	char what[80], out[256];

	snprintf(what, sizeof(what), "%s%s, %llu bytes of room",
		 o->format == DUMP_ELF ? "ELF" : "kdump", o->flattened ? " -F" : "",
		 (unsigned long long)limit);
	scratch_path(&scratch, out, sizeof(out), "out");
	getrlimit(RLIMIT_FSIZE, &old);
	now = (struct rlimit){ limit, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &now);
	result = dump_run(golden.core, out, o, &st, &e);
	setrlimit(RLIMIT_FSIZE, &old);
	return judge(what, result, o, &e);
}

static void test_disk_full(void **state)
{
	static const struct {
		enum dump_format format;
		bool flattened;
		u64 step;
		unsigned threads;
	} t[] = { { DUMP_KDUMP, false, 997, 1 },
		  { DUMP_KDUMP, true, 499, 1 },
		  { DUMP_KDUMP, true, 997, 2 },
		  { DUMP_ELF, false, 9973, 1 } };

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct dump_opts o = make_opts(t[i].format, 31, t[i].threads);
		unsigned seen[4] = { 0 };

		o.sync = false;
		o.flattened = t[i].flattened;
		for (u64 limit = 0; !seen[DUMP_COMPLETE]; limit += t[i].step)
			seen[run_limited(&o, limit)]++;
		assert_true(seen[DUMP_FAILED] > 0);
		/* an ELF dump takes its whole size at once */
		if (t[i].format == DUMP_KDUMP)
			assert_true(seen[DUMP_INCOMPLETE] > 0);
	}
}

/* A file that may not become larger than max bytes, whatever the file system would take. */
static enum dump_result run_max(const struct dump_opts *o, u64 max)
{
	struct dump_stats st;
	struct err e = { 0 };
	struct sink *file;
	struct stat is;
	enum dump_result result;
	char what[80], out[256], temp[256];

	snprintf(what, sizeof(what), "%s, at most %llu bytes",
		 o->format == DUMP_ELF ? "ELF" : "kdump", (unsigned long long)max);
	scratch_path(&scratch, out, sizeof(out), "out");
	scratch_path(&scratch, temp, sizeof(temp), "out-incomplete");
	assert_int_equal(sink_file_open(&file, out, true, &e), 0);
	file->max = max;
	assert_true(file->ops->room(file) <= max);
	result = dump_run_sink(golden.core, file, o, &st, &e);
	if (result != DUMP_FAILED) {
		assert_int_equal(stat(result == DUMP_COMPLETE ? out : temp, &is), 0);
		if ((u64)is.st_size > max)
			fail_msg("%s: %lld bytes", what, (long long)is.st_size);
	}
	if (result != DUMP_COMPLETE) {
		assert_int_equal(e.code, -EFBIG);
		assert_non_null(strstr(st.reason, "out-incomplete: File too large"));
	}
	return judge(what, result, o, &e);
}

static void test_largest_file(void **state)
{
	static const struct {
		enum dump_format format;
		u64 step;
		unsigned threads;
	} t[] = { { DUMP_KDUMP, 997, 1 }, { DUMP_KDUMP, 4096, 2 }, { DUMP_ELF, 9973, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct dump_opts o = make_opts(t[i].format, 31, t[i].threads);
		unsigned seen[4] = { 0 };

		for (u64 max = 0; !seen[DUMP_COMPLETE]; max += t[i].step)
			seen[run_max(&o, max)]++;
		assert_true(seen[DUMP_FAILED] > 0);
		/* an ELF dump takes its whole size at once */
		assert_int_equal(seen[DUMP_INCOMPLETE] > 0, t[i].format == DUMP_KDUMP);
	}
}

/* A dump to standard output, which is redirected to scratch/stream: by what result says, how much
 * of it there is. limit: bytes it takes before it fails. */
static enum dump_result run_stream(const struct dump_opts *o, u64 limit, struct remains *r)
{
	char path[256];
	int fd = creat(scratch_path(&scratch, path, sizeof(path), "stream"), 0600);
	int saved = dup(STDOUT_FILENO);
	struct rlimit old, now;
	struct dump_stats st;
	struct err e = { 0 };
	enum dump_result result;

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	getrlimit(RLIMIT_FSIZE, &old);
	now = (struct rlimit){ limit, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &now);
	result = dump_run(golden.core, "-", o, &st, &e);
	setrlimit(RLIMIT_FSIZE, &old);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(fd);
	*r = (struct remains){ 0 };
	if (result != DUMP_FAILED)
		*r = judge_remains("stream", path, o->level, true);
	unlink(path);
	return result;
}

static void test_standard_output(void **state)
{
	struct dump_opts o = make_opts(DUMP_KDUMP, 31, 2);
	struct remains r;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	o.flattened = true;
	assert_int_equal(run_stream(&o, 1 << 30, &r), DUMP_COMPLETE);
	assert_false(r.incomplete);
	assert_int_equal(r.missing, 0);
	assert_true(r.right > 100);
	/* the headers come last: without them nothing opens, and nothing may be said to */
	for (u64 limit = 0; limit < 20000; limit += 1777)
		assert_int_equal(run_stream(&o, limit, &r), DUMP_FAILED);
}

/* A test that failed may have left files: they must not fail the next one. */
static int clean(void **state)
{
	(void)state;
	scratch_unlink(&scratch, "out");
	scratch_unlink(&scratch, "out-incomplete");
	return 0;
}

static int setup(void **state)
{
	(void)state;
	scratch_make(&scratch);
	golden_open(&golden, &scratch, "small.txt", NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	golden_close(&golden, &scratch);
	scratch_rm(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_every_call_fails, clean),
		cmocka_unit_test_teardown(test_disk_full, clean),
		cmocka_unit_test_teardown(test_largest_file, clean),
		cmocka_unit_test_teardown(test_standard_output, clean),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
