/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each allocation of a dump, and of the commands that read one, fails in turn, alone and with all
 * that come after it. What must hold: an error that says something or a right result, nothing left
 * behind, and no file without the incomplete mark that is not right. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../dmesg.h"
#include "../dump.h"
#include "../info.h"
#include "lib_allocfail.h"
#include "lib_golden.h"
#include "lib_scratch.h"

#define LEVEL 31

struct config {
	const char *name, *from; /* a file of the scratch directory */
	enum dump_format format;
	enum compress_kind compress;
	unsigned threads;
	bool flattened, direct, sync, exclude_vmemmap;
};

static struct scratch scratch;
static struct golden golden;
static const u8 zeros[PAGE_SIZE];

static void set_opts(struct dump_opts *o, const struct config *c)
{
	dump_opts_init(o);
	o->level = LEVEL;
	o->format = c->format;
	o->compress = c->compress;
	o->threads = c->threads;
	o->flattened = c->flattened;
	o->direct = c->direct;
	o->exclude_vmemmap = c->exclude_vmemmap;
	o->sync = c->sync;
	o->fit = true;
	o->verify = VERIFY_FULL;
}

/* A page is missing, or what it should be; missing only where the file may say so. */
static void check_page(const char *what, struct window *w, const struct golden_page *p,
		       bool may_miss)
{
	const u8 *bytes;
	size_t got;
	struct err e = { 0 };
	int rc = window_get(w, p->pfn << PAGE_SHIFT, PAGE_SIZE, &bytes, &got, &e);

	if (rc == -ENODATA && (may_miss || !golden_kept(p, LEVEL)))
		return;
	if (rc || got != PAGE_SIZE)
		fail_msg("%s: pfn %#llx: %s", what, (unsigned long long)p->pfn, e.msg);
	if (memcmp(bytes, p->bytes ? p->bytes : zeros, PAGE_SIZE) == 0)
		return;
	/* a page that an ELF file leaves out may lie in a hole of it */
	if ((may_miss || !golden_kept(p, LEVEL)) && memcmp(bytes, zeros, PAGE_SIZE) == 0)
		return;
	fail_msg("%s: pfn %#llx: bytes differ", what, (unsigned long long)p->pfn);
}

/* A flattened ELF file is read by no one as it is. */
static void check_file(const char *what, const struct config *c, const char *name, bool complete)
{
	char path[256];
	struct source *s;
	struct window w;
	struct err e = { 0 };

	if (c->flattened && c->format == DUMP_ELF)
		return;
	if (source_open(&s, scratch_path(&scratch, path, sizeof(path), name),
			complete ? 0 : SOURCE_PARTIAL, &e))
		fail_msg("%s: %s: %s", what, name, e.msg);
	if (s->incomplete == complete)
		fail_msg("%s: %s says that it is %scomplete", what, name,
			 s->incomplete ? "in" : "");
	assert_int_equal(window_open(&w, s, PAGE_SIZE, &e), 0);
	for (size_t i = 0; i < golden.npages; i++) {
		const struct golden_page *p = &golden.pages[i];

		check_page(what, &w, p,
			   !complete || c->exclude_vmemmap || (c->format == DUMP_ELF && p->zero));
	}
	window_close(&w);
	source_close(s);
}

/* What lies in the directory must be what the result says, and nothing else. */
static void check_result(const char *what, const struct config *c, enum dump_result result,
			 const struct dump_stats *st, const struct err *e)
{
	static const struct {
		const char *name;
		bool complete;
	} files[] = { { "out", true }, { "out-incomplete", false } };

	if (result != DUMP_COMPLETE && (!e->msg[0] || !e->code))
		fail_msg("%s: result %d without a word", what, result);
	if (st->complete != (result == DUMP_COMPLETE))
		fail_msg("%s: the statistics say something else", what);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		enum dump_result means = files[i].complete ? DUMP_COMPLETE : DUMP_INCOMPLETE;
		char path[256];
		bool there;

		scratch_path(&scratch, path, sizeof(path), files[i].name);
		there = access(path, F_OK) == 0;
		if (there != (result == means))
			fail_msg("%s: result %d (%s), and %s is %sthere", what, result, e->msg,
				 files[i].name, there ? "" : "not ");
		if (there)
			check_file(what, c, files[i].name, files[i].complete);
		unlink(path);
	}
}

struct dumping {
	const struct config *c;
	enum dump_result result;
	struct dump_stats st;
	struct err e;
};

static void run_dump(void *arg)
{
	struct dumping *d = arg;
	struct dump_opts o;
	struct core *core;
	char from[256], out[256];

	*d = (struct dumping){ .c = d->c, .result = DUMP_FAILED };
	set_opts(&o, d->c);
	scratch_path(&scratch, from, sizeof(from), d->c->from);
	scratch_path(&scratch, out, sizeof(out), "out");
	if (core_open(&core, from, 0, &d->e))
		return;
	d->result = dump_run(core, out, &o, &d->st, &d->e);
	core_close(core);
}

static void check_dump(void *arg, const char *what, bool failed)
{
	const struct dumping *d = arg;

	check_result(what, d->c, d->result, &d->st, &d->e);
	if (!failed && d->result != DUMP_COMPLETE)
		fail_msg("%s: %s", what, d->e.msg);
}

static void test_dump(void **state)
{
	static const struct config t[] = {
		{ "kdump zstd", "vmcore", DUMP_KDUMP, COMPRESS_ZSTD, .threads = 1, .direct = true,
		  .sync = true },
		{ "kdump zlib -e, two threads", "vmcore", DUMP_KDUMP, COMPRESS_ZLIB, .threads = 2,
		  .exclude_vmemmap = true },
		{ "kdump flattened", "vmcore", DUMP_KDUMP, COMPRESS_NONE, .threads = 1,
		  .flattened = true },
		{ "ELF", "vmcore", DUMP_ELF, COMPRESS_ZSTD, .threads = 1 },
		{ "ELF flattened", "vmcore", DUMP_ELF, COMPRESS_ZSTD, .threads = 1,
		  .flattened = true },
		{ "ELF of kdump", "whole.kdump", DUMP_ELF, COMPRESS_ZSTD, .threads = 1 },
		{ "kdump of a flattened file", "whole.flat", DUMP_KDUMP, COMPRESS_ZSTD,
		  .threads = 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_true(allocfail_each(t[i].name, run_dump, check_dump,
					   &(struct dumping){ .c = &t[i] }) > 20);
}

struct reading {
	const char *name, *from;
	/* 0, or an error with a message; the result must then be right. */
	int (*read)(const char *path, struct err *e);
	int rc;
	struct err e;
};

static int read_info(const char *path, struct err *e)
{
	struct core *core;
	struct info in;
	int rc = core_open(&core, path, CORE_PARTIAL, e);

	if (rc)
		return rc;
	rc = info_get(&in, core, e);
	core_close(core);
	if (!rc && in.pages_ram != golden.npages)
		fail_msg("%s: %llu pages of RAM", path, (unsigned long long)in.pages_ram);
	return rc;
}

/* The small machine has no log: that it says so, or that memory is short, is all there is. */
static int read_dmesg(const char *path, struct err *e)
{
	struct core *core;
	char *text = NULL;
	size_t len;
	u64 cut;
	int rc = core_open(&core, path, CORE_PARTIAL, e);

	if (rc)
		return rc;
	rc = dmesg_text(core, 4096, &text, &len, &cut, e);
	core_close(core);
	if (rc && !e->msg[0])
		fail_msg("%s: error %d without a word", path, rc);
	free(text);
	return 0;
}

static void first_line(void *arg, const char *line)
{
	struct err *e = arg;

	if (!e->msg[0])
		snprintf(e->msg, sizeof(e->msg), "%s", line);
}

static int read_verify(const char *path, struct err *e)
{
	struct verify_result r;
	int rc = verify_run(&r, path, first_line, e);

	/* want of memory is no verdict on the file */
	if (rc && rc != -ENOMEM)
		fail_msg("%s: a sound file is called %d: %s", path, rc, e->msg);
	verify_summary(&r, e->msg, sizeof(e->msg));
	e->code = rc;
	return rc;
}

static void run_read(void *arg)
{
	struct reading *r = arg;
	char path[256];

	r->e = (struct err){ 0 };
	r->rc = r->read(scratch_path(&scratch, path, sizeof(path), r->from), &r->e);
}

static void check_read(void *arg, const char *what, bool failed)
{
	const struct reading *r = arg;

	if (r->rc && (!r->e.msg[0] || r->rc > 0))
		fail_msg("%s: error %d without a word", what, r->rc);
	if (r->rc && !failed)
		fail_msg("%s: %s", what, r->e.msg);
}

static void test_read(void **state)
{
	static const char *const files[] = { "vmcore", "whole.kdump", "whole.elf", "whole.flat" };
	static const struct reading t[] = {
		{ .name = "info", .read = read_info },
		{ .name = "dmesg", .read = read_dmesg },
		{ .name = "verify", .read = read_verify },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t) * ARRAY_SIZE(files); i++) {
		struct reading r = t[i % ARRAY_SIZE(t)];
		char name[64];

		r.from = files[i / ARRAY_SIZE(t)];
		/* a vmcore has no mark that would make it a dump */
		if (r.read == read_verify && strcmp(r.from, "vmcore") == 0)
			continue;
		snprintf(name, sizeof(name), "%s %s", r.name, r.from);
		assert_true(allocfail_each(name, run_read, check_read, &r) > 3);
	}
}

static void make_whole(const char *name, const struct config *c)
{
	struct dump_stats st;
	struct dump_opts o;
	struct err e = { 0 };
	char path[256];

	set_opts(&o, c);
	if (dump_run(golden.core, scratch_path(&scratch, path, sizeof(path), name), &o, &st, &e) !=
	    DUMP_COMPLETE)
		fail_msg("%s: %s", name, e.msg);
}

static int setup(void **state)
{
	(void)state;
	scratch_make(&scratch);
	golden_open(&golden, &scratch, "small.txt", NULL);
	make_whole("whole.kdump", &(struct config){ .format = DUMP_KDUMP, .threads = 1 });
	make_whole("whole.elf", &(struct config){ .format = DUMP_ELF, .threads = 1 });
	make_whole("whole.flat", &(struct config){ .format = DUMP_KDUMP,
						   .compress = COMPRESS_ZLIB,
						   .threads = 1,
						   .flattened = true });
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
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
