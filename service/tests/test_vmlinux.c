/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which vmlinux belongs to a dump: made-up ELF files in made-up roots, and what a hostile dump may
 * not do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../dumper/tests/lib_core.h"
#include "../../dumper/tests/lib_scratch.h"
#include "../run.h"
#include "../tree.h"
#include "../vmlinux.h"
#include "made_elf.h"
#include "made_id.h"

#define ID "0123456789abcdef0123456789abcdef01234567"

/* --- files --- */

static void clean(struct scratch *s)
{
	const char *argv[] = { "rm", "-rf", "--", s->dir, NULL };

	assert_int_equal(run_wait(argv, NULL), 0);
}

static void test_states(void **state)
{
	static const struct {
		struct made made;
		const char *build_id, *version; /* of the dump */
		enum vmlinux_state want;
		const char *why;
	} t[] = {
		{ { ID, NULL, true, false }, ID, VERSION, VMLINUX_MATCH, "" },
		{ { "aabb", NULL, true, false },
		  ID,
		  VERSION,
		  VMLINUX_MISMATCH,
		  "build-id aabb, the dump's is " ID },
		{ { NULL, NULL, true, false }, ID, VERSION, VMLINUX_MISMATCH, "no build-id" },
		{ { ID, NULL, true, true }, ID, VERSION, VMLINUX_MISMATCH, "no build-id" },
		{ { ID, NULL, false, false }, ID, VERSION, VMLINUX_STRIPPED, "without debug" },
		/* by the banner, before 5.9 */
		{ { ID, BANNER VERSION "\n", true, false }, "", VERSION, VMLINUX_MATCH, "" },
		{ { NULL, BANNER VERSION "\n", false, false },
		  "",
		  VERSION,
		  VMLINUX_STRIPPED,
		  "without debug" },
		{ { ID, BANNER VERSION " (Signed 5)\n", true, false },
		  "",
		  VERSION,
		  VMLINUX_MATCH,
		  "" },
		{ { ID, BANNER "#2 SMP\n", true, false },
		  "",
		  VERSION,
		  VMLINUX_MISMATCH,
		  "another build" },
		{ { ID, BANNER VERSION "1\n", true, false },
		  "",
		  VERSION,
		  VMLINUX_MISMATCH,
		  "another build" },
		{ { ID, "Linux version " REL "-rt (a) (b) " VERSION "\n", true, false },
		  "",
		  "#9",
		  VMLINUX_MISMATCH,
		  "another build" },
		{ { ID, NULL, true, false }, "", VERSION, VMLINUX_MISMATCH, "not a kernel" },
		{ { ID, BANNER VERSION "\n", true, false },
		  "",
		  "",
		  VMLINUX_UNKNOWN,
		  "neither build-id nor version" },
	};
	struct scratch s;

	(void)state;
	scratch_make(&s);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct vmlinux_file f = { 0 };
		struct vmlinux_id id;

		make_id(&id, REL, t[i].version, "", t[i].build_id);
		put_elf(s.dir, "/vmlinux", &t[i].made);
		tree_path(f.path, s.dir, "/vmlinux");
		assert_int_equal(vmlinux_file_look(&f, &id), 0);
		if (f.state != t[i].want || !strstr(f.why, t[i].why) || (!t[i].why[0] && f.why[0]))
			fail_msg("case %zu: %s: %s", i, vmlinux_state_names[f.state], f.why);
	}
	clean(&s);
}

static void test_not_elf(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *why;
	} t[] = {
		{ "", 0, "not an ELF file" },
		{ "#!/bin/sh\nexit 0\n", 17, "not an ELF file" },
		{ "\x7f"
		  "ELF",
		  4, "not an ELF file" },
		{ "\xfd"
		  "7zXZ\0\0\0",
		  8, "compressed by xz" },
		{ "\x1f\x8b\x08\0\0\0\0\0", 8, "compressed by gzip" },
		{ "\x28\xb5\x2f\xfd\0\0\0\0", 8, "compressed by zstd" },
	};
	struct vmlinux_file f = { 0 };
	struct vmlinux_id id;
	struct scratch s;
	u8 buf[8192];

	(void)state;
	scratch_make(&s);
	make_id(&id, REL, VERSION, "", ID);
	tree_path(f.path, s.dir, "/vmlinux");
	assert_int_equal(vmlinux_file_look(&f, &id), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		put_bytes(s.dir, "/vmlinux", t[i].bytes, t[i].len);
		assert_int_equal(vmlinux_file_look(&f, &id), 0);
		assert_int_equal(f.state, VMLINUX_UNUSABLE);
		assert_non_null(strstr(f.why, t[i].why));
	}
	/* cut anywhere it is never a match before its section headers are there */
	for (size_t n = 0, all = make_elf(buf, &(struct made){ ID, NULL, true, false }); n < all;
	     n += 61) {
		put_bytes(s.dir, "/vmlinux", buf, n);
		assert_int_equal(vmlinux_file_look(&f, &id), 0);
		assert_int_not_equal(f.state, VMLINUX_MATCH);
	}
	unlink(f.path);
	assert_int_equal(mkfifo(f.path, 0600), 0);
	assert_int_equal(vmlinux_file_look(&f, &id), -ENOENT);
	clean(&s);
}

/* --- places --- */

static void find(struct vmlinux_found *found, const struct scratch *s, const char *release,
		 const struct vmlinux_places *more)
{
	struct vmlinux_places p = more ? *more : (struct vmlinux_places){ 0 };
	struct vmlinux_id id;

	make_id(&id, release, VERSION, "", ID);
	p.root = s->dir;
	vmlinux_find(found, &p, &id);
}

static void test_places(void **state)
{
	static const char *const places[] = {
		"/usr/lib/debug/boot/vmlinux-" REL,
		"/usr/lib/debug/lib/modules/" REL "/vmlinux",
		"/usr/lib/debug/usr/lib/modules/" REL "/vmlinux",
		"/usr/lib/debug/.build-id/01/23456789abcdef0123456789abcdef01234567.debug",
		"/lib/modules/" REL "/build/vmlinux",
		"/lib/modules/" REL "/source/vmlinux",
		"/boot/vmlinux-" REL,
	};
	struct vmlinux_found found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct scratch s;

		scratch_make(&s);
		find(&found, &s, REL, NULL);
		assert_int_equal(found.n, 0);
		put_elf(s.dir, places[i], &(struct made){ ID, NULL, true, false });
		find(&found, &s, REL, NULL);
		assert_int_equal(found.n, 1);
		assert_int_equal(found.best, VMLINUX_MATCH);
		assert_string_equal(found.files[0].path + strlen(s.dir), places[i]);
		clean(&s);
	}
}

/* The best of several counts, not the first; and each file once. */
static void test_best(void **state)
{
	struct vmlinux_found found;
	char from[PATH_MAX], to[PATH_MAX];
	struct scratch s;

	(void)state;
	scratch_make(&s);
	put_elf(s.dir, "/usr/lib/debug/boot/vmlinux-" REL, &(struct made){ "aabb", NULL, true, 0 });
	put_elf(s.dir, "/boot/vmlinux-" REL, &(struct made){ ID, NULL, false, 0 });
	find(&found, &s, REL, NULL);
	assert_int_equal(found.n, 2);
	assert_int_equal(found.best, VMLINUX_MISMATCH);
	/* a build tree, by an absolute link that begins at that root */
	put_elf(s.dir, "/usr/src/linux/vmlinux", &(struct made){ ID, NULL, true, 0 });
	put_bytes(s.dir, "/lib/modules/" REL "/modules.order", "", 0);
	tree_path(to, s.dir, "/lib/modules/" REL "/build");
	assert_int_equal(symlink("/usr/src/linux", to), 0);
	tree_path(to, s.dir, "/lib/modules/" REL "/source");
	assert_int_equal(symlink("../../../usr/src/linux", to), 0);
	find(&found, &s, REL, NULL);
	assert_int_equal(found.n, 3);
	assert_int_equal(found.best, VMLINUX_MATCH);
	assert_int_equal(found.best_at, 1);
	tree_path(from, s.dir, "/usr/src/linux/vmlinux");
	assert_string_equal(found.files[1].path, from);
	clean(&s);
}

static void test_debuginfod(void **state)
{
	struct vmlinux_places p = { 0 };
	struct vmlinux_found found;
	char own[PATH_MAX], xdg[PATH_MAX], home[PATH_MAX];
	struct scratch s;

	(void)state;
	scratch_make(&s);
	tree_path(own, s.dir, "/own");
	tree_path(xdg, s.dir, "/xdg");
	tree_path(home, s.dir, "/home");
	put_elf(home, "/.cache/debuginfod_client/" ID "/debuginfo",
		&(struct made){ ID, NULL, true, 0 });
	p.home = home;
	find(&found, &s, REL, &p);
	assert_int_equal(found.best, VMLINUX_MATCH);
	p.xdg_cache = xdg;
	find(&found, &s, REL, &p);
	assert_int_equal(found.n, 0);
	put_elf(xdg, "/debuginfod_client/" ID "/debuginfo", &(struct made){ ID, NULL, true, 0 });
	find(&found, &s, REL, &p);
	assert_int_equal(found.best, VMLINUX_MATCH);
	p.debuginfod = own;
	find(&found, &s, REL, &p);
	assert_int_equal(found.n, 0);
	put_elf(own, "/" ID "/debuginfo", &(struct made){ ID, NULL, true, 0 });
	find(&found, &s, REL, &p);
	assert_int_equal(found.best, VMLINUX_MATCH);
	/* and the directory that one is in */
	p = (struct vmlinux_places){ .here = s.dir };
	put_elf(s.dir, "/vmlinux", &(struct made){ ID, NULL, true, 0 });
	find(&found, &s, REL, &p);
	assert_int_equal(found.n, 1);
	/* or was unpacked into */
	tree_path(own, s.dir, "/dir");
	p.here = own;
	put_elf(own, "/usr/lib/debug/lib/modules/" REL "/vmlinux",
		&(struct made){ ID, NULL, true, 0 });
	find(&found, &s, REL, &p);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.best, VMLINUX_MATCH);
	clean(&s);
}

/* What is no word is never a part of a path: with "../", a file outside of the places would be. */
static void test_hostile_release(void **state)
{
	static const char *const releases[] = { "../../../evil",
						"x/../../../../evil",
						"..",
						".",
						"",
						"a b",
						"a\nb",
						"\x1b[2J",
						"%s%n",
						"-k" };
	struct vmlinux_found found;
	struct scratch s;

	(void)state;
	scratch_make(&s);
	put_elf(s.dir, "/evil.d/vmlinux", &(struct made){ ID, NULL, true, 0 });
	put_elf(s.dir, "/evil", &(struct made){ ID, NULL, true, 0 });
	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		assert_false(vmlinux_is_word(releases[i]));
		find(&found, &s, releases[i], &(struct vmlinux_places){ .here = s.dir });
		assert_int_equal(found.n, 0);
	}
	assert_true(vmlinux_is_word("7.2.12+deb14~rc1-cloud_amd64"));
	assert_false(vmlinux_is_build_id("../../../../etc"));
	assert_false(vmlinux_is_build_id("ab"));
	assert_false(vmlinux_is_build_id("abcde"));
	assert_true(vmlinux_is_build_id("abcdef"));
	clean(&s);
}

/* --- dumps --- */

static void test_dump(void **state)
{
	static const struct {
		const char *more, *release, *build_id;
	} t[] = {
		{ "info BUILD-ID=" ID "\n", "6.1.0-test", ID },
		{ "drop BUILD-ID\n", "6.1.0-test", "" },
		{ "info BUILD-ID=../../../etc/passwd\n", "6.1.0-test", "" },
		{ "info BUILD-ID=ABCD\n", "6.1.0-test", "" },
		{ "info OSRELEASE=\x1b[31m../x\n", "?[31m../x", ID },
	};
	char dir[256], path[PATH_MAX];
	struct scratch s;

	(void)state;
	scratch_make(&s);
	scratch_beside(__FILE__, "../../dumper/tests/golden", dir, sizeof(dir));
	scratch_path(&s, path, sizeof(path), "vmcore");
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct mkcore *mk = mkcore_load(dir, "linux-6.1.txt", t[i].more);
		struct core *core = NULL;
		struct vmlinux_id id;
		struct err e = { 0 };

		mkcore_write(mk, path);
		mkcore_free(mk);
		assert_int_equal(core_open(&core, path, CORE_PARTIAL, &e), 0);
		vmlinux_id_read(&id, core);
		core_close(core);
		assert_string_equal(id.release, t[i].release);
		assert_string_equal(id.build_id, t[i].build_id);
		/* there is neither utsname nor a log in that memory */
		assert_string_equal(id.version, "");
		assert_string_equal(id.banner, "");
	}
	clean(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),	   cmocka_unit_test(test_not_elf),
		cmocka_unit_test(test_places),	   cmocka_unit_test(test_best),
		cmocka_unit_test(test_debuginfod), cmocka_unit_test(test_hostile_release),
		cmocka_unit_test(test_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
