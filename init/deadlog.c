/* SPDX-License-Identifier: GPL-2.0-or-later */
/* deadlog.c - first of all, the dead kernel's log: into memory, its panic line on the console. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../dumper/dmesg.h"
#include "steps.h"

/* 2020: an earlier clock was never set. */
#define CLOCK_SANE 1577836800

int step_vmcore(struct init *in, const struct step *s, struct err *e)
{
	(void)in;
	(void)s;
	if (access(INIT_VMCORE, R_OK))
		return err_sys(e, -errno, "%s: this kernel was not started by the crash of another",
			       INIT_VMCORE);
	return 0;
}

static u64 crash_time(const struct vmcoreinfo *vi)
{
	u64 v;

	return vi && vmcoreinfo_decimal(vi, "CRASHTIME", &v) == 0 && v < 1000000000000 ? v : 0;
}

int step_dmesg_child(struct init *in, struct err *e)
{
	struct init_shared *sh = in->sh;
	struct core *core = NULL;
	char *text = NULL;
	size_t len = 0;
	int rc;

	rc = core_open(&core, INIT_VMCORE, CORE_PARTIAL, e);
	if (rc)
		return rc;
	snprintf(sh->release, sizeof(sh->release), "%s", core->ki.release);
	sh->crash_time = crash_time(core->vi);
	rc = dmesg_text(core, in->text_cap, &text, &len, &sh->text_cut, e);
	/* also after an error: what could be read */
	if (text && len) {
		len = MIN(len, in->text_cap);
		memcpy(in->text, text, len);
		atomic_store(&sh->text_len, len);
		if (dmesg_panic_line(text, len, sh->panic, sizeof(sh->panic)))
			sh->panic[0] = '\0';
	}
	if (sh->text_cut)
		snprintf(sh->said, sizeof(sh->said),
			 "the kernel's log is read: the newest %zu bytes; there was no memory for "
			 "%llu before them",
			 len, (unsigned long long)sh->text_cut);
	else
		snprintf(sh->said, sizeof(sh->said), "the kernel's log is read: %zu bytes", len);
	return rc;
}

int step_dmesg(struct init *in, const struct step *s, struct err *e)
{
	time_t now = time(NULL);
	int rc = step_child(in, s, e);

	in->text_failed = rc != 0;
	in->stamp = now;
	if (now < CLOCK_SANE && in->sh->crash_time > CLOCK_SANE) {
		in->stamp = (time_t)in->sh->crash_time;
		init_note(in,
			  "the clock is not set: the time of the crash stands for the capture's");
	}
	console_say(&in->con, "crashed kernel: %s",
		    in->sh->release[0] ? in->sh->release : "not known");
	console_say(&in->con, "cause of death: %s", in->sh->panic[0] ? in->sh->panic : "not known");
	return rc;
}
