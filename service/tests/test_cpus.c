/* SPDX-License-Identifier: GPL-2.0-or-later */
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

#include "../cpus.h"
#include "../run.h"
#include "../tree.h"

/* As 6.1 writes them; the second processor is not to be read. */
#define CPU(n) "processor\t: " n "\nvendor_id\t: GenuineIntel\nflags\t\t: fpu vme\n"
#define APIC(n) "cpu cores\t: 2\napicid\t\t: 7\ninitial apicid\t: " n "\n"
#define END "fpu\t\t: yes\npower management:\n\n"

struct tree {
	char root[32];
};

static void tree_make(struct tree *t, const char *cpuinfo)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(t->root, sizeof(t->root), "/tmp/crashpod-cpus-XXXXXX");
	assert_non_null(mkdtemp(t->root));
	if (!cpuinfo)
		return;
	assert_int_equal(tree_path(path, t->root, "/proc"), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(tree_path(path, t->root, "/proc/cpuinfo"), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(cpuinfo, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void tree_remove(const struct tree *t)
{
	const char *argv[] = { "rm", "-rf", "--", t->root, NULL };

	assert_int_equal(run_wait(argv, NULL), 0);
}

static void test_parse(void **state)
{
	static const char *const bad[] = { "",	 "0",	"-1",  "+2",  " 2",	    "2 ",
					   "2x", "two", "0x2", "257", "4294967297", "99999999999" };
	struct err e;
	unsigned n = 0;

	(void)state;
	assert_int_equal(cpus_parse("1", &n, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(cpus_parse("256", &n, &e), 0);
	assert_int_equal(n, 256);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char want[96];

		snprintf(want, sizeof(want), "--cpus takes a number from 1 to 256, not '%s'",
			 bad[i]);
		assert_int_equal(cpus_parse(bad[i], &n, &e), -EINVAL);
		assert_string_equal(e.msg, want);
	}
	assert_int_equal(n, 256);
}

static void test_boot_apicid(void **state)
{
	static const struct {
		const char *cpuinfo;
		int rc;
		u32 id;
		const char *msg;
	} t[] = {
		{ CPU("0") APIC("0") END CPU("1") APIC("1") END, 0, 0, NULL },
		{ CPU("0") APIC("30") END, 0, 30, NULL },
		{ CPU("0") APIC("4294967294") END, 0, 4294967294, NULL },
		/* Xen PV and other guests without an APIC; processor 0 taken offline */
		{ CPU("0") END CPU("1") APIC("1") END, -ENOENT, 0,
		  "/proc/cpuinfo has no 'initial apicid' of processor 0" },
		{ CPU("1") APIC("1") END, -ENOENT, 0, "of processor 0" },
		{ CPU("10") APIC("1") END, -ENOENT, 0, "of processor 0" },
		{ APIC("1") CPU("0") END, -ENOENT, 0, "of processor 0" },
		{ "", -ENOENT, 0, "of processor 0" },
		/* a line that was cut may hold half a number */
		{ CPU("0") "initial apicid\t: 12", -ENOENT, 0, "of processor 0" },
		{ CPU("0") APIC("-1") END, -EINVAL, 0, "initial apicid '-1' is none" },
		{ CPU("0") APIC("4294967295") END, -EINVAL, 0, "'4294967295' is none" },
		{ CPU("0") APIC("") END, -EINVAL, 0, "'' is none" },
		{ NULL, -ENOENT, 0, "/proc/cpuinfo: No such file" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct err e = { 0 };
		struct tree tree;
		u32 id = 0;

		tree_make(&tree, t[i].cpuinfo);
		assert_int_equal(cpus_boot_apicid(tree.root, &id, &e), t[i].rc);
		assert_int_equal(id, t[i].id);
		if (t[i].msg && !strstr(e.msg, t[i].msg))
			fail_msg("'%s' lacks '%s'", e.msg, t[i].msg);
		tree_remove(&tree);
	}
}

static void test_words(void **state)
{
	static const struct {
		const char *cpuinfo;
		unsigned n;
		const char *running, *append, *want;
	} t[] = {
		{ CPU("0") APIC("3") END, 2, "quiet\n", NULL, "nr_cpus=2 disable_cpu_apicid=3" },
		{ CPU("0") APIC("3") END, 256, "", "a", "nr_cpus=256 disable_cpu_apicid=3" },
		/* one CPU brings up no other; what is said already stands, and needs no file */
		{ NULL, 1, "", NULL, "nr_cpus=1" },
		{ NULL, 2, "", "a disable-cpu-apicid=1", "nr_cpus=2" },
		{ NULL, 2, "nr_cpus=2 disable_cpu_apicid=1\n", NULL, "nr_cpus=2" },
		{ NULL, 2, "", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char buf[CPUS_WORDS_CAP];
		struct err e = { 0 };
		struct tree tree;
		int rc;

		tree_make(&tree, t[i].cpuinfo);
		rc = cpus_words(buf, tree.root, t[i].n, t[i].running, t[i].append, &e);
		tree_remove(&tree);
		assert_int_equal(rc, t[i].want ? 0 : -ENOENT);
		if (t[i].want)
			assert_string_equal(buf, t[i].want);
		else
			assert_string_equal(e.msg,
					    "the boot CPU is not known (name it: --append "
					    "disable_cpu_apicid=ID): /proc/cpuinfo: No such file "
					    "or directory");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_boot_apicid),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
