/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "../cmdline.h"

#define SMALL "nokaslr cryptomgr.notests cgroup.memory=nokmem"
#define ADDED_BUT_CPUS "irqpoll reset_devices acpi_no_memhotplug panic=10 " SMALL
#define ADDED "nr_cpus=1 " ADDED_BUT_CPUS

static void test_make(void **state)
{
	static const struct {
		const char *running, *append, *want;
	} t[] = {
		{ "", NULL, ADDED },
		{ "\n", "", ADDED },
		{ "BOOT_IMAGE=/boot/vmlinuz-6.1 root=UUID=1 ro quiet console=ttyS0,115200 "
		  "console=tty0 crashkernel=256M\n",
		  NULL, "quiet console=ttyS0,115200 console=tty0 " ADDED },
		/* every occurrence goes, and values already there are replaced */
		{ "crashkernel=1G-:128M crashkernel=64M,low panic=30 nr_cpus=4 maxcpus=8 irqpoll "
		  "acpi_no_memhotplug",
		  NULL, ADDED },
		/* the same by another name */
		{ "sysctl.vm.panic_on_oom=1 sysctl.kernel.panic_on_oops=1 sysctl.kernel.panic=0 "
		  "sysctl.vm.swappiness=0",
		  NULL, "sysctl.vm.swappiness=0 " ADDED },
		/* '-' is '_' in names, not in values */
		{ "panic-on-warn=1 hugepagesz=1G hugepages=8 default-hugepagesz=1G mem=4G "
		  "memmap=64K$0x18690000 foo=ro-rw",
		  NULL, "foo=ro-rw " ADDED },
		/* a name that only begins like a dropped one stays */
		{ "rootless=1 rows=5 initcall_debug memory_corruption_check=0 init_on_alloc=1",
		  NULL,
		  "rootless=1 rows=5 initcall_debug memory_corruption_check=0 "
		  "init_on_alloc=1 " ADDED },
		/* quotes keep a word together; the kernel takes either form */
		{ "dyndbg=\"file a.c +p; ro \" \"root=a b\" root=\"c d\" x=\"y\"", NULL,
		  "dyndbg=\"file a.c +p; ro \" x=\"y\" " ADDED },
		{ "a=\"never closed ro", NULL, "a=\"never closed ro " ADDED },
		/* what is for the production system's init is not handed on */
		{ "console=ttyS0 rdinit=/x -- --listen 80 single", NULL, "console=ttyS0 " ADDED },
		{ "a --b -- c", NULL, "a --b " ADDED },
		/* append comes last, and takes the place of a default */
		{ "a b", "crashpod.timeout=60  x", "a b " ADDED " crashpod.timeout=60 x" },
		{ "nr_cpus=8", "nr-cpus=2 panic=0",
		  "irqpoll reset_devices acpi_no_memhotplug " SMALL " nr-cpus=2 panic=0" },
		{ "", "root=/dev/vda1 --", ADDED " root=/dev/vda1 --" },
	};
	char buf[CMDLINE_CAP];
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		int rc = cmdline_make(buf, t[i].running, NULL, NULL, t[i].append, &e);

		assert_string_equal(buf, t[i].want);
		assert_int_equal(rc, strlen(t[i].want));
	}
}

/* The words about CPUs take the place of the default, and what append says comes last. */
static void test_cpus(void **state)
{
	static const struct {
		const char *cpus, *append, *want;
	} t[] = {
		{ NULL, NULL, "q " ADDED },
		{ "", NULL, "q " ADDED },
		{ "nr_cpus=1", NULL, "q " ADDED },
		{ "nr_cpus=4 disable_cpu_apicid=0", NULL,
		  "q nr_cpus=4 disable_cpu_apicid=0 " ADDED_BUT_CPUS },
		{ "nr_cpus=4", "disable_cpu_apicid=2 panic=0",
		  "q nr_cpus=4 irqpoll reset_devices acpi_no_memhotplug " SMALL
		  " disable_cpu_apicid=2 panic=0" },
	};
	char buf[CMDLINE_CAP];
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_true(cmdline_make(buf, "q nr_cpus=9", t[i].cpus, NULL, t[i].append, &e) > 0);
		assert_string_equal(buf, t[i].want);
	}
}

/* What append says of the parts to be left out is the last word; the running kernel's adds up. */
static void test_spare(void **state)
{
	static const struct {
		const char *running, *append, *want;
	} t[] = {
		{ "q", NULL, "q " ADDED " initcall_blacklist=a,b" },
		{ "initcall_blacklist=c", NULL,
		  "initcall_blacklist=c " ADDED " initcall_blacklist=a,b" },
		{ "q", "initcall_blacklist= x", "q " ADDED " initcall_blacklist= x" },
	};
	char buf[CMDLINE_CAP];
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_true(cmdline_make(buf, t[i].running, NULL, "initcall_blacklist=a,b",
					 t[i].append, &e) > 0);
		assert_string_equal(buf, t[i].want);
	}
}

static void test_has(void **state)
{
	static const struct {
		const char *text, *name;
		bool has;
	} t[] = {
		{ NULL, "nr_cpus", false },
		{ "", "nr_cpus", false },
		{ "a nr-cpus=2\n", "nr_cpus", true },
		{ "a \"nr_cpus=2\"", "nr_cpus", true },
		{ "a=\"b nr_cpus=2\" xnr_cpus=1 nr_cpusx=1", "nr_cpus", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(cmdline_has(t[i].text, t[i].name), t[i].has);
}

/* One word of n bytes: the longest that fits, and one more. */
static void test_limit(void **state)
{
	char text[CMDLINE_MAX + 2], buf[CMDLINE_CAP];
	const size_t most = CMDLINE_MAX - strlen(" " ADDED);
	struct err e = { 0 };

	(void)state;
	assert_int_equal(CMDLINE_MAX + 1 + 30 + 31, 2047);
	memset(text, 'x', sizeof(text));
	text[most] = '\0';
	assert_int_equal(cmdline_make(buf, text, NULL, NULL, NULL, &e), CMDLINE_MAX);
	assert_int_equal(strlen(buf), CMDLINE_MAX);
	text[most] = 'x';
	text[most + 1] = '\0';
	assert_int_equal(cmdline_make(buf, text, NULL, NULL, NULL, &e), -E2BIG);
	assert_non_null(strstr(e.msg, "would have 1986 bytes, the kernel takes 1985"));

	text[most + 1] = 'x';
	text[CMDLINE_MAX] = '\0';
	assert_int_equal(cmdline_take(buf, text, &e), CMDLINE_MAX);
	text[CMDLINE_MAX] = 'x';
	text[CMDLINE_MAX + 1] = '\0';
	assert_int_equal(cmdline_take(buf, text, &e), -E2BIG);
}

static void test_take(void **state)
{
	char buf[CMDLINE_CAP];

	(void)state;
	assert_int_equal(cmdline_take(buf, " root=/dev/vda1\tro  -- x\n", NULL), 22);
	assert_string_equal(buf, "root=/dev/vda1 ro -- x");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make),  cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_spare), cmocka_unit_test(test_has),
		cmocka_unit_test(test_limit), cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
