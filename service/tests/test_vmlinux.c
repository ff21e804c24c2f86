/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which vmlinux belongs to a dump: packages by what kernels say of themselves, made-up ELF files in
 * made-up roots, and what a hostile dump may not do. */
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

#define REL MADE_RELEASE
#define VERSION "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-07-02)"
#define BANNER "Linux version " REL " (debian-kernel@lists.debian.org) (gcc-12, GNU ld) "
#define ID "0123456789abcdef0123456789abcdef01234567"

/* --- packages --- */

static const struct {
	const char *release, *version, *banner;
	const char *distribution, *package, *package_version, *command;
} kernels[] = {
	{ REL, VERSION, "", "Debian", "linux-image-" REL "-dbg", "6.1.176-1",
	  "apt-get install linux-image-" REL "-dbg=6.1.176-1" },
	{ "7.2.12+deb14-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 7.2.12-1 (2026-10-22)", "", "Debian",
	  "linux-image-7.2.12+deb14-amd64-dbg", "7.2.12-1",
	  "apt-get install linux-image-7.2.12+deb14-amd64-dbg=7.2.12-1" },
	{ "6.12.9+bpo-rt-amd64", "#1 SMP PREEMPT_RT Debian 6.12.9-1~bpo12+1 (2025-01-19)", "",
	  "Debian", "linux-image-6.12.9+bpo-rt-amd64-dbg", "6.12.9-1~bpo12+1",
	  "apt-get install linux-image-6.12.9+bpo-rt-amd64-dbg=6.12.9-1~bpo12+1" },
	{ REL, "", BANNER, "Debian", "linux-image-" REL "-dbg", "",
	  "apt-get install linux-image-" REL "-dbg" },
	/* a version that is no word is not used */
	{ REL, "#1 SMP Debian 6.1;reboot (2026)", "", "Debian", "linux-image-" REL "-dbg", "",
	  "apt-get install linux-image-" REL "-dbg" },
	{ "5.15.0-122-generic", "#132-Ubuntu SMP Thu Aug 29 13:45:52 UTC 2024", "", "Ubuntu",
	  "linux-image-unsigned-5.15.0-122-generic-dbgsym", "5.15.0-122.132",
	  "apt-get install linux-image-unsigned-5.15.0-122-generic-dbgsym=5.15.0-122.132" },
	{ "5.15.0-122-generic", "#132~20.04.1-Ubuntu SMP Fri Aug 30 15:50:07 UTC 2024", "",
	  "Ubuntu", "linux-image-unsigned-5.15.0-122-generic-dbgsym", "5.15.0-122.132~20.04.1",
	  "apt-get install "
	  "linux-image-unsigned-5.15.0-122-generic-dbgsym=5.15.0-122.132~20.04.1" },
	{ "5.15.0-122-generic", "#$(id)-Ubuntu SMP", "", "Ubuntu",
	  "linux-image-unsigned-5.15.0-122-generic-dbgsym", "",
	  "apt-get install linux-image-unsigned-5.15.0-122-generic-dbgsym" },
	{ "6.6.0-28.0.0.34.oe2403.x86_64", "#1 SMP Thu May 23 08:40:34 UTC 2024", "", "openEuler",
	  "kernel-debuginfo-6.6.0-28.0.0.34.oe2403.x86_64", "",
	  "dnf install --enablerepo='*debug*' kernel-debuginfo-6.6.0-28.0.0.34.oe2403.x86_64" },
	{ "5.10.0-60.18.0.rt62.50.oe2203.x86_64", "#1 SMP PREEMPT_RT", "", "openEuler",
	  "kernel-rt-debuginfo-5.10.0-60.18.0.rt62.50.oe2203.x86_64", "",
	  "dnf install --enablerepo='*debug*' "
	  "kernel-rt-debuginfo-5.10.0-60.18.0.rt62.50.oe2203.x86_64" },
	{ "6.8.5-301.fc40.x86_64", "#1 SMP PREEMPT_DYNAMIC", "", "Fedora",
	  "kernel-debuginfo-6.8.5-301.fc40.x86_64", "",
	  "dnf install --enablerepo='*debug*' kernel-debuginfo-6.8.5-301.fc40.x86_64" },
	{ "6.8.5-301.fc40.x86_64+debug", "#1 SMP PREEMPT_DYNAMIC", "", "Fedora",
	  "kernel-debug-debuginfo-6.8.5-301.fc40.x86_64", "",
	  "dnf install --enablerepo='*debug*' kernel-debug-debuginfo-6.8.5-301.fc40.x86_64" },
	{ "5.14.0-427.el9.x86_64", "#1 SMP",
	  "Linux version 5.14.0-427.el9.x86_64 (mockbuild@x86-05.stream.rdu2.redhat.com) (gcc) #1",
	  "CentOS", "kernel-debuginfo-5.14.0-427.el9.x86_64", "",
	  "dnf install --enablerepo='*debug*' kernel-debuginfo-5.14.0-427.el9.x86_64" },
	{ "5.14.0-427.13.1.el9_4.x86_64+rt-debug", "#1 SMP PREEMPT_RT",
	  "Linux version 5.14 (mockbuild@prod.rockylinux.org) #1", "Rocky Linux",
	  "kernel-rt-debug-debuginfo-5.14.0-427.13.1.el9_4.x86_64", "",
	  "dnf install --enablerepo='*debug*' "
	  "kernel-rt-debug-debuginfo-5.14.0-427.13.1.el9_4.x86_64" },
	{ "5.14.0-427.13.1.el9_4.x86_64", "#1 SMP", "(mockbuild@x64-builder02.almalinux.org)",
	  "AlmaLinux", "kernel-debuginfo-5.14.0-427.13.1.el9_4.x86_64", "",
	  "dnf install --enablerepo='*debug*' kernel-debuginfo-5.14.0-427.13.1.el9_4.x86_64" },
	{ "4.18.0-553.rt7.342.el8_10.x86_64", "#1 SMP PREEMPT_RT", "", "RHEL",
	  "kernel-rt-debuginfo-4.18.0-553.rt7.342.el8_10.x86_64", "",
	  "subscription-manager repos --enable rhel-8-for-x86_64-baseos-debug-rpms" },
	{ "5.14.0-427.el9.aarch64+64k", "#1 SMP", "", "RHEL",
	  "kernel-64k-debuginfo-5.14.0-427.el9.aarch64", "",
	  "subscription-manager repos --enable rhel-9-for-aarch64-baseos-debug-rpms" },
	{ "6.1.176-selfbuilt", "#1 SMP Wed Nov 25", "", NULL, "", "", NULL },
	/* hostile */
	{ "6.1.0.oe1;reboot", "#1 SMP", "", NULL, "", "", NULL },
	{ "../../etc.oe1", "#1 SMP Debian 1 (x)", "", NULL, "", "", NULL },
	{ "-o.el9.x86_64", "#1-Ubuntu", "", NULL, "", "", NULL },
	{ "", VERSION, BANNER, NULL, "", "", NULL },
};

static void make_id(struct vmlinux_id *id, const char *release, const char *version,
		    const char *banner, const char *build_id)
{
	memset(id, 0, sizeof(*id));
	snprintf(id->release, sizeof(id->release), "%s", release);
	snprintf(id->version, sizeof(id->version), "%s", version);
	snprintf(id->banner, sizeof(id->banner), "%s", banner);
	snprintf(id->build_id, sizeof(id->build_id), "%s", build_id);
}

static void test_packages(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct vmlinux_plan p;
		struct vmlinux_id id;
		bool found = false;

		make_id(&id, kernels[i].release, kernels[i].version, kernels[i].banner, "");
		vmlinux_plan_make(&p, &id);
		if (kernels[i].distribution) {
			assert_non_null(p.distribution);
			assert_string_equal(p.distribution, kernels[i].distribution);
		} else {
			assert_null(p.distribution);
		}
		assert_string_equal(p.package, kernels[i].package);
		assert_string_equal(p.version, kernels[i].package_version);
		for (unsigned c = 0; c < p.ncommands; c++)
			found |= kernels[i].command && !strcmp(p.commands[c], kernels[i].command);
		if (found != (kernels[i].command != NULL))
			fail_msg("%s: %u commands, the first '%s'", id.release, p.ncommands,
				 p.commands[0]);
		assert_true(p.ncommands > 0 || p.nnotes > 0);
	}
}

static bool has_note(const struct vmlinux_plan *p, const char *text)
{
	for (unsigned i = 0; i < p->nnotes; i++)
		if (strstr(p->notes[i], text))
			return true;
	return false;
}

static void test_archives(void **state)
{
	static const struct {
		const char *release, *version, *note;
	} t[] = {
		{ REL, VERSION, "http://deb.debian.org/debian bookworm main" },
		{ REL, VERSION,
		  "http://security.debian.org/debian-security bookworm-security main" },
		{ REL, VERSION, "https://snapshot.debian.org/package/linux/6.1.176-1/" },
		{ "6.12.117+deb13-amd64", "#1 SMP Debian 6.12.117-1 (2026)", "debian trixie main" },
		{ "5.10.0-32-amd64", "#1 SMP Debian 5.10.223-1 (2024)", "bullseye-security main" },
		{ "6.12.9+bpo-amd64", "#1 SMP Debian 6.12.9-1~bpo12+1 (2025)",
		  "debian bookworm-backports main" },
	};
	struct vmlinux_plan p;
	struct vmlinux_id id;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		make_id(&id, t[i].release, t[i].version, "", "");
		vmlinux_plan_make(&p, &id);
		if (!has_note(&p, t[i].note))
			fail_msg("%s: no note '%s'", t[i].release, t[i].note);
	}
	/* a backport's archive is not that of the release its number begins with */
	assert_false(has_note(&p, "bookworm main"));
}

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
		cmocka_unit_test(test_packages),   cmocka_unit_test(test_archives),
		cmocka_unit_test(test_states),	   cmocka_unit_test(test_not_elf),
		cmocka_unit_test(test_places),	   cmocka_unit_test(test_best),
		cmocka_unit_test(test_debuginfod), cmocka_unit_test(test_hostile_release),
		cmocka_unit_test(test_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
