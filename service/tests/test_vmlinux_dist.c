/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which package has a kernel's vmlinux, by what kernels say of themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "made_id.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packages),
		cmocka_unit_test(test_archives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
