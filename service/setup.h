/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup.h - makes a plan (changes.h) of all that a machine lacks to capture its next crash.
 * In:     root: "" or another root directory, as in tree.h.
 * Errors: what stands in the way is a problem, and nothing is changed then; what a person has to
 *         do afterwards is a todo; the rest is a note. */
#ifndef CRASHPOD_SETUP_H
#define CRASHPOD_SETUP_H

#include "base/conf.h"
#include "crashkernel.h"
#include "changes.h"

#define SETUP_LINES_MAX 24
#define SETUP_GRUB_FILE "/etc/default/grub"
#define SETUP_GRUB_DIR "/etc/default/grub.d"

struct setup_lines {
	char text[SETUP_LINES_MAX][400];
	unsigned n;
};

struct setup {
	const char *root, *kver; /* kver: of the kernel that is loaded after a crash */
	bool from_kdump;
	struct changes changes;
	struct setup_lines problems, todos, notes;
	u64 ram;		     /* bytes; 0: not known */
	u64 need_mib, want_mib;	     /* what a capture takes; that and room for what is to come */
	char word[CRASHKERNEL_WORD]; /* crashkernel=want */
	s64 reserved;		     /* bytes, now */
	bool systemd;
	bool reboot; /* more is reserved only by the next boot */
	bool waits;  /* kdump's capture kernel stays loaded until then */
};

void setup_line(struct setup_lines *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The whole plan: kernel, reservation, configuration, initramfs, boot loader, services. */
void setup_plan(struct setup *s);

/* Its parts, each in a file of its own. */
void setup_kernel(struct setup *s); /* whether the kernel can be captured, and capture */
void setup_conf(struct setup *s);   /* CONF_FILE, unless it is there */
void setup_boot(struct setup *s);   /* crashkernel= for the next boots */
void setup_units(struct setup *s);  /* systemd's units, or the rc script */

/* The configuration for a directory of dumps, as text; the caller frees it. NULL: a problem was
 * added. settings: further lines of it. */
char *setup_conf_text(struct setup *s, const char *dir, const char *settings);

/* Takes over kdump's configuration; NULL: there is none, or a problem was added. */
char *setup_kdump_conf(struct setup *s);
/* The services that load another capture kernel: disabled, or where that was not asked for a
 * problem. After setup_boot(). */
void setup_kdump_services(struct setup *s);
/* What loads kdump-tools' capture kernel without its service, and what that has set: in their
 * place. */
void setup_kdump_rest(struct setup *s);

/* The same without systemd: scripts in /etc/init.d, by their names. */
#define SETUP_RC_SCRIPT "/etc/init.d/crashpod"
#define SETUP_RC_UNKNOWN "unknown" /* before: to what has scripts run */
void setup_rc(struct setup *s);
void setup_rc_kdump(struct setup *s);
struct change *setup_rc_start(struct setup *s); /* NULL: there is no script */
void setup_rc_undo(struct setup *s, enum made_kind kind, const char *name, bool unknown_before);
/* Whether the next boot runs it, by the link of its runlevel. */
bool setup_rc_is_enabled(const char *root, const char *name);
/* Whether crashpod's is there. */
bool setup_has_rc(const char *root);
/* Whether systemd runs. */
bool setup_has_systemd(const char *root);

/* Undoes what CHANGES_MADE says. -ENOENT: it says nothing. */
int setup_unplan(struct setup *s, struct err *e);

/* Whether a unit is enabled: the link in WantedBy's directory. */
bool setup_is_enabled(const char *root, const char *unit);
/* The enabled unit that loads another capture kernel, or NULL. */
const char *setup_kdump_enabled(const char *root);
/* Whether there is such a unit file. */
bool setup_has_unit(const char *root, const char *unit);
/* Whether there is such a file. */
bool setup_is_there(const struct setup *s, const char *path);

/* Whether that is what a capture takes. */
bool setup_is_enough(const struct setup *s, u64 bytes);
/* crashkernel= on those of a file's lines that begin with a text; nothing where all of them reserve
 * enough. False: there is no such line. */
bool setup_edit_file(struct setup *s, const char *path, const char *before);

/* --- entries of the Boot Loader Specification (setup_entries.c) --- */

/* The command line of kernels to come. */
#define SETUP_CMDLINE "/etc/kernel/cmdline"
/* Whether this machine was booted by systemd-boot. */
bool setup_is_systemd_boot(const struct setup *s);
/* Calls one (or not, where it is NULL) with each entry; how many there are. */
unsigned setup_each_entry(struct setup *s,
			  void (*one)(struct setup *s, const char *path, void *arg), void *arg);
/* Whether the boot loader has entries in files of their own. */
bool setup_has_entries(struct setup *s);
/* crashkernel= in a file of our own in SETUP_GRUB_DIR. */
void setup_grub_dir(struct setup *s);
/* Entries, SETUP_CMDLINE, and the unified images that are made with it. */
void setup_by_entries(struct setup *s);
/* How many kernels have unified images of kernel-install's; anew: it makes them again, as actions.
 */
unsigned setup_unified(struct setup *s, bool anew);
/* Of a change of a command line: what was there before setup's first one, and not its own word. */
void setup_entries_original(struct setup *s, struct change *a);

/* The program that makes grub.cfg anew, as an action; false: there is none. */
bool setup_grub_update(struct setup *s);

#endif
