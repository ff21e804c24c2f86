/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmlinux_dist.c - the package of debug information of a distribution's kernel, and what installs
 * it. By what the kernel says of itself:
 *   Debian     uname -v ends with "Debian VERSION (DATE)"
 *   Ubuntu     uname -v has "#UPLOAD-Ubuntu"
 *   the rest   uname -r is VERSION-RELEASE.TAG.ARCH[+FLAVOUR], the package's own name */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmlinux.h"

#define WORD VMLINUX_TEXT

static __attribute__((format(printf, 2, 3))) void command(struct vmlinux_plan *p, const char *fmt,
							  ...)
{
	va_list ap;

	if (p->ncommands == VMLINUX_LINES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(p->commands[p->ncommands++], sizeof(p->commands[0]), fmt, ap);
	va_end(ap);
}

static __attribute__((format(printf, 2, 3))) void note(struct vmlinux_plan *p, const char *fmt, ...)
{
	va_list ap;

	if (p->nnotes == VMLINUX_LINES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(p->notes[p->nnotes++], sizeof(p->notes[0]), fmt, ap);
	va_end(ap);
}

/* The word of text from from on, up to one of ends: false where it may not become a name. */
static bool word(char out[static WORD], const char *from, const char *ends)
{
	size_t n = strcspn(from, ends);

	if (!n || n >= WORD)
		return false;
	snprintf(out, WORD, "%.*s", (int)n, from);
	return vmlinux_is_word(out);
}

/* --- Debian --- */

/* Which suite a release of Debian's is of, by a part of it. */
static const struct {
	const char *part, *suite;
} debian_suites[] = {
	{ "+bpo", NULL }, /* backports: told by the version */
	{ "+deb14", "forky" },	   { "+deb13", "trixie" },  { "6.1.0-", "bookworm" },
	{ "5.10.0-", "bullseye" }, { "4.19.0-", "buster" },
};

static bool is_debian(const struct vmlinux_id *id)
{
	return strstr(id->version, " Debian ") || strstr(id->banner, "(debian-kernel@");
}

static void debian_archive(struct vmlinux_plan *p, const struct vmlinux_id *id)
{
	static const char archive[] = "deb http://deb.debian.org/debian";
	static const char security[] = "deb http://security.debian.org/debian-security";
	static const struct {
		const char *part, *suite;
	} backports[] = { { "~bpo11", "bullseye" },
			  { "~bpo12", "bookworm" },
			  { "~bpo13", "trixie" } };

	for (size_t i = 0; i < ARRAY_SIZE(backports); i++)
		if (strstr(p->version, backports[i].part))
			note(p, "from: %s %s-backports main", archive, backports[i].suite);
	for (size_t i = 0; i < ARRAY_SIZE(debian_suites); i++) {
		if (!strstr(id->release, debian_suites[i].part))
			continue;
		if (debian_suites[i].suite) {
			note(p, "from: %s %s main", archive, debian_suites[i].suite);
			note(p,
			     "or:   %s %s-security main (the two drift apart: one has this "
			     "version)",
			     security, debian_suites[i].suite);
		}
		break;
	}
	note(p, "when no archive has it any more: https://snapshot.debian.org/package/linux/%s/",
	     p->version);
}

static void plan_debian(struct vmlinux_plan *p, const struct vmlinux_id *id)
{
	const char *at = strstr(id->version, " Debian ");

	snprintf(p->package, sizeof(p->package), "linux-image-%s-dbg", id->release);
	if (!at || !word(p->version, at + strlen(" Debian "), " ")) {
		p->version[0] = '\0';
		command(p, "apt-get install %s", p->package);
		note(p,
		     "the dump does not tell the package's version: compare build-ids afterwards");
		return;
	}
	command(p, "apt-get install %s=%s", p->package, p->version);
	debian_archive(p, id);
	note(p,
	     "without installing: apt-get download %s=%s && dpkg-deb --fsys-tarfile %s_*.deb | tar "
	     "-x --wildcards '*/vmlinux*'",
	     p->package, p->version, p->package);
}

/* --- Ubuntu --- */

static bool is_ubuntu(const struct vmlinux_id *id)
{
	return strstr(id->version, "-Ubuntu") != NULL;
}

/* #132~20.04.1-Ubuntu and 5.15.0-122-generic: 5.15.0-122.132~20.04.1 */
static bool ubuntu_version(char out[static WORD], const struct vmlinux_id *id)
{
	const char *abi = strchr(id->release, '-');
	char upload[WORD];
	int n;

	if (!abi || id->version[0] != '#' || !word(upload, id->version + 1, "- "))
		return false;
	n = (int)(abi + 1 + strcspn(abi + 1, "-") - id->release);
	n = snprintf(out, WORD, "%.*s.%s", n, id->release, upload);
	return n < WORD && vmlinux_is_word(out);
}

static void plan_ubuntu(struct vmlinux_plan *p, const struct vmlinux_id *id)
{
	snprintf(p->package, sizeof(p->package), "linux-image-unsigned-%s-dbgsym", id->release);
	command(p, "apt-get install ubuntu-dbgsym-keyring");
	if (ubuntu_version(p->version, id)) {
		command(p, "apt-get install %s=%s", p->package, p->version);
	} else {
		p->version[0] = '\0';
		command(p, "apt-get install %s", p->package);
	}
	note(p, "from: deb http://ddebs.ubuntu.com SUITE main restricted universe multiverse, and "
		"the same for SUITE-updates; SUITE is VERSION_CODENAME of the machine's "
		"/etc/os-release");
	note(p, "a kernel that is not signed has it in linux-image-%s-dbgsym", id->release);
	note(p, "versions that ddebs has no more: https://launchpad.net/ubuntu/+source/linux, by "
		"build");
}

/* --- kernels of RPM packages --- */

/* Whether the release has TAG and a digit behind it: ".el9". */
static const char *tag(const struct vmlinux_id *id, const char *name)
{
	const char *at = strstr(id->release, name);

	return at && at[strlen(name)] >= '0' && at[strlen(name)] <= '9' ? at + strlen(name) : NULL;
}

static bool is_openeuler(const struct vmlinux_id *id)
{
	return tag(id, ".oe") != NULL;
}

static bool is_fedora(const struct vmlinux_id *id)
{
	return tag(id, ".fc") != NULL;
}

static bool built_at(const struct vmlinux_id *id, const char *host)
{
	return tag(id, ".el") && strstr(id->banner, host);
}

static bool is_centos(const struct vmlinux_id *id)
{
	return built_at(id, ".centos.org") || built_at(id, ".stream.");
}

static bool is_rocky(const struct vmlinux_id *id)
{
	return built_at(id, ".rockylinux.org");
}

static bool is_alma(const struct vmlinux_id *id)
{
	return built_at(id, ".almalinux.org");
}

static bool is_rhel(const struct vmlinux_id *id)
{
	return tag(id, ".el") != NULL;
}

/* "+rt-debug" is kernel-rt-debug; before RHEL 9 a realtime kernel had .rtN in its release. */
static void rpm_base(char out[static WORD], const struct vmlinux_id *id, const char *flavour)
{
	const char *rt = strstr(id->release, ".rt");

	if (*flavour)
		snprintf(out, WORD, "kernel-%.50s", flavour);
	else
		snprintf(out, WORD, "%s",
			 rt && rt[3] >= '0' && rt[3] <= '9' ? "kernel-rt" : "kernel");
}

static void plan_rpm(struct vmlinux_plan *p, const struct vmlinux_id *id)
{
	size_t n = strcspn(id->release, "+");
	char base[WORD];

	rpm_base(base, id, id->release[n] ? id->release + n + 1 : "");
	snprintf(p->package, sizeof(p->package), "%s-debuginfo-%.*s", base, (int)n, id->release);
	command(p, "dnf install --enablerepo='*debug*' %s", p->package);
	note(p,
	     "it comes with kernel-debuginfo-common; vmlinux is then in "
	     "/usr/lib/debug/lib/modules/%s",
	     id->release);
	note(p, "without installing: rpm2cpio %s.rpm | cpio -idm '*/vmlinux'", p->package);
}

static void plan_openeuler(struct vmlinux_plan *p, const struct vmlinux_id *id)
{
	plan_rpm(p, id);
	note(p, "from: debuginfo and update of the version of openEuler that the kernel is of, "
		"below https://repo.openeuler.org/");
}

static void plan_fedora(struct vmlinux_plan *p, const struct vmlinux_id *id)
{
	plan_rpm(p, id);
	note(p, "builds that the repositories have no more: koji download-build --debuginfo, from "
		"https://koji.fedoraproject.org/");
	if (id->build_id[0])
		note(p,
		     "or: DEBUGINFOD_URLS=https://debuginfod.fedoraproject.org/ debuginfod-find "
		     "debuginfo %s",
		     id->build_id);
}

static void plan_centos(struct vmlinux_plan *p, const struct vmlinux_id *id)
{
	plan_rpm(p, id);
	if (id->build_id[0])
		note(p,
		     "or: DEBUGINFOD_URLS=https://debuginfod.centos.org/ debuginfod-find "
		     "debuginfo %s",
		     id->build_id);
}

static void plan_rhel(struct vmlinux_plan *p, const struct vmlinux_id *id)
{
	const char *major = tag(id, ".el");
	const char *arch = strrchr(id->release, '.');
	size_t digits = strspn(major, "0123456789");
	char machine[WORD];

	if (digits <= 2 && word(machine, arch + 1, "+"))
		command(p, "subscription-manager repos --enable rhel-%.*s-for-%s-baseos-debug-rpms",
			(int)digits, major, machine);
	plan_rpm(p, id);
}

/* The first that a kernel is of counts. */
static const struct {
	const char *name;
	bool (*is)(const struct vmlinux_id *id);
	void (*plan)(struct vmlinux_plan *p, const struct vmlinux_id *id);
} distributions[] = {
	{ "Debian", is_debian, plan_debian },
	{ "Ubuntu", is_ubuntu, plan_ubuntu },
	{ "openEuler", is_openeuler, plan_openeuler },
	{ "Fedora", is_fedora, plan_fedora },
	{ "CentOS", is_centos, plan_centos },
	{ "Rocky Linux", is_rocky, plan_rpm },
	{ "AlmaLinux", is_alma, plan_rpm },
	{ "RHEL", is_rhel, plan_rhel },
};

void vmlinux_plan_make(struct vmlinux_plan *p, const struct vmlinux_id *id)
{
	memset(p, 0, sizeof(*p));
	if (!vmlinux_is_word(id->release)) {
		note(p, "the dump's kernel release is no name of a package");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(distributions); i++) {
		if (!distributions[i].is(id))
			continue;
		p->distribution = distributions[i].name;
		distributions[i].plan(p, id);
		return;
	}
	note(p,
	     "no distribution's that is known here: a kernel that was compiled by hand has its "
	     "vmlinux in the build tree, to which /lib/modules/%s/build leads",
	     id->release);
}
