/* SPDX-License-Identifier: GPL-2.0-or-later */
/* init.h - everything PID 1 knows. One struct init lives on main()'s stack; a child gets its copy
 * by fork(), and gives back what it found through struct init_shared.
 * Units:  _ms since CLOCK_MONOTONIC's start; stamp in seconds of UTC. */
#ifndef CRASHPOD_INIT_H
#define CRASHPOD_INIT_H

#include <time.h>

#include "../dumper/base/conf.h"
#include "../dumper/base/err.h"
#include "../dumper/base/naming.h"
#include "../dumper/dump.h"
#include "console.h"

#define INIT_LOG_MAX 72 /* steps recorded: 8 targets of 6 steps, and the rest */
#define INIT_NOTES_MAX 64
#define INIT_REMOVED_MAX 24 /* old dumps whose names are recorded */
#define INIT_SILENT_MAX 4
#define INIT_TARGET_DIR "/target"
#define INIT_VMCORE "/proc/vmcore"

/* Devices that are read to find the target (probe.h). Names are sysfs's. */
struct probe_shared {
	_Atomic u32 begun;
	char name[64]; /* the one that is being read */
	char silent[INIT_SILENT_MAX][64];
	u32 nsilent;
	struct err err;
	int rc;
};

/* Written by the child of a step, read by PID 1 when the child has ended. A child that crashed may
 * have left anything here: strings are ended again by steps_run() before they are read. */
struct init_shared {
	struct err err; /* why the step failed */
	char said[200]; /* one line to say when it succeeded; may be empty */
	/* dmesg */
	char release[65];
	char panic[200];
	u64 crash_time; /* seconds of UTC; 0: not known */
	_Atomic size_t text_len;
	u64 text_cut; /* bytes of the oldest lines that had no room in text */
	/* modules */
	_Atomic u32 module; /* index of the line being loaded */
	_Atomic u32 modules_loaded, modules_failed;
	char module_name[128];
	/* target */
	char device[128];
	char layers[120]; /* worth knowing of what lies below it */
	struct naming names;
	bool dir_made; /* names.dir exists below the path, or slot is chosen */
	unsigned slot; /* of a raw area */
	struct probe_shared probe;
	/* triage */
	char series[64]; /* directory of the first of a series of crashes; "": there is none */
	/* dump */
	struct dump_progress progress;
	struct dump_stats stats;
	u32 dump_result;	/* enum dump_result */
	_Atomic bool dump_done; /* dump_run() has returned: stats and dump_result are its own */
	bool room_made;		/* older dumps are gone, and this one's part */
	/* old dumps that are gone, from whatever target */
	struct init_removed {
		u32 target; /* index into conf.targets */
		bool for_room;
		char dir[64];
	} removed[INIT_REMOVED_MAX];
	_Atomic u32 nremoved; /* may be more than there is room for */
	/* commit */
	bool dump_whole; /* the dump has its final name, and the record says so */
};

/* One line of the record: a step that ran. */
struct step_log {
	const char *name;
	u64 start_ms, took_ms; /* start is counted from PID 1's own */
	bool ok;
	char msg[200];	    /* what it said, or why it failed; may be empty */
	bool part;	    /* ok, but only a part of it was done: an incomplete dump */
	const char *target; /* whose step it was; NULL: no target's */
};

enum outcome { OUTCOME_NONE, OUTCOME_COMPLETE, OUTCOME_INCOMPLETE, OUTCOME_FAILED };

/* What became of a target that was left for the next one. */
struct target_log {
	enum outcome outcome;
	char dir[64]; /* below the path; empty: it was not made */
	char why[200];
};

struct init {
	struct console con;
	struct conf conf;
	int watchdog_fd;
	u64 watchdog_ms;      /* when it was petted last */
	bool watchdog_sought; /* there was none: it may come with a module */
	u64 start_ms, end_ms; /* of the whole capture */
	time_t stamp;	      /* for the names of the dump */
	struct init_shared *sh;
	char *text; /* the dead kernel's log: shared, text_cap bytes, sh->text_len used */
	size_t text_cap;
	bool text_failed; /* the log could not be read, or not all of it */
	u64 devices_ms;	  /* when the first target was looked for; 0: not yet */
	unsigned target;  /* index into conf.targets */
	bool on_target;	  /* the dump's directory exists on the target in use */
	bool hangs;	  /* a child hangs in the kernel since the target in use was begun */
	bool hung;	  /* so with any of the targets */
	enum outcome outcome;
	char why[200];	   /* when it is not complete */
	int code;	   /* of the dump child's error: negative errno; 0: none is known */
	char reasons[900]; /* why of every target that was tried without getting it all */
	struct target_log tried[CONF_TARGETS_MAX]; /* those before the target in use */
	bool careful;				   /* a dump child has crashed: see again.h */
	bool has_stats; /* sh->stats are those of a dump_run() that returned */
	struct step_log log[INIT_LOG_MAX];
	unsigned nlog, nsaid; /* steps recorded, and of these already said on the console */
	char notes[INIT_NOTES_MAX][300]; /* configuration problems, fallbacks taken */
	unsigned nnotes;		 /* may be more than there is room for */
};

/* Keeps a line for the record and says it on the console. */
void init_note(struct init *in, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
