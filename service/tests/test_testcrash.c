/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The marker of a test crash, and what is made of each kind of dump that may be there afterwards.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../dumper/dump.h"
#include "../../dumper/tests/lib_golden.h"
#include "../../init/tests/tempdir.h"
#include "../crashtool.h"
#include "../testcrash.h"
#include "made_elf.h"

#define ID "0123456789abcdef0123456789abcdef01234567" /* the golden dump's */
#define BOOT "11111111-2222-3333-4444-555555555555"
#define OTHER "99999999-2222-3333-4444-555555555555"
#define MARKER(kernel)                                                                            \
	"{\"version\": 1, \"time\": 1795571361, \"boot_id\": \"" BOOT "\", \"kernel\": \"" kernel \
	"\"}"
#define WORDS "[   11.5] crashpod: test crash of boot " BOOT "\n"
#define DIR_NAME "var/crash/202611250149/"

static struct scratch scratch;
static struct golden golden;
static const char *release; /* the golden dump's */

/* dump: 0 none, 1 whole, 2 cut to a half, 3 named as incomplete. record_kernel "": the dump's own.
 */
static const struct {
	const char *marker, *boot, *log;
	int dump;
	u64 crash_time;
	const char *record_kernel, *panic;
	const char *state, *name, *text; /* of a check that must be there */
} cases[] = {
	{ NULL, OTHER, NULL, 0, 0, "", "", "missing", "begun", "no test was begun" },
	{ "{", OTHER, NULL, 0, 0, "", "", "missing", "begun", "/var/lib/crashpod/test.json: " },
	{ "{\"time\": 1}", OTHER, NULL, 0, 0, "", "", "missing", "begun", "is damaged" },
	{ MARKER("%s"), BOOT, NULL, 0, 0, "", "", "missing", "begun", "still the same boot" },
	{ MARKER("%s"), OTHER, NULL, 0, 0, "", "", "missing", "found", "no dump of that crash is" },
	/* another crash: neither the words nor the time */
	{ MARKER("%s"), OTHER, "[ 1.0] x\n", 1, 1795581361, "", "sysrq triggered crash", "missing",
	  "found", "no dump of that crash is" },
	/* the time, but another cause */
	{ MARKER("%s"), OTHER, "[ 1.0] x\n", 1, 1795571371, "", "Oops", "missing", "found",
	  "no dump of that crash is" },
	{ MARKER("%s"), OTHER, "[ 1.0] x\n", 1, 1795571371, "", "sysrq triggered crash", "ok",
	  "found", "by its time: the log does not have the test's line" },
	{ MARKER("%s"), OTHER, WORDS, 1, 1, "", "", "ok", "found", " bytes" },
	{ MARKER("%s"), OTHER, WORDS, 1, 1, "", "", "ok", "complete", "the dump is complete" },
	{ MARKER("%s"), OTHER, WORDS, 1, 1, "", "", "ok", "verified", "every page: " },
	{ MARKER("%s"), OTHER, WORDS, 1, 1, "", "", "missing", "opened", "died of another cause" },
	{ MARKER("5.5"), OTHER, WORDS, 1, 1, "", "", "missing", "opened", ", not 5.5" },
	{ MARKER("%s"), OTHER, WORDS, 1, 1, "", "", "note", "crash", "not tried: no vmlinux" },
	{ MARKER("%s"), OTHER, WORDS, 2, 1, "", "", "missing", "complete", "not whole (cut)" },
	{ MARKER("%s"), OTHER, WORDS, 2, 1, "", "", "missing", "verified", "" },
	{ MARKER("%s"), OTHER, WORDS, 3, 1, "", "", "missing", "complete",
	  "not whole (incomplete): the disk" },
};

static void put_dump(struct tempdir *t, int kind)
{
	struct dump_stats stats;
	struct dump_opts opts;
	char path[200], to[220];

	snprintf(path, sizeof(path), "%s/" DIR_NAME "dump.202611250149", t->path);
	dump_opts_init(&opts);
	assert_int_equal(dump_run(golden.core, path, &opts, &stats, NULL), DUMP_COMPLETE);
	if (kind == 2)
		assert_int_equal(truncate(path, (off_t)stats.bytes_written / 2), 0);
	snprintf(to, sizeof(to), "%s-incomplete", path);
	if (kind == 3)
		assert_int_equal(rename(path, to), 0);
}

/* The whole dump of the test's crash. */
#define GOOD_CASE 8

static void make_case(struct tempdir *t, size_t i)
{
	char text[700];

	tempdir_open(t);
	tempdir_mkdir(t, "var/lib/crashpod");
	tempdir_mkdir(t, "var/crash/202611250149");
	tempdir_mkdir(t, "proc/sys/kernel/random");
	tempdir_puts(t, "proc/sys/kernel/random/boot_id", cases[i].boot);
	if (cases[i].marker) {
		const char *gap = strstr(cases[i].marker, "%s");

		snprintf(text, sizeof(text), "%.*s%s%s", gap ? (int)(gap - cases[i].marker) : 400,
			 cases[i].marker, gap ? release : "", gap ? gap + 2 : "");
		tempdir_puts(t, "var/lib/crashpod/test.json", text);
	}
	if (!cases[i].dump)
		return;
	put_dump(t, cases[i].dump);
	tempdir_puts(t, DIR_NAME "dmesg.202611250149", cases[i].log);
	snprintf(text, sizeof(text),
		 "{\"program\": \"crashpod 1\", \"status\": \"%s\", \"reason\": \"the disk\", "
		 "\"kernel\": \"%s\", \"panic\": \"%s\", \"crash_time\": %llu, \"dump\": "
		 "{\"level_used\": 31, \"bytes_written\": 999999999}}",
		 cases[i].dump == 3 ? "incomplete" : "complete", release, cases[i].panic,
		 (unsigned long long)cases[i].crash_time);
	/* what the file must have is in the record only where it is to be too short */
	if (cases[i].dump == 1)
		*strstr(text, ", \"bytes_written\"") = '\0', strcat(text, "}}");
	tempdir_puts(t, DIR_NAME "crashpod.json", text);
}

static void test_judge(void **state)
{
	struct testcrash *j = calloc(1, sizeof(*j));

	(void)state;
	assert_non_null(j);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tempdir t;
		bool found = false;

		make_case(&t, i);
		testcrash_judge(j, t.path);
		for (unsigned n = 0; n < j->checks.n; n++) {
			const struct status_item *it = &j->checks.items[n];

			found |= !strcmp(status_state_name(it->state), cases[i].state) &&
				 !strcmp(it->name, cases[i].name) &&
				 strstr(it->text, cases[i].text);
		}
		for (unsigned n = 0; !found && n < j->checks.n; n++)
			print_error("%s: %s: %s\n", status_state_name(j->checks.items[n].state),
				    j->checks.items[n].name, j->checks.items[n].text);
		if (!found)
			fail_msg("case %zu: no '%s'", i, cases[i].text);
		if (!strcmp(cases[i].state, "missing"))
			assert_false(status_ready(&j->checks));
		tempdir_close(&t);
	}
	free(j);
}

/* On another root nothing is crashed: what would be written is. */
static void test_crash(void **state)
{
	struct marker m;
	struct err e = { 0 };
	char text[200], path[200];
	struct tempdir t;
	FILE *in;

	(void)state;
	tempdir_open(&t);
	tempdir_mkdir(&t, "proc/sys/kernel/random");
	tempdir_mkdir(&t, "dev");
	tempdir_puts(&t, "proc/sys/kernel/random/boot_id", BOOT "\n");
	tempdir_puts(&t, "proc/sys/kernel/osrelease", "6.1.0-x\n");
	tempdir_puts(&t, "dev/kmsg", "");
	/* no way to crash it: nothing is left behind */
	assert_int_equal(testcrash_crash(t.path, &e), -ENOENT);
	assert_int_equal(marker_read(&m, t.path, &e), -ENOENT);
	tempdir_puts(&t, "proc/sysrq-trigger", "");
	assert_int_equal(testcrash_crash(t.path, &e), -EIO);
	assert_non_null(strstr(e.msg, "the machine goes on"));
	assert_int_equal(marker_read(&m, t.path, &e), 0);
	assert_string_equal(m.boot_id, BOOT);
	assert_string_equal(m.kernel, "6.1.0-x");
	assert_true(m.when > 1700000000);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", t.path,
			 i ? "proc/sysrq-trigger" : "dev/kmsg");
		in = fopen(path, "r");
		assert_non_null(fgets(text, sizeof(text), in));
		fclose(in);
		assert_string_equal(text, i ? "c" : "<5>crashpod: test crash of boot " BOOT "\n");
	}
	tempdir_close(&t);
}

/* A crash that fails, hangs or is not there, as the real one cannot be made to. */
static void test_tool(void **state)
{
	static const struct {
		const char *script;
		int rc;
		const char *text; /* of the error, or what was said */
	} t[] = {
		{ "cat; echo $2 $3", 0, "bt\nquit\nv d\n" },
		{ "echo no; exit 3", -EIO, "exit status 3" },
		{ "echo in $(pwd).", 0, "in /.\n" }, /* not where a .crashrc may be anybody's */
		{ "kill -9 $$", -EIO, "signal 9" },
		{ "sleep 60 & sleep 60", -ETIMEDOUT, "does not come to an end" },
		{ "head -c 100000 /dev/zero | tr '\\0' x", 0, "xxx" },
		{ NULL, -ENOENT, "not installed" },
	};
	char *old = strdup(getenv("PATH"));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct err e = { 0 };
		char out[64], script[200], path[200], with[4096];
		struct tempdir dir;
		int rc;

		tempdir_open(&dir);
		if (t[i].script) {
			snprintf(script, sizeof(script), "#!/bin/sh\n%s\n", t[i].script);
			tempdir_puts(&dir, "crash", script);
			assert_int_equal(fchmodat(dir.fd, "crash", 0755, 0), 0);
		}
		snprintf(path, sizeof(path), "%s", dir.path);
		snprintf(with, sizeof(with), "%s:%s", path, old);
		setenv("PATH", t[i].script ? with : path, 1);
		rc = crashtool_ask("v", "d", "bt\nquit\n", 2, out, sizeof(out), &e);
		setenv("PATH", old, 1);
		if (rc != t[i].rc || !strstr(rc ? e.msg : out, t[i].text))
			fail_msg("case %zu: %d '%s' '%s'", i, rc, e.msg, out);
		tempdir_close(&dir);
	}
	free(old);
}

/* RELEASE in a text becomes the dump's. */
static void with_release(char *to, size_t cap, const char *text)
{
	const char *at = strstr(text, "RELEASE");

	snprintf(to, cap, "%.*s%s%s", at ? (int)(at - text) : 200, text, at ? release : "",
		 at ? at + 7 : "");
}

static const struct status_item *check_named(const struct testcrash *j, const char *name)
{
	for (unsigned n = 0; n < j->checks.n; n++)
		if (!strcmp(j->checks.items[n].name, name))
			return &j->checks.items[n];
	fail_msg("no check '%s'", name);
	return NULL;
}

/* crash is run on the vmlinux of the very build, wherever it lies, and on no other. */
static void test_debug(void **state)
{
	static const struct {
		const char *boot, *build_tree; /* build-ids of the vmlinux there, or NULL */
		bool debug;
		const char *state, *text;
		const char *run; /* the vmlinux that crash was given; NULL: it was not run */
	} t[] = {
		{ NULL, NULL, true, "note", "not tried: no vmlinux of ", NULL },
		{ "aabb", NULL, true, "note", "vmlinux-RELEASE: build-id aabb, the dump's is " ID,
		  NULL },
		{ "aabb", "aacc", true, "note", "build-id aabb, the dump's is " ID, NULL },
		{ ID, NULL, false, "note", "not tried: stripped: ", NULL },
		{ "aabb", ID, true, "ok", "leads to sysrq_handle_crash",
		  "/lib/modules/RELEASE/build/vmlinux" },
		{ ID, "aabb", true, "ok", "leads to sysrq_handle_crash",
		  "/usr/lib/debug/boot/vmlinux-RELEASE" },
	};
	struct testcrash *j = calloc(1, sizeof(*j));
	char *old = strdup(getenv("PATH"));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char name[200], script[200], want[300], said[300] = "", path[4096];
		const struct status_item *it;
		struct tempdir dir;
		FILE *in;

		make_case(&dir, GOOD_CASE);
		snprintf(name, sizeof(name), "/usr/lib/debug/boot/vmlinux-%s", release);
		if (t[i].boot)
			put_elf(dir.path, name,
				&(struct made){ t[i].boot, NULL, t[i].debug, false });
		snprintf(name, sizeof(name), "/lib/modules/%s/build/vmlinux", release);
		if (t[i].build_tree)
			put_elf(dir.path, name,
				&(struct made){ t[i].build_tree, NULL, true, false });
		snprintf(script, sizeof(script),
			 "#!/bin/sh\nprintf %%s \"$2\" > %s/ran; echo sysrq_handle_crash\n",
			 dir.path);
		tempdir_puts(&dir, "crash", script);
		assert_int_equal(fchmodat(dir.fd, "crash", 0755, 0), 0);
		snprintf(path, sizeof(path), "%s:%s", dir.path, old);
		setenv("PATH", path, 1);
		testcrash_judge(j, dir.path);
		setenv("PATH", old, 1);
		it = check_named(j, "crash");
		with_release(want, sizeof(want), t[i].text);
		if (strcmp(status_state_name(it->state), t[i].state) || !strstr(it->text, want))
			fail_msg("case %zu: %s: %s", i, status_state_name(it->state), it->text);
		if (!t[i].run)
			assert_non_null(strstr(it->mend, "crashpod vmlinux /tmp/"));
		snprintf(path, sizeof(path), "%s/ran", dir.path);
		in = fopen(path, "r");
		assert_int_equal(in != NULL, t[i].run != NULL);
		if (in) {
			assert_non_null(fgets(said, sizeof(said), in));
			fclose(in);
			with_release(want, sizeof(want), t[i].run);
			assert_string_equal(said + strlen(dir.path), want);
		}
		tempdir_close(&dir);
	}
	free(old);
	free(j);
}

static int open_golden(void **state)
{
	(void)state;
	scratch_make(&scratch);
	golden_open(&golden, &scratch, "linux-6.1.txt", NULL);
	release = mkcore_info(golden.mk, "OSRELEASE");
	return 0;
}

static int close_golden(void **state)
{
	(void)state;
	golden_close(&golden, &scratch);
	scratch_rm(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_tool),
		cmocka_unit_test(test_debug),
	};

	return cmocka_run_group_tests(tests, open_golden, close_golden);
}
