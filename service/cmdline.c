/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmdline.h"

#include <errno.h>
#include <string.h>

/* What is not handed on, and why. Names are compared as the kernel does: '-' is '_'. */
static const struct {
	const char *name, *why;
} dropped[] = {
	/* memory: the capture kernel has only its reservation */
	{ "crashkernel", "it must not reserve from the reservation" },
	{ "hugepages", "takes memory" },
	{ "hugepagesz", "goes with hugepages=" },
	{ "default_hugepagesz", "goes with hugepages=" },
	{ "hugetlb_cma", "takes memory" },
	{ "cma", "takes memory" },
	{ "log_buf_len", "takes memory" },
	{ "swiotlb", "takes memory; the kernel sizes it" },
	{ "retain_initrd", "keeps the memory of the initramfs" },
	{ "page_owner", "takes memory" },
	{ "slub_debug", "takes memory and time" },
	{ "slab_debug", "takes memory and time" },
	{ "debug_pagealloc", "takes memory and time" },
	{ "kernelcore", "sized for the whole machine" },
	{ "movablecore", "sized for the whole machine" },
	{ "movable_node", "may leave the kernel no memory" },
	{ "mem", "kexec gives the memory map" },
	{ "memmap", "kexec gives the memory map" },
	{ "memtest", "takes time" },
	/* CPUs: there is one, or as many as --cpus says */
	{ "nr_cpus", "set below" },
	{ "maxcpus", "nr_cpus= takes its place" },
	{ "possible_cpus", "nr_cpus= takes its place" },
	{ "isolcpus", "names CPUs that are not there" },
	{ "nohz_full", "names CPUs that are not there" },
	{ "rcu_nocbs", "names CPUs that are not there" },
	/* what is booted: PID 1 is in the initramfs */
	{ "BOOT_IMAGE", "the boot loader's note of another kernel" },
	{ "initrd", "the boot loader's" },
	{ "noinitrd", "the initramfs is all there is" },
	{ "init", "belongs to the root file system" },
	{ "rdinit", "PID 1 is /init" },
	{ "root", "there is no root file system" },
	{ "rootfstype", "goes with root=" },
	{ "rootflags", "goes with root=" },
	{ "rootdelay", "goes with root=" },
	{ "rootwait", "waits for root=" },
	{ "nfsroot", "goes with root=" },
	{ "ro", "goes with root=" },
	{ "rw", "goes with root=" },
	{ "ip", "waits for a network" },
	{ "resume", "would overwrite the swap's image" },
	{ "resume_offset", "goes with resume=" },
	{ "resumewait", "waits for resume=" },
	{ "resumedelay", "waits for resume=" },
	{ "nomodule", "the storage drivers may be modules" },
	/* a fault in the capture kernel costs the dump, not PID 1's way to the reboot */
	{ "panic", "set below" },
	{ "oops", "an oops must not end the dump" },
	{ "panic_on_oops", "an oops must not end the dump" },
	{ "sysctl.kernel.panic", "as panic=" },
	{ "sysctl.kernel.panic_on_oops", "as panic_on_oops" },
	{ "sysctl.kernel.panic_on_warn", "as panic_on_warn" },
	{ "sysctl.vm.panic_on_oom", "the dump's process is ended instead, and tried again" },
	{ "panic_on_warn", "a warning must not end the dump" },
	{ "softlockup_panic", "a slow disk must not end the dump" },
	{ "hung_task_panic", "a slow disk must not end the dump" },
	{ "hardlockup_panic", "must not end the dump" },
	/* of an earlier kexec */
	{ "elfcorehdr", "kexec adds it" },
	{ "dmcryptkeys", "kexec adds it" },
	{ "irqpoll", "set below" },
	{ "reset_devices", "set below" },
	{ "acpi_no_memhotplug", "set below" },
};

/* What a capture kernel needs: devices are in the state the crash left them in. */
static const struct {
	const char *word, *why;
} added[] = {
	{ "nr_cpus=1", "a second CPU costs memory, and bringing it up may hang" },
	{ "irqpoll", "an interrupt of a device without a driver yet must not be turned off" },
	{ "reset_devices", "drivers reset what they find running" },
	{ "acpi_no_memhotplug", "memory that was hot-added is the dead kernel's, not free to use" },
	{ "panic=10", "a panic here reboots the machine" },
	{ "nokaslr", "a place by chance is of no use here, and one thing more that may go wrong" },
	{ "cryptomgr.notests", "tests of ciphers and hashes take time and memory" },
	/* not cgroup_disable=memory: with it a 7.2 that has to reclaim while it starts oopses */
	{ "cgroup.memory=nokmem", "4 MiB of pointers for each 2 MiB of per-CPU memory" },
};

/* One word of a command line: spaces in double quotes belong to it. */
struct word {
	const char *at;
	size_t len;
};

static bool word_next(const char **text, struct word *w)
{
	const char *p = *text + strspn(*text, " \t\r\n");
	bool quoted = false;

	w->at = p;
	for (; *p && (quoted || !strchr(" \t\r\n", *p)); p++)
		if (*p == '"')
			quoted = !quoted;
	w->len = (size_t)(p - w->at);
	*text = p;
	return w->len > 0;
}

static char fold(char c)
{
	return c == '-' ? '_' : c;
}

/* Whether the word is name or name=value; the kernel takes it quoted as a whole, too. */
static bool word_is(const struct word *w, const char *name)
{
	const char *p = w->at, *end = w->at + w->len;

	if (*p == '"')
		p++;
	for (; *name; name++, p++)
		if (p == end || fold(*p) != fold(*name))
			return false;
	return p == end || *p == '=' || *p == '"';
}

static bool word_dropped(const struct word *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		if (word_is(w, dropped[i].name))
			return true;
	return false;
}

bool cmdline_has(const char *text, const char *name)
{
	struct word w;

	while (text && word_next(&text, &w))
		if (word_is(&w, name))
			return true;
	return false;
}

static bool has_name_of(const char *text, const char *like)
{
	char name[32];
	size_t len = strcspn(like, "=");

	if (len >= sizeof(name))
		return false;
	memcpy(name, like, len);
	name[len] = '\0';
	return cmdline_has(text, name);
}

struct line {
	char *buf;
	size_t len, lost; /* lost: bytes there was no room for */
};

static void line_add(struct line *l, const char *text, size_t len)
{
	size_t gap = l->len > 0;

	if (l->lost || len + gap > CMDLINE_MAX - l->len) {
		l->lost += len + gap;
		return;
	}
	if (gap)
		l->buf[l->len++] = ' ';
	memcpy(l->buf + l->len, text, len);
	l->len += len;
	l->buf[l->len] = '\0';
}

static void line_add_words(struct line *l, const char *text)
{
	struct word w;

	while (text && word_next(&text, &w))
		line_add(l, w.at, w.len);
}

static int line_end(const struct line *l, struct err *e)
{
	if (l->lost)
		return err_set(e, -E2BIG,
			       "the command line would have %zu bytes, the kernel takes %d: give a "
			       "shorter one with --cmdline",
			       l->len + l->lost, CMDLINE_MAX);
	return (int)l->len;
}

int cmdline_make(char buf[static CMDLINE_CAP], const char *running, const char *cpus,
		 const char *spare, const char *append, struct err *e)
{
	struct line l = { .buf = buf };
	struct word w;

	buf[0] = '\0';
	while (word_next(&running, &w)) {
		/* the rest is for the production system's init */
		if (w.len == 2 && !memcmp(w.at, "--", 2))
			break;
		if (!word_dropped(&w))
			line_add(&l, w.at, w.len);
	}
	line_add_words(&l, cpus);
	for (size_t i = 0; i < ARRAY_SIZE(added); i++)
		if (!has_name_of(cpus, added[i].word) && !has_name_of(append, added[i].word))
			line_add(&l, added[i].word, strlen(added[i].word));
	if (spare && !has_name_of(append, spare))
		line_add_words(&l, spare);
	line_add_words(&l, append);
	return line_end(&l, e);
}

int cmdline_take(char buf[static CMDLINE_CAP], const char *text, struct err *e)
{
	struct line l = { .buf = buf };

	buf[0] = '\0';
	line_add_words(&l, text);
	return line_end(&l, e);
}
