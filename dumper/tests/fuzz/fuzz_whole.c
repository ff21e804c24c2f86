/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dump from beginning to end: a vmcore is read, filtered, written, and the result judged. The
 * input is the vmcore; a byte of its ELF identification that no one reads chooses the output. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../dump.h"
#include "../../notes.h"
#include "../../verify.h"
#include "fuzz.h"

#define WHOLE_CHOICE 9		 /* e_ident: the first byte of padding */
#define WHOLE_PFN_MAX (1u << 20) /* 4 GiB; more only takes longer */
#define WHOLE_DIR "/dev/shm"	 /* dumps are written by path */
#define WHOLE_PATH_MAX 64

static void whole_line(void *arg, const char *line)
{
	/* notes are handed on as they are, broken ones too */
	if (strncmp(line, "notes:", 6) == 0)
		return;
	fprintf(stderr, "the dump: %s\n", line);
	++*(unsigned *)arg;
}

static bool whole_notes_sound(const struct source *s)
{
	struct notes_iter it;
	struct note n;
	int rc;

	notes_begin(&it, s->notes, s->notes_len);
	do {
		rc = notes_next(&it, &n, NULL);
	} while (rc > 0);
	return rc == 0;
}

/* A dump that is complete is sound, opens without leave to be cut, and has the pages it is said to
 * have. */
static void whole_check_complete(const char *path, const struct core *core,
				 const struct dump_opts *o, const struct dump_stats *st)
{
	struct verify_result r;
	unsigned problems = 0;
	int rc;

	rc = verify_run(&r, path, whole_line, &problems);
	FUZZ_CHECK(problems == 0 && (rc == 0) == whole_notes_sound(core->src) && !r.incomplete);
	FUZZ_CHECK(o->format == DUMP_ELF ? r.pages >= st->pages.dumped
					 : r.pages == st->pages.dumped);
}

static void whole_check_core(const char *path, const struct core *from)
{
	struct core *c;

	FUZZ_CHECK(core_open(&c, path, 0, NULL) == 0);
	FUZZ_CHECK(c->src->notes_len == from->src->notes_len);
	FUZZ_CHECK(!c->src->notes_len ||
		   memcmp(c->src->notes, from->src->notes, c->src->notes_len) == 0);
	core_close(c);
}

static void whole_check(const struct core *core, const struct dump_opts *o)
{
	char path[WHOLE_PATH_MAX], part[WHOLE_PATH_MAX + 16];
	struct dump_stats st;
	struct err e = { 0 };
	struct source *s;
	enum dump_result rc;

	snprintf(path, sizeof(path), WHOLE_DIR "/crashpod-fuzz-%d", (int)getpid());
	snprintf(part, sizeof(part), "%s-incomplete", path);
	rc = dump_run(core, path, o, &st, &e);
	FUZZ_CHECK(st.complete == (rc == DUMP_COMPLETE));
	FUZZ_CHECK((access(path, F_OK) == 0) == (rc == DUMP_COMPLETE));
	if (rc == DUMP_COMPLETE) {
		FUZZ_CHECK(st.pages.dumped <= st.pages.ram);
		whole_check_complete(path, core, o, &st);
		if (o->format == DUMP_KDUMP)
			whole_check_core(path, core);
		unlink(path);
		return;
	}
	FUZZ_CHECK(e.code < 0 && st.reason[0]);
	if (rc == DUMP_INCOMPLETE && !(o->format == DUMP_ELF && o->flattened)) {
		FUZZ_CHECK(source_open(&s, part, SOURCE_PARTIAL, &e) == 0);
		FUZZ_CHECK(s->incomplete || o->flattened);
		source_close(s);
	}
	FUZZ_CHECK((access(part, F_OK) == 0) == (rc == DUMP_INCOMPLETE));
	unlink(part);
}

/* As where the dump may be cut: what is wanted first is looked for. */
static void whole_check_limited(const struct core *core, const struct dump_opts *o)
{
	struct rlimit before, limit;

	FUZZ_CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
	limit = before;
	limit.rlim_cur = MIN(before.rlim_max, core->src->max_pfn << PAGE_SHIFT);
	signal(SIGXFSZ, SIG_IGN);
	FUZZ_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	whole_check(core, o);
	FUZZ_CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
}

static void whole_run(const char *path, u8 choice)
{
	struct dump_opts o;
	struct core *core;

	if (core_open(&core, path, choice & 8 ? CORE_PARTIAL : 0, NULL))
		return;
	dump_opts_init(&o);
	o.format = choice & 1 ? DUMP_ELF : DUMP_KDUMP;
	o.flattened = choice & 2;
	o.exclude_vmemmap = choice & 4;
	o.threads = 1 + (choice >> 4 & 1);
	o.compress = choice >> 5 & 1 ? COMPRESS_ZLIB : COMPRESS_ZSTD;
	if (core->src->max_pfn > WHOLE_PFN_MAX)
		;
	else if (choice & 0x40)
		whole_check_limited(core, &o);
	else
		whole_check(core, &o);
	core_close(core);
}

int FUZZ_TARGET(whole)(const uint8_t *data, size_t size)
{
	struct fuzz_file f;

	if (size < 64 || data[0] != 0x7f)
		return 0;
	fuzz_file_make(&f, data, size);
	whole_run(f.path, data[WHOLE_CHOICE]);
	close(f.fd);
	return 0;
}
